import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ending, Sandbox, SandboxUse } from "../../ports/sandbox.ts";
import type { Evidence, Outcome } from "../../kernel/worker/evidence.ts";
import type { LimitHit } from "../../kernel/worker/limit.ts";
import { asStorageFault } from "../../system/storage-fault.ts";
import { outcomeOf } from "../end/outcome.ts";
import { layClaim, withdrawPermit } from "../folder/claim.ts";
import { noteDocument } from "../folder/document.ts";
import { noteCount, OWN_FILES, readCount, readEnded, readExit, readHits } from "../folder/notes.ts";
import { LABELS } from "./blueprint.ts";
import { refused } from "./engine/engine.ts";
import { isOnThisHost, killMembers, membersOf } from "./host/host-view.ts";
import { countMemoryKills } from "./host/kernel-log.ts";
import { Pump } from "./pump.ts";
import { readRecord } from "./record.ts";
import { type ContainerState, isUnstarted, isUp } from "./engine/state.ts";
import { type ContainerWorld, folderOf, nameOf, newRecord } from "./world.ts";

/** How often a container is looked at that is to end, ms. */
const lookEveryMs = 20;

/** How long a stop waits to be told how a container ended, and for its last output, ms. */
const exitMs = 1_000;
const drainMs = 2_000;

/** How a sandbox is to be ended. */
export type StopOptions = Parameters<Sandbox["stop"]>[1];

/** What a stop has found and done. */
interface Stopped {
  readonly wasAlive: boolean;
  readonly isAsked: boolean;
  readonly isOomKilled: boolean;
  readonly hits: readonly LimitHit[];
  readonly exitCode: number | undefined;
  readonly used: SandboxUse;
  readonly evidence: Evidence;
}

/** Ends containers, by their names and labels alone, whoever has started them. */
export class Stopper {
  readonly #world: ContainerWorld;
  /** Who is ending what: of several at once, the first is named. */
  readonly #by = new Map<string, string>();
  /** Those that are being ended, and how long they are given. */
  readonly #endings = new Map<
    string,
    { readonly graceMs: number; readonly result: Promise<Ending | undefined> }
  >();
  /** What is known of ends, should it not have come to disk. */
  readonly #known = new Map<string, Partial<Outcome>>();

  constructor(world: ContainerWorld) {
    this.#world = world;
  }

  /** Ends a sandbox; undefined when it cannot be seen to be gone by the deadline. */
  async stop(instance: string, options: StopOptions): Promise<Ending | undefined> {
    const folder = folderOf(this.#world, instance);
    const failure = await this.#forbidStart(instance, folder);
    const ending = await this.#endOnce(instance, options);
    if (ending !== undefined && failure instanceof Error) throw failure;
    return ending;
  }

  /** Notes of a sandbox whose time is over that this is why it ends. */
  async noteTimeOut(instance: string, by: string, hits: readonly LimitHit[]): Promise<void> {
    const ended = { killed_by: by, timed_out: true } as const;
    await this.#note(instance, { ...ended, ...this.#known.get(instance) }, hits);
  }

  /** Drops what is known of a sandbox. */
  forget(instance: string): void {
    this.#known.delete(instance);
    this.#by.delete(instance);
  }

  /** Removes the permit, or lays a claim without one; answers what went wrong, if something did. */
  async #forbidStart(instance: string, folder: string): Promise<unknown> {
    const record = newRecord(this.#world, instance, []);
    try {
      const isNew = !existsSync(folder);
      const isLaid = isNew && (await layClaim(folder, { record, files: {}, permitted: false }));
      if (!isLaid) await withdrawPermit(folder);
      return undefined;
    } catch (error) {
      return asStorageFault(error, `forbidding the start of ${instance}`);
    }
  }

  /**
   * Ends it, or joins whoever is about to and gives it no more time: with the container goes what
   * its engine has measured, and who comes later would be told another outcome.
   */
  async #endOnce(instance: string, options: StopOptions): Promise<Ending | undefined> {
    const running = this.#endings.get(instance);
    if (running !== undefined && running.graceMs <= options.graceMs) {
      const shared = await running.result.catch(() => undefined);
      if (shared !== undefined) return shared;
    }
    const result = this.#endAndTell(instance, options);
    const ending = { graceMs: options.graceMs, result };
    this.#endings.set(instance, ending);
    try {
      return await result;
    } finally {
      if (this.#endings.get(instance) === ending) this.#endings.delete(instance);
    }
  }

  async #endAndTell(instance: string, options: StopOptions): Promise<Ending | undefined> {
    const stopped = await this.#end(instance, await this.#find(instance), options);
    if (stopped === undefined) return undefined;
    const noted = await readHits(folderOf(this.#world, instance));
    const { book, vigils } = this.#world;
    const overflow = vigils.of(instance)?.pump.overflow();
    const hits = book.hits(instance, [...stopped.hits, ...noted], overflow);
    const outcome = await this.#outcome(instance, { ...stopped, hits }, options.by);
    return { instance, evidence: stopped.evidence, outcome, hits };
  }

  async #find(instance: string): Promise<ContainerState | undefined> {
    const { engine, fleet } = this.#world;
    const found = await engine.inspect(nameOf(this.#world, instance));
    // A name of another fleet's may be the same by how names are put together.
    return found?.labels[LABELS.fleet] === fleet ? found : undefined;
  }

  async #end(
    instance: string,
    found: ContainerState | undefined,
    { graceMs, deadlineMs, by }: StopOptions,
  ): Promise<Stopped | undefined> {
    if (found === undefined) return this.#gone(instance);
    const { id } = found;
    const wasAlive = isUp(found) || this.#by.has(instance);
    if (isUp(found) && !this.#by.has(instance)) this.#by.set(instance, by);
    const isSeen = isOnThisHost(id, found.pid);
    const isAsked = graceMs > 0 && found.status === "running";
    if (isAsked) await this.#ask(id, graceMs);
    const used = (await this.#world.engine.use(id)) ?? {};
    const deadlineAtMs = performance.now() + deadlineMs;
    const counted = isSeen ? membersOf(id).length : (used.processes ?? 0);
    noteCount(folderOf(this.#world, instance), counted);
    const last = await this.#kill(id, deadlineAtMs);
    if (last === "alive") return undefined;
    const state = last ?? found;
    const hits = memoryHits(state);
    const isOomKilled = hits.length > 0;
    await this.#takeRest(instance, id);
    if (!(await this.#remove(id, deadlineAtMs))) return undefined;
    if (isSeen && membersOf(id).length > 0) return undefined;
    const evidence = this.#evidence(instance, { isStarted: !isUnstarted(found), isSeen });
    const exitCode = isUnstarted(found) ? undefined : state.exitCode;
    return { wasAlive, isAsked, isOomKilled, hits, exitCode, used, evidence };
  }

  /** There is none: it ended before, was never made, or the engine has lost it. */
  async #gone(instance: string): Promise<Stopped | undefined> {
    const record = await readRecord(folderOf(this.#world, instance));
    const id = record?.container ?? null;
    // An engine that has another store under this socket has none of ours; the kernel still has.
    if (id !== null && membersOf(id).length > 0) return undefined;
    const evidence = this.#evidence(instance, { isStarted: id !== null, isSeen: true });
    const wasAlive = this.#by.has(instance);
    const nothing = { isAsked: false, isOomKilled: false, hits: [], exitCode: undefined, used: {} };
    return { ...nothing, wasAlive, evidence };
  }

  async #ask(id: string, graceMs: number): Promise<void> {
    const { engine } = this.#world;
    await engine.kill(id, "SIGTERM");
    const untilMs = performance.now() + graceMs;
    while (performance.now() < untilMs) {
      const state = await engine.inspect(id);
      if (state === undefined || !isUp(state)) return;
      await sleep(Math.min(lookEveryMs, Math.max(0, untilMs - performance.now())));
    }
  }

  /** Kills until nothing of it runs; answers what was last seen, undefined when it is gone. */
  async #kill(id: string, deadlineAtMs: number): Promise<ContainerState | "alive" | undefined> {
    const { engine } = this.#world;
    for (let round = 0; ; round += 1) {
      const state = await engine.inspect(id);
      if (state === undefined || !isUp(state)) return state;
      if (round > 0 && performance.now() >= deadlineAtMs) return "alive";
      if (state.status === "paused" && isOnThisHost(id, state.pid)) killMembers(id);
      const answer = await engine.kill(id, "SIGKILL");
      // A no may mean that it ended meanwhile, or that this engine kills nothing that is paused.
      if (!answer.ok && state.status === "paused") await engine.unpause(id);
      await sleep(lookEveryMs);
    }
  }

  /** Sees to it that what it wrote is taken before the engine forgets it. */
  async #takeRest(instance: string, id: string): Promise<void> {
    const { engine, vigils, output, log } = this.#world;
    const own = vigils.of(instance);
    if (own !== undefined) return own.pump.finish(drainMs);
    const folder = folderOf(this.#world, instance);
    const sink = await output(instance, folder, undefined);
    await (await Pump.resume({ engine, id, folder, sink, log })).finish(drainMs);
  }

  async #remove(id: string, deadlineAtMs: number): Promise<boolean> {
    const { engine } = this.#world;
    for (let round = 0; ; round += 1) {
      const answer = await engine.remove(id);
      if ((await engine.inspect(id)) === undefined) return true;
      if (round > 0 && performance.now() >= deadlineAtMs) {
        if (!answer.ok) throw refused("remove a container", answer);
        return false;
      }
      await sleep(lookEveryMs);
    }
  }

  #evidence(
    instance: string,
    { isStarted, isSeen }: { readonly isStarted: boolean; readonly isSeen: boolean },
  ): Evidence {
    const facts = {
      killed: readCount(folderOf(this.#world, instance)),
      rung: "container",
      container: "gone",
      // What the kernel of this host shows beside what the engine says.
      processes: isSeen ? "none" : "not seen from here",
      started: isStarted,
    };
    return { grade: "observed", facts };
  }

  async #outcome(instance: string, stopped: Stopped, by: string): Promise<Outcome> {
    const folder = folderOf(this.#world, instance);
    const { exitCode, isOomKilled, used } = stopped;
    const seen = exitCode === undefined ? undefined : { code: exitCode, signal: null };
    const exit =
      seen ?? (await this.#world.vigils.exitOf(instance, exitMs)) ?? (await readExit(folder));
    const prior = {
      ...(await readEnded(folder)),
      ...this.#known.get(instance),
      ...(isOomKilled ? { oom_killed: true } : {}),
    };
    const killer = this.#by.get(instance) ?? by;
    const end = { ...stopped, exit, prior, by: killer };
    const outcome = outcomeOf({ ...end, used: measured(used), isEnclosed: true });
    if (exit !== undefined) await noteQuietly(folder, OWN_FILES.exit, exit);
    const { exit_code: _code, signal: _signal, ...ended } = outcome;
    await this.#note(instance, { ...ended, ...this.#known.get(instance) }, stopped.hits);
    return outcome;
  }

  async #note(instance: string, ended: Partial<Outcome>, hits: readonly LimitHit[]): Promise<void> {
    this.#known.set(instance, ended);
    const noted = { ...ended, limits_hit: hits };
    await noteQuietly(folderOf(this.#world, instance), OWN_FILES.ended, noted);
  }
}

/** What is known of memory that was used up; at least once, where only the engine says it. */
export function memoryHits({
  id,
  isOomKilled,
  memoryBytes: value,
}: ContainerState): readonly LimitHit[] {
  if (value === undefined) return [];
  const counted = countMemoryKills(id);
  const count = isOomKilled === true ? Math.max(1, counted) : counted;
  if (count === 0) return [];
  return [{ limit: "memory_bytes", value, use: value, count }];
}

function measured({ cpu_ms: cpuMs }: SandboxUse): SandboxUse {
  return cpuMs === undefined ? {} : { cpu_ms: cpuMs };
}

/** So that a stop repeated after a crash tells the same; without it the end is no less true. */
async function noteQuietly(folder: string, name: string, value: object): Promise<void> {
  await noteDocument(folder, name, value).catch(() => undefined);
}
