/*
 * Whether everybody who waits is served. The storm is over; whoever holds something gives it back
 * within a while, and several wait for the same ground as the library has them wait, through
 * different processes, while others come by. Nobody may be left over, and nobody may wait for what
 * he could have at once (SM12).
 */

import type { Actor } from "../../src/kernel/actor.ts";
import type { Command, CommandMap } from "../../src/kernel/command.ts";
import { leaseIdAt, type Holder } from "../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { tokenHash } from "../../src/library/ground/shown-token.ts";
import { carryInLine } from "../../src/library/queue/at-desk.ts";
import { unlessAborted } from "../../src/library/waiting.ts";
import type { Answer } from "../../src/runtime/loop.ts";
import { attempt } from "../audit/lease/attempting.ts";
import { liveAt, type LeaseRow } from "../audit/lease/books.ts";
import { occupying } from "../audit/lease/mounts.ts";
import { isWaitingAt } from "../audit/queue/books.ts";
import { drawGround, type Ground } from "../commands/place.ts";
import { SUPERVISOR } from "../commands/view.ts";
import type { Process } from "../world/process.ts";
import type { World } from "../world/world.ts";
import { live } from "./time.ts";

/** How long anything is held at the most, ms. */
const HOLD_MS_MAX = 6_000;

/** How many wait at the least and at the most. */
const WAITERS_MIN = 2;
const WAITERS_MAX = 5;

/** How often somebody comes by who has not waited, and how many do so, ms. */
const PASSER_EVERY_MS = 1_500;
const PASSERS_MAX = 6;

/** For so long somebody may wait for what he could have, ms: a turn is taken up by a timer. */
const IDLE_MS_MAX = 100;

/** Longer than anybody may have to wait here, ms. */
const WAIT_MS = 3_600_000;

/** Somebody who waits, until he is served or refused. */
interface Waiter {
  readonly name: string;
  /** The place that he waits in; null before he has one. */
  place: string | null;
  placeCount: number;
  /** What it came to; null while he waits. */
  outcome: string | null;
  /** Since when he waits for what he could have, monotonic ms. */
  idleSinceMs: number | null;
}

/** Has several wait for ground in a world at rest, and sees to it that all are served. */
export async function serve(world: World): Promise<void> {
  const serving = new Serving(world);
  try {
    await serving.run();
  } finally {
    await serving.giveUp();
  }
}

class Serving {
  readonly #world: World;
  readonly #waiters: Waiter[] = [];
  readonly #held = new Set<string>();
  readonly #over = new AbortController();
  #isFencing = false;

  constructor(world: World) {
    this.#world = world;
  }

  async run(): Promise<void> {
    const { random } = this.#world;
    const view = this.#world.viewFrom(this.#process());
    const ground = drawGround(view);
    const count = WAITERS_MIN + random.below(WAITERS_MAX - WAITERS_MIN + 1);
    this.#world.happen("serving", `${count} who wait`);
    this.#holdAll();
    for (let index = 0; index < count; index += 1)
      this.#wait(`waiter-${index}`, random.chance(0.7) ? ground : drawGround(view));
    for (let index = 1; index <= PASSERS_MAX; index += 1)
      this.#timers().after(index * PASSER_EVERY_MS, () => this.#comeBy(index, ground));
    // What was waited for before is nobody's after its time; then each holds it once.
    const boundMs = LIMITS.placeMs + (count + PASSERS_MAX + 2) * HOLD_MS_MAX;
    const untilMs = this.#world.clock.monotonicMs() + boundMs;
    while (this.#left().length > 0 && this.#world.clock.monotonicMs() < untilMs) {
      if (this.#world.isBroken) return;
      await live(this.#world, 1_000, () => this.#look());
    }
    for (const { name, place } of this.#left())
      this.#broken(`${name} still waits in ${place ?? "no place"} after ${boundMs} ms`);
    for (const { outcome } of this.#waiters) this.#world.tally.count("waits", outcome ?? "left");
  }

  /** Nobody waits any more, even in a world that is broken. */
  async giveUp(): Promise<void> {
    this.#over.abort();
    this.#world.scheduler.drop(OWNER);
    await this.#world.scheduler.settle();
  }

  #left(): readonly Waiter[] {
    return this.#waiters.filter(({ outcome }) => outcome === null);
  }

  #broken(message: string): void {
    this.#world.auditor.report("SM12", message);
  }

  #process(): Process {
    return this.#world.random.pick(this.#world.open);
  }

  #timers(): ReturnType<World["scheduler"]["timersOf"]> {
    return this.#world.scheduler.timersOf(OWNER);
  }

  /** Everything that is held is given back in a while, whoever has it. */
  #holdAll(): void {
    const { auditor, store } = this.#world;
    for (const row of liveAt(auditor.ledger.ground, store.nowMs())) this.#hold(row);
  }

  #hold({ id, holder }: Pick<LeaseRow, "id" | "holder">): void {
    if (this.#held.has(id)) return;
    this.#held.add(id);
    const { random } = this.#world;
    this.#timers().after(1 + random.below(HOLD_MS_MAX), () => {
      const command: Command = { kind: "lease.release", data: { lease: id, claim: holder } };
      this.#submit(command, `releaser-${id}`);
    });
  }

  #submit(command: Command, id: string): void {
    this.#world.submit(this.#process(), { command, actor: operator(id), id: null });
  }

  /** Somebody asks who does not wait, most often to read. */
  #comeBy(index: number, ground: Ground): void {
    const { random } = this.#world;
    const mode = random.chance(0.7) ? { mode: "shared" as const } : {};
    const holder = partyOf(`passer-${index}`);
    const data = { ...ground, ...mode, holder, ttl_ms: 60_000, worktree: "main" };
    this.#submit({ kind: "lease.acquire", data }, `passer-${index}`);
  }

  #wait(name: string, ground: Ground): void {
    const { random, clock, scheduler } = this.#world;
    const process = this.#process();
    const waiter: Waiter = {
      name,
      place: null,
      placeCount: 0,
      outcome: null,
      idleSinceMs: null,
    };
    this.#waiters.push(waiter);
    const data: CommandMap["lease.acquire"] = {
      ...ground,
      ...(random.chance(0.3) ? { mode: "shared" } : {}),
      holder: partyOf(name),
      ttl_ms: random.pick([5_000, 60_000, 300_000]),
      wait_ms: WAIT_MS,
      worktree: "main",
    };
    const waiting = carryInLine<Answer>(
      { kind: "lease.acquire", data },
      {
        clock,
        timers: scheduler.timersOf(process.name),
        token: name,
        signal: this.#over.signal,
        // Once it is over no answer comes any more: nobody is to wait for one.
        carry: async (command, { turnMs = 0 }) => {
          this.#over.signal.throwIfAborted();
          const asked = { command, actor: operator(name), id: null, turnMs };
          return unlessAborted(this.#world.carry(process, asked), this.#over.signal);
        },
        leaseIn: (said) => {
          const granted = said.ok && said.entries.find(({ kind }) => kind === "lease.granted");
          return granted ? leaseIdAt(granted.seq) : undefined;
        },
        onPlace: (place) => {
          waiter.place = place;
          waiter.placeCount += 1;
          if (waiter.placeCount > 1) this.#broken(`${name} lost a place that he kept up`);
        },
      },
    );
    waiting.then(
      ({ step }) => this.#end(waiter, step),
      (error: unknown) => {
        if (this.#over.signal.aborted) return;
        this.#broken(`${name} could not wait: ${String(error)}`);
        waiter.outcome = "error";
      },
    );
  }

  #end(waiter: Waiter, answer: Answer): void {
    waiter.outcome = answer.ok ? "served" : answer.refusal.code;
    // All other refusals are right or wrong by the rules, and are judged as they are written.
    if (waiter.outcome === "wait_timeout" || waiter.outcome === "place_ended")
      this.#broken(`${waiter.name} waited in vain: ${waiter.outcome}`);
  }

  /** Nothing but time can help: nobody may wait for what he could have, or not for long. */
  #look(): void {
    const { auditor, store, clock } = this.#world;
    this.#holdAll();
    this.#fence();
    const books = auditor.ledger;
    const scene = { books, actor: SUPERVISOR, atMs: store.nowMs() };
    for (const waiter of this.#left()) {
      const row = books.queue.rows.get(waiter.place ?? "");
      const isKept = row !== undefined && isWaitingAt(row, scene.atMs);
      const { rank = 0, ask, holder } = row ?? {};
      const isFree =
        isKept &&
        ask !== undefined &&
        holder !== undefined &&
        attempt(scene, { ...ask, holder }, { rank }).kind === "granted";
      if (!isFree) waiter.idleSinceMs = null;
      else waiter.idleSinceMs ??= clock.monotonicMs();
      const idleMs = clock.monotonicMs() - (waiter.idleSinceMs ?? Infinity);
      if (idleMs > IDLE_MS_MAX)
        this.#broken(`${waiter.name} waits for ${idleMs} ms for what he could have`);
    }
  }

  /** What a sandbox has mounted, and nobody holds any more, is taken from it. */
  #fence(): void {
    const { auditor, store } = this.#world;
    const { ledger: books } = auditor;
    const all = { mode: "exclusive", lane: null, alone: true, region: ["**"] } as const;
    const scene = { books, atMs: store.nowMs() };
    const [mount] = occupying(scene, { ...all, holder: partyOf("nobody") });
    if (mount === undefined || this.#isFencing) return;
    this.#isFencing = true;
    const { lease, worker } = mount;
    const data = { lease, worker, waited_ms: 0, was_frozen: false };
    const done = (): void => {
      this.#isFencing = false;
    };
    const asked = { command: { kind: "lease.fence", data }, actor: SUPERVISOR, id: null } as const;
    this.#world.submit(this.#process(), asked, { hear: done, hearError: done });
  }
}

/** Whose timers those are that belong to no process. */
const OWNER = "holders";

/** Each with refusals of his own to use up. */
function operator(id: string): Actor {
  return { kind: "operator", id, via: "cli" };
}

/** An outside party whose token is its name. */
function partyOf(name: string): Holder {
  return { name, nonce: "n".repeat(26), token_hash: tokenHash(name) };
}
