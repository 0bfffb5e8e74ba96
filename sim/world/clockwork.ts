import { nextDeadlineAtMs } from "../../src/kernel/state.ts";
import { makeAcceptance } from "../commands/fleet.ts";
import type { World } from "./world.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** How far a reboot moves the wall clock: from nothing to more than anybody believes. */
const DOWN_MS = [0, 1_000, MINUTE_MS, 3_600_000, 8 * DAY_MS];

/** Moves the clocks of a simulated host, a little most of the time. */
export class Clockwork {
  readonly #world: World;
  #wallOffMs = 0;
  #bootCount = 1;

  constructor(world: World) {
    this.#world = world;
  }

  /** Lets time pass, or does something to a clock. */
  move(): void {
    const { random } = this.#world;
    const draw = random.below(100);
    if (draw < 58) return this.#advance(random.below(200));
    if (draw < 72) return this.#advanceToDeadline();
    if (draw < 83) return this.#advance(1_000 + random.below(2 * MINUTE_MS));
    if (draw < 87) return this.#advance(MINUTE_MS + random.pick([-1, 0, 1]));
    if (draw < 89) return this.#advance(DAY_MS + random.pick([-1, 0, 1, 3_600_000]));
    if (draw < 92) return this.#suspend(1_000 + random.below(10 * MINUTE_MS));
    if (draw < 98) return this.#step(random.below(300) - 150);
    return this.#step((random.chance(0.5) ? 1 : -1) * (10_000 + random.below(DAY_MS)));
  }

  /** The host goes down and comes up again: another boot, every process dead. */
  reboot(): void {
    const { random, clock, living } = this.#world;
    for (const process of living) this.#world.crash(process);
    this.#bootCount += 1;
    const downMs = random.pick(DOWN_MS);
    clock.reboot(`boot-${this.#bootCount}`, downMs);
    this.#wallOffMs = 0;
    this.#world.happen("reboot", `down ${downMs} ms`);
  }

  /**
   * Somebody looks at a clock that nobody believes: he sets it right, or accepts it as it is, by a
   * process, or without any by the store itself.
   */
  async mend(): Promise<void> {
    const { random, clock, living, store } = this.#world;
    this.#world.skewCount = 0;
    if (this.#wallOffMs !== 0 && random.chance(0.6)) {
      clock.stepWall(-this.#wallOffMs);
      this.#wallOffMs = 0;
      this.#world.happen("wall set right");
      return;
    }
    this.#wallOffMs = 0;
    const [process] = this.#world.open;
    if (process !== undefined && random.chance(0.7)) {
      const view = this.#world.viewFrom(process);
      this.#world.submit(process, { ...makeAcceptance(view), id: this.#world.freshId() });
      this.#world.happen("clock accepted by a command");
      return this.#world.comeToRest();
    }
    for (const other of living) this.#world.crash(other);
    await store.reopen();
    this.#world.happen("clock accepted");
  }

  /** The wall clock is set to what journal time is, so that nobody doubts it any more. */
  setRight(): void {
    const { clock, store } = this.#world;
    clock.stepWall(store.nowMs() - clock.wallMs);
    this.#wallOffMs = 0;
  }

  #advance(ms: number): void {
    this.#world.clock.advance(ms);
    this.#world.happen("time passes", `${ms} ms`);
  }

  /** To the instant at which time alone ends something, or just before or after it. */
  #advanceToDeadline(): void {
    const { auditor, store, random } = this.#world;
    const places = [...auditor.state.book.queue.places.values()];
    const ends = places.flatMap(({ until_ms, deadline_ms }) => [until_ms, deadline_ms]);
    const isOfPlace = ends.length > 0 && random.chance(0.5);
    const dueAtMs = isOfPlace ? random.pick(ends) : (nextDeadlineAtMs(auditor.state) ?? 0);
    const ms = dueAtMs - store.nowMs() + random.pick([-1, 0, 0, 1]);
    this.#advance(Math.max(0, Math.min(ms, DAY_MS)));
  }

  #suspend(ms: number): void {
    this.#world.clock.suspend(ms);
    this.#world.happen("suspend", `${ms} ms`);
  }

  #step(ms: number): void {
    this.#world.clock.stepWall(ms);
    this.#wallOffMs += ms;
    this.#world.happen("wall step", `${ms} ms`);
  }
}
