import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Evidence, Outcome } from "../../../kernel/worker/evidence.ts";
import type { LimitHit } from "../../../kernel/worker/limit.ts";
import type { Ending, Sandbox } from "../../../ports/sandbox.ts";
import { asStorageFault } from "../../../system/storage-fault.ts";
import { codeOf } from "../../../ports/error-code.ts";
import type { CgroupUse } from "../../cgroup/cgroup.ts";
import { layClaim, withdrawPermit } from "../../folder/claim.ts";
import type { Enclosure, EnclosureEnd } from "../rung/enclosure.ts";
import { outcomeOf } from "../../end/outcome.ts";
import { noteOver } from "../../folder/document.ts";
import {
  noteCount,
  OWN_FILES,
  readCount,
  readEnded,
  readExit,
  readHits,
} from "../../folder/notes.ts";
import { type ProcessRecord, readRecord } from "../record.ts";
import { ask, EMPTY_LISTINGS, holdFirst, isFrozen, type Lister, request, sweep } from "../sweep.ts";
import { hitsWithoutFrame, type Workshop } from "../workshop.ts";
import { FelledOnes } from "./felled.ts";
import { Turns } from "./turns.ts";

/** How long a stop waits to be told how a process ended that this process started, ms. */
const exitMs = 1_000;

/** How long what was struck is given to be gone before it is killed once more by itself, ms. */
const dyingMs = 1_000;

/** How many of those that were struck at once are seen to at the same time. */
const atOnceMax = 64;

/** How long a stop waits for the last output of what has ended to be taken, ms. */
const drainMs = 2_000;

/** How long the journal has to be told of an end before that is written down elsewhere, ms. */
const noteAfterMs = 1_000;

const missed = "what left its group and dropped its marks is not excluded";

/** How a sandbox is to be ended. */
export type StopOptions = Parameters<Sandbox["stop"]>[1];

/** What a stop has found and done. */
interface Stopped {
  readonly evidence: Evidence;
  readonly used: CgroupUse;
  /** What its control group has counted. */
  readonly hits: readonly LimitHit[];
  readonly wasAlive: boolean;
  readonly isAsked: boolean;
  readonly isEnclosed: boolean;
}

/** What is written down of an end in its sandbox's folder. */
interface Noted {
  readonly instance: string;
  readonly ended: object;
}

/** Who ends a sandbox, and what is to be done with what is known of its end. */
interface Conclusion {
  readonly by: string;
  /** Writes it down, or sees to it; false when that has failed. */
  readonly note: (noted: Noted) => boolean;
}

/** Ends sandboxes, by their records on disk alone, whoever has started them. */
export class Stopper {
  readonly #workshop: Workshop;
  readonly #ends = new Map<string, Promise<EnclosureEnd | undefined>>();
  readonly #turns = new Turns(atOnceMax);
  readonly #felled: FelledOnes;
  /** How those have ended that were killed with all others, until they are forgotten. */
  readonly #endings = new Map<string, Ending>();
  /** Outcomes that the journal is about to be told, should it not come to that. */
  readonly #unnoted = new Map<string, Noted>();
  #noting: NodeJS.Timeout | undefined;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
    this.#felled = new FelledOnes(workshop.parts.children);
  }

  /** Ends a sandbox; undefined when something of it is alive at the deadline, or cannot be seen. */
  async stop(instance: string, options: StopOptions): Promise<Ending | undefined> {
    const { children } = this.#workshop.parts;
    return children.whileEnding(instance, async () => {
      // Who asks first is not to wait for those who are killed.
      if (options.graceMs > 0) return this.#stop(instance, options);
      await this.#workshop.untilStruck();
      this.#workshop.learnStruck();
      const felled = await this.#stopFelled(instance, options);
      if (felled !== undefined) return felled;
      const stop = (): Promise<Ending | undefined> => this.#stop(instance, options);
      return this.#workshop.struck.has(instance) ? this.#turns.take(stop) : stop();
    });
  }

  /** Drops what is known of a sandbox. */
  forget(instance: string): void {
    this.#endings.delete(instance);
    this.#unnoted.delete(instance);
  }

  /** Writes down what is not yet; safe to call twice. */
  close(): void {
    this.#noteLeft();
  }

  /**
   * Ends one that was killed with all others: its program was let run, so nothing more is started
   * under its claim, and how it ended is written down only if the journal is not told soon.
   */
  async #stopFelled(
    instance: string,
    { deadlineMs, by }: StopOptions,
  ): Promise<Ending | undefined> {
    const known = this.#endings.get(instance);
    if (known !== undefined) return known;
    const { ended, emptied, struck, parts } = this.#workshop;
    const [felled, tree] = [this.#workshop.felled(instance), parts.containment.cgroups];
    if (felled === undefined || tree === undefined || ended.has(instance)) return undefined;
    const deadlineAtMs = performance.now() + Math.min(deadlineMs, dyingMs);
    const end = await this.#felled.end(felled, { tree, deadlineAtMs });
    // Who was asked to end before has ended it meanwhile, and knows more of it.
    if (end === undefined || ended.has(instance)) return undefined;
    if (struck.has(instance)) {
      ended.set(instance, end.used);
      emptied.set(instance, felled.cgroup);
    }
    const evidence = seenEvidence(end, parts.containment.rung);
    const hits = hitsWithoutFrame(end.hits);
    const { used } = end;
    const stopped = { evidence, used, hits, wasAlive: true, isAsked: false, isEnclosed: true };
    const note = (noted: Noted): boolean => this.#noteSoon(noted);
    const ending = await this.#conclude(instance, stopped, { by, note });
    if (struck.has(instance)) this.#endings.set(instance, ending);
    // Forgotten meanwhile, it is another's to tell.
    else {
      this.#workshop.forget(instance);
      this.forget(instance);
    }
    return ending;
  }

  async #stop(instance: string, options: StopOptions): Promise<Ending | undefined> {
    const { lookout } = this.#workshop.parts;
    // Nothing that goes wrong here keeps the sweep from happening: it is told afterwards.
    const failure = await this.#forbidStart(instance);
    // After the permit is gone: whatever did become a program is in the record by now.
    const record = await readRecord(lookout.folder(instance));
    if (!lookout.canSee(record)) return undefined;
    const enclosure = await this.#workshop.enclosureOf(record);
    const stopped = await (enclosure === undefined || record === undefined
      ? this.#stopGroup(instance, record, options)
      : this.#stopEnclosure(enclosure, record, options));
    if (stopped === undefined) return undefined;
    if (failure instanceof Error) throw failure;
    const note = (noted: Noted): boolean => this.#note(noted);
    return this.#conclude(instance, stopped, { by: options.by, note });
  }

  async #conclude(instance: string, stopped: Stopped, so: Conclusion): Promise<Ending> {
    await this.#workshop.pumps.get(instance)?.drained(drainMs);
    const { book, pumps, struck, parts } = this.#workshop;
    const folder = parts.lookout.folder(instance);
    const counted = [...stopped.hits, ...(await readHits(folder))];
    const hits = book.hits(instance, counted, pumps.get(instance)?.overflow());
    // What one order has killed was ended by whoever gave it.
    const by = struck.get(instance)?.by ?? so.by;
    const outcome = await this.#outcome(instance, { ...stopped, hits }, { ...so, by });
    return { instance, evidence: stopped.evidence, outcome, hits };
  }

  /** Removes the permit, or lays a claim without one; answers what went wrong, if something did. */
  async #forbidStart(instance: string): Promise<unknown> {
    const { lookout } = this.#workshop.parts;
    const folder = lookout.folder(instance);
    const record = lookout.newRecord(instance, [], this.#workshop.newEnclosure());
    try {
      const isClaimed = (await readdir(folder).catch(() => [])).length > 0;
      if (isClaimed || !(await layClaim(folder, { record, files: {}, permitted: false }))) {
        await withdrawPermit(folder);
      }
      return undefined;
    } catch (error) {
      return asStorageFault(error, `forbidding the start of ${instance}`);
    }
  }

  async #stopGroup(
    instance: string,
    record: ProcessRecord | undefined,
    { graceMs, deadlineMs }: StopOptions,
  ): Promise<Stopped | undefined> {
    const { lookout } = this.#workshop.parts;
    const first = record?.process ?? undefined;
    const isValid = record !== undefined && lookout.isOfThisBoot(record);
    if (graceMs === 0 && isValid && first !== undefined) holdFirst(first);
    const list = lookout.lister(instance, record);
    const before = await list();
    const wasAlive = before.members.some((row) => row.pid === record?.process?.pid);
    const isAsked = graceMs > 0 && before.members.length > 0 && !isFrozen(before.members);
    if (isAsked) await ask(list, performance.now() + graceMs);
    const folder = lookout.folder(instance);
    const note = (count: number): void => noteCount(folder, count);
    const sweptCount = await sweep(list, performance.now() + deadlineMs, note);
    if (sweptCount === undefined || before.includesSelf) return undefined;
    const evidence = sweptEvidence(Math.max(sweptCount, readCount(folder)), record);
    return { evidence, used: {}, hits: [], wasAlive, isAsked, isEnclosed: false };
  }

  async #stopEnclosure(
    found: Enclosure,
    record: ProcessRecord,
    { graceMs, deadlineMs }: StopOptions,
  ): Promise<Stopped | undefined> {
    const { instance } = record;
    const list = this.#workshop.parts.lookout.lister(instance, record);
    const struckCount = this.#workshop.struck.get(instance)?.count ?? 0;
    const wasAlive = struckCount > 0 || (await found.isAlive());
    const isAsked = graceMs > 0 && wasAlive && (await this.#ask(found, { list, record, graceMs }));
    const deadlineAtMs = performance.now() + deadlineMs;
    if (struckCount > 0)
      await found.hasEndedBy(Math.min(deadlineAtMs, performance.now() + dyingMs));
    const enclosure = found.wasStarted
      ? found
      : await this.#overtake(record, { list, deadlineAtMs });
    const end = enclosure && (await this.#endOnce(instance, enclosure, deadlineAtMs));
    if (end === undefined) return undefined;
    const notedCount = readCount(this.#workshop.parts.lookout.folder(instance));
    const killedCount = Math.max(end.killedCount, struckCount, notedCount);
    const seen = { ...end, killedCount };
    const { used } = end;
    const hits = hitsWithoutFrame(end.hits);
    const evidence = seenEvidence(seen, record.enclosure?.rung ?? "unknown");
    return { evidence, used, hits, wasAlive, isAsked, isEnclosed: true };
  }

  /**
   * Ends an enclosure. Those who do so at the same time share one end, and those who come later
   * are told what it had used: with the group goes what it has counted.
   */
  async #endOnce(
    instance: string,
    enclosure: Enclosure,
    deadlineAtMs: number,
  ): Promise<EnclosureEnd | undefined> {
    const { ended } = this.#workshop;
    const shared = await this.#ends.get(instance)?.catch(() => undefined);
    if (shared !== undefined) return shared;
    const folder = this.#workshop.parts.lookout.folder(instance);
    const note = (count: number): void => noteCount(folder, count);
    const ending = enclosure.end(deadlineAtMs, note).then((end) => {
      if (end === undefined) return undefined;
      const used = { ...end.used, ...ended.get(instance) };
      ended.set(instance, used);
      return { ...end, used };
    });
    this.#ends.set(instance, ending);
    try {
      return await ending;
    } finally {
      if (this.#ends.get(instance) === ending) this.#ends.delete(instance);
    }
  }

  /** Asks what runs inside to end, and waits until it has or the grace is over. */
  async #ask(
    enclosure: Enclosure,
    asked: { readonly list: Lister; readonly record: ProcessRecord; readonly graceMs: number },
  ): Promise<boolean> {
    const found = await asked.list();
    // The keeper and the wrapper have nobody to tell: they end when the program does.
    const members = found.members.filter((row) => !enclosure.isFrame(row));
    const folder = this.#workshop.parts.lookout.folder(asked.record.instance);
    const isStill = existsSync(join(folder, OWN_FILES.frozen)) || isFrozen(members);
    if (members.length === 0 || isStill) return false;
    request({ ...found, members });
    await enclosure.hasEndedBy(performance.now() + asked.graceMs);
    return true;
  }

  /**
   * Ends a start that has not come to its program: launcher, wrapper and keeper are swept as any
   * processes are. Answers what there is then, for the keeper may have come on record meanwhile.
   */
  async #overtake(
    { instance }: ProcessRecord,
    { list, deadlineAtMs }: { readonly list: Lister; readonly deadlineAtMs: number },
  ): Promise<Enclosure | undefined> {
    if ((await sweep(list, deadlineAtMs)) === undefined) return undefined;
    const { lookout } = this.#workshop.parts;
    return this.#workshop.enclosureOf(await readRecord(lookout.folder(instance)));
  }

  async #outcome(instance: string, stopped: Stopped, so: Conclusion): Promise<Outcome> {
    const { lookout, children } = this.#workshop.parts;
    const { known } = this.#workshop;
    const folder = lookout.folder(instance);
    const exit = (await children.exitOf(instance, exitMs)) ?? (await readExit(folder));
    const prior = { ...(await readEnded(folder)), ...known.get(instance) };
    const outcome = outcomeOf({ ...stopped, exit, prior, by: so.by });
    const { exit_code: _code, signal: _signal, ...ended } = outcome;
    known.set(instance, { ...ended, ...known.get(instance) });
    const limits_hit = stopped.hits;
    const noted = { ...outcome, limits_hit, ...(exit && { exit }) };
    if (so.note({ instance, ended: noted }) && exit !== undefined) children.dropExit(instance);
    return outcome;
  }

  /** So that a stop repeated after a crash tells the same; without it the end is no less true. */
  #note({ instance, ended }: Noted): boolean {
    const { lookout, log } = this.#workshop.parts;
    try {
      const folder = lookout.folder(instance);
      noteOver(OWN_FILES.withdrawn, { folder, name: OWN_FILES.ended, value: ended });
      return true;
    } catch (error) {
      // Somebody else has ended and forgotten it meanwhile: there is nothing left to be told.
      const isForgotten = codeOf(error) === "ENOENT";
      if (!isForgotten)
        log.warn("an outcome could not be kept", { instance, error: String(error) });
      return false;
    }
  }

  #noteSoon(noted: Noted): boolean {
    this.#unnoted.set(noted.instance, noted);
    this.#noting ??= setTimeout(() => this.#noteLeft(), noteAfterMs).unref();
    return true;
  }

  #noteLeft(): void {
    clearTimeout(this.#noting);
    this.#noting = undefined;
    const { lookout } = this.#workshop.parts;
    for (const noted of this.#unnoted.values()) {
      // Another has ended it too, and has told more: he was first.
      const isNoted = existsSync(join(lookout.folder(noted.instance), OWN_FILES.ended));
      if (!isNoted) this.#note(noted);
    }
    this.#unnoted.clear();
  }
}

function sweptEvidence(killedCount: number, record: ProcessRecord | undefined): Evidence {
  const facts = {
    listings: EMPTY_LISTINGS,
    killed: killedCount,
    rung: "process-group",
    missed,
    started: record === undefined ? "unknown" : record.process !== null,
  };
  return { grade: "swept", facts };
}

function seenEvidence(end: EnclosureEnd, rung: string): Evidence {
  const facts = {
    killed: end.killedCount,
    rung,
    // Where the program was never let run there may have been none.
    namespace: "gone",
    cgroup: end.cgroup,
    started: end.wasStarted,
  };
  return { grade: "observed", facts };
}
