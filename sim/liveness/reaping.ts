/*
 * Whether the dead are reaped, and nobody else: workers beat, some die, and real watchers read what
 * arrives. Beats get lost, late and doubled, readings fail, the store is emptied, watchers die with
 * their processes. Whoever is dead must be reaped within a bound once all that is over (SM13). Who
 * lives is reaped only where no beat of his could be seen for the whole time, and no sandbox either
 * (SM14).
 */

import type { Entry } from "../../src/kernel/entry.ts";
import type { Timers } from "../../src/runtime/timers.ts";
import { Watcher, type Seen } from "../../src/runtime/watcher.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import { SUPERVISOR } from "../commands/view.ts";
import type { Process } from "../world/process.ts";
import { bear } from "../world/stimulus.ts";
import type { World } from "../world/world.ts";
import { SimulatedPulse, type Read } from "./pulse.ts";
import { live } from "./time.ts";

/** How many workers are born for it at the most. */
const BORN_MAX = 3;

/** How long the storm lasts, in times of reaping. */
const STORM_REAPS = 3;

/** Into how many parts the storm is cut, with something new in each. */
const STORM_PARTS = 12;

/** One of a fleet's workers outside its journal: its process. */
interface Body {
  readonly worker: string;
  isDead: boolean;
  /** Whether no beat of it gets through as long as the storm lasts. */
  isCutOff: boolean;
}

/** A watcher, and what it has seen. */
interface Watch {
  readonly process: Process;
  readonly watcher: Watcher;
  readonly reads: Read[];
  /** What it was last told of a sandbox, by worker. */
  readonly seen: Map<string, Seen>;
}

/** Has workers beat and die in a storm, and sees to it that just the dead are reaped. */
export async function watchOver(world: World): Promise<void> {
  const { random, auditor, weather } = world;
  for (let count = random.below(BORN_MAX + 1); count > 0; count -= 1) {
    const [process] = world.open;
    if (process !== undefined) await bear(world, process, null);
  }
  const running = [...auditor.ledger.rows.values()].filter(({ status }) => status === "running");
  if (running.length === 0 || world.isBroken) return;
  weather.rage();
  const vigil = new Vigil(
    world,
    running.map(({ id }) => id),
  );
  await vigil.storm();
  weather.calm();
  await vigil.calm();
}

class Vigil {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #pulse: SimulatedPulse;
  readonly #bodies: readonly Body[];
  readonly #timers: Timers;
  readonly #beatEveryMs: number;
  readonly #reapAfterMs: number;
  readonly #watches: Watch[] = [];
  #checkedSeq: number;

  constructor(world: World, workers: readonly string[]) {
    this.#world = world;
    this.#random = world.random.fork("vigil");
    const { contract, seq } = world.auditor.state;
    this.#beatEveryMs = contract.beat_every_ms;
    this.#reapAfterMs = contract.reap_after_ms;
    this.#checkedSeq = seq;
    this.#timers = world.scheduler.timersOf(OWNER);
    const beatEveryMs = this.#beatEveryMs;
    this.#pulse = new SimulatedPulse(world, { timers: this.#timers, beatEveryMs });
    this.#bodies = workers.map((worker) => ({ worker, isDead: false, isCutOff: false }));
    world.happen("vigil", `over ${workers.length}`);
    for (const body of this.#bodies) this.#beat(body);
    for (const process of world.open.slice(0, 2)) this.#watch(process);
  }

  /** Things go wrong, one after another. */
  async storm(): Promise<void> {
    const partMs = Math.ceil((STORM_REAPS * this.#reapAfterMs) / STORM_PARTS);
    for (let part = 0; part < STORM_PARTS && !this.#world.isBroken; part += 1) {
      await this.#goOn(partMs);
      this.#strike();
    }
  }

  /** Nothing goes wrong any more: the dead are reaped in time, and from then on nobody. */
  async calm(): Promise<void> {
    const world = this.#world;
    this.#pulse.isStormy = false;
    if (world.open.length === 0) world.start();
    await live(world, 1);
    if (this.#watching().length === 0) for (const one of world.open.slice(0, 1)) this.#watch(one);
    const pauseMs = Math.min(10_000, Math.max(50, this.#beatEveryMs / 2));
    // A late beat, two rounds until the first good reading, and one in which it is concluded.
    const boundMs = this.#reapAfterMs + this.#pulse.lateMsMax + Math.ceil(4 * pauseMs);
    await this.#goOn(boundMs);
    const { rows } = world.auditor.ledger;
    for (const { worker, isDead } of this.#bodies) {
      const row = rows.get(worker);
      if (!isDead || row?.status !== "running" || row.quarantinedUntilMs !== null) continue;
      this.#broken("SM13", `${worker} is dead, and not reaped ${boundMs} ms after the storm`);
    }
    for (const { watcher, process } of this.#watches)
      if (process.status === "open") void watcher.stop();
    world.scheduler.drop(OWNER);
    await world.comeToRest();
  }

  #broken(rule: string, message: string): void {
    this.#world.auditor.report(rule, message);
  }

  async #goOn(ms: number): Promise<void> {
    await live(this.#world, ms, () => this.#judge());
    this.#judge();
  }

  #watching(): readonly Watch[] {
    return this.#watches.filter(({ process }) => process.status === "open");
  }

  #beat(body: Body): void {
    if (body.isDead) return;
    if (!body.isCutOff || !this.#pulse.isStormy) this.#pulse.beat(body.worker);
    const offMs = this.#random.below(Math.ceil(this.#beatEveryMs / 10));
    this.#timers.after(this.#beatEveryMs - offMs, () => this.#beat(body));
  }

  #strike(): void {
    const { random, clock } = this.#world;
    const draw = random.below(14);
    if (draw < 4) this.#die();
    else if (draw < 7) this.#cutOff();
    else if (draw < 8) this.#pulse.empty();
    else if (draw < 9) clock.suspend(1 + random.below(2 * this.#reapAfterMs));
    else if (draw < 10) clock.advance(random.below(this.#reapAfterMs));
    else if (draw < 12) this.#replaceWatcher();
  }

  #die(): void {
    const body = this.#random.pick(this.#bodies);
    if (body.isDead) return;
    body.isDead = true;
    this.#world.happen("death", body.worker);
  }

  #cutOff(): void {
    const body = this.#random.pick(this.#bodies);
    body.isCutOff = true;
    this.#world.happen("cut off", body.worker);
  }

  /** A watcher dies with its process; another begins to watch in one that is there, or new. */
  #replaceWatcher(): void {
    const [watch] = this.#watching();
    if (watch !== undefined) this.#world.crash(watch.process);
    const [process] = this.#world.open;
    if (process === undefined) this.#world.start();
    else this.#watch(process);
  }

  #watch(process: Process): void {
    const { loop, name } = process;
    if (loop === undefined || this.#watching().some((one) => one.process === process)) return;
    const timers = this.#world.scheduler.timersOf(name);
    const reads: Read[] = [];
    const seen = new Map<string, Seen>();
    const watcher = new Watcher({
      loop,
      pulse: this.#pulse.reachedBy(timers, reads),
      clock: this.#world.clock,
      timers,
      by: SUPERVISOR,
      seen: (worker) => {
        const told = this.#see(worker);
        seen.set(worker, told);
        return told;
      },
    });
    this.#watches.push({ process, watcher, reads, seen });
    watcher.start();
  }

  /** A sandbox that lives is never seen gone, and one that is gone never alive. */
  #see(worker: string): Seen {
    const body = this.#bodies.find((one) => one.worker === worker);
    if (this.#pulse.isStormy && this.#random.chance(0.1)) throw new Error("it cannot be looked at");
    if (this.#random.chance(0.4)) return "unknown";
    return body?.isDead === true ? "gone" : "alive";
  }

  /** Looks at all who were reaped since it looked last. */
  #judge(): void {
    const { entries, state } = this.#world.auditor;
    for (const entry of entries.filter(({ seq }) => seq > this.#checkedSeq))
      if (isReaping(entry)) this.#judgeReaped(entry.data.worker);
    this.#checkedSeq = state.seq;
  }

  #judgeReaped(worker: string): void {
    const body = this.#bodies.find((one) => one.worker === worker);
    this.#world.happen(body?.isDead === true ? "dead reaped" : "silent reaped", worker);
    const isRight = this.#watches.some(
      ({ reads, seen }) =>
        seen.get(worker) !== "alive" && silenceMs(reads, worker) >= this.#reapAfterMs,
    );
    if (isRight) return;
    const silent = Math.max(...this.#watches.map(({ reads }) => silenceMs(reads, worker)));
    this.#broken("SM14", `${worker} was reaped, it had been silent for ${silent} ms at the most`);
  }
}

/** Whose timers those are that belong to no process. */
const OWNER = "bodies";

type Reaping = Extract<Entry, { readonly kind: "worker.stopping" }>;

function isReaping(entry: Entry): entry is Reaping {
  return entry.kind === "worker.stopping" && entry.data.reason === "reaped";
}

/** The longest time over which all readings of one watcher agree on a worker, ms. */
function silenceMs(reads: readonly Read[], worker: string): number {
  let longest = 0;
  let sinceMs = 0;
  let last: string | null = null;
  for (const { reading, fromMs, toMs } of reads) {
    const count = reading?.rows.find((row) => row.worker === worker)?.count;
    const said = reading === null ? null : `${reading.generation} ${count ?? "none"}`;
    if (said === null || said !== last) sinceMs = toMs;
    else longest = Math.max(longest, fromMs - sinceMs);
    last = said;
  }
  return longest;
}
