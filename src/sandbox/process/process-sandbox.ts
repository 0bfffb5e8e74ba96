// Runs workers as processes of this host, on one of three rungs of containment. A sandbox goes
// through these states, all of them on disk:
//
//     claimed ──▶ waiting ──▶ enclosed ──▶ running ──▶ exited ──▶ ended ──▶ forgotten
//     folder      record has   record has    program    exit.json  ended.json  no folder
//     appears     a process    its keeper    is exec'd
//                              (upper rungs)
//
// stop() leads from any of them to `ended`, and from no sandbox at all too: then its own claim
// keeps a start that it has overtaken from running anything.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ok } from "../../kernel/assert.ts";
import type { HitMeasure, LimitHit } from "../../kernel/worker/limit.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import { type Log, SILENT } from "../../ports/log.ts";
import type {
  Ending,
  GroundMounts,
  Sandbox,
  SandboxExhibit,
  SandboxLimits,
  SandboxRecord,
  SandboxSpec,
  SandboxUse,
} from "../../ports/sandbox.ts";
import { hostId } from "../../system/host.ts";
import { readProcess } from "../../system/process.ts";
import { asStorageFault } from "../../system/storage-fault.ts";
import type { Cgroup } from "../cgroup/cgroup.ts";
import { isPlainName, openClaims, putAside } from "../folder/claim.ts";
import { Debris } from "../folder/debris.ts";
import { Children } from "./children.ts";
import { exhibitOf } from "../exhibit.ts";
import { Freezer } from "./freezer.ts";
import { demandLaunchable } from "./launcher.ts";
import { Lookout } from "./lookout.ts";
import { trimOutput } from "./output.ts";
import { noteDocument } from "../folder/document.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { readRecord } from "./record.ts";
import { contain } from "./rung/containment.ts";
import { HiddenFolders } from "../folder/hidden.ts";
import type { RungName } from "./rung/probe.ts";
import { Starter } from "./starter.ts";
import { Stopper, type StopOptions } from "./end/stopper.ts";
import { Walls } from "../end/walls.ts";
import { hitsWithoutFrame, type OpenSink, withFrame, withoutFrame, Workshop } from "./workshop.ts";

/** What a worker's output may grow to before its older half is dropped, bytes. */
const outputBytesMax = 8 * 2 ** 20;
const trimEveryMs = 1_000;

/** Who ends a worker whose time is over, as its outcome names it. */
const WALL = "wall_ms";

/** A folder that is a sandbox's own wherever it has any. */
const SCRATCH = "/dev/shm";

/** Where a process sandbox keeps its records, for whom, and how it contains what it starts. */
export interface ProcessSandboxOptions {
  /** The fleet's state folder, which exists; sandboxes lie in its folder `sandboxes`. */
  readonly stateFolder: string;
  /** The fleet's id: 1 to 128 letters, digits, ".", "_" and "-". */
  readonly fleet: string;
  /** Names this host; {@link hostId} by default. */
  readonly host?: string;
  /** A file without which nothing is started; for a kill switch that needs no free disk. */
  readonly permitFile?: string;
  /**
   * The rung of containment for what is started; `process-group` by default. `best` is the best
   * that works here. What others have started is ended on whatever rung it is.
   */
  readonly rung?: RungName | "best";
  /** Whether control groups are used where there are any; true by default. */
  readonly usesCgroups?: boolean;
  /** Folders that no sandbox may see: state and runtime folder. Of no effect on the lowest rung. */
  readonly hidden?: readonly string[];
  /** Files and folders that every sandbox is to see, though they lie in a folder like `/tmp`. */
  readonly shown?: readonly string[];
  /**
   * Takes the output of a sandbox that is started. By default it goes straight to a file in the
   * sandbox's folder, so that a worker may outlive this process.
   */
  readonly output?: OpenSink;
  /**
   * What an output file may grow to before its older half is dropped, where a start does not say;
   * 8 MiB by default.
   */
  readonly outputBytesMax?: number;
  readonly log?: Log;
}

/**
 * Opens the driver that runs workers as processes of this user.
 *
 * On the upper two rungs a worker has namespaces of its own, sees neither hidden folders nor other
 * processes, dies with the process that opened this driver, and its end is `observed`. On the
 * lowest (`same_user`) it can do to state folder, keys and other workers what this process can; and
 * its end is `swept`, because a process that starts a session of its own, drops its marks from its
 * environment and outlives its parent is not found again.
 *
 * Throws `Fault` `sandbox_unavailable` where there is no /proc (macOS, Windows) or the rung that is
 * asked for does not work, `storage_*` when the folder cannot be made.
 */
export async function openProcessSandbox(options: ProcessSandboxOptions): Promise<Sandbox> {
  const { fleet, host = hostId(), log = SILENT, usesCgroups = true } = options;
  ok(isPlainName(fleet), `a fleet id must be a plain name, got ${fleet}`);
  if (readProcess(process.pid) === undefined) {
    const message = `process sandboxes must have Linux's /proc, got ${process.platform}`;
    throw new Fault("sandbox_unavailable", message);
  }
  const root = await openClaims(options.stateFolder);
  const { rung = "process-group", permitFile, output } = options;
  const containment = await contain({ rung, fleet, usesCgroups });
  const hidden = new HiddenFolders(containment.wrap === undefined ? [] : (options.hidden ?? []));
  const lookout = new Lookout({ root, fleet, host });
  const children = new Children(log);
  const parts = { lookout, children, containment, log, usesCgroups, permitFile, output };
  return new ProcessSandbox(
    new Workshop({ ...parts, hidden, shown: options.shown ?? [] }),
    options,
  );
}

class ProcessSandbox implements Sandbox {
  readonly #workshop: Workshop;
  readonly #lookout: Lookout;
  readonly #children: Children;
  readonly #starter: Starter;
  readonly #stopper: Stopper;
  readonly #freezer: Freezer;
  readonly #walls: Walls;
  readonly #debris: Debris;
  readonly #outputBytesMax: number;
  readonly #isFiled: boolean;
  readonly #trimming: NodeJS.Timeout;
  #isClosed = false;

  constructor(workshop: Workshop, options: ProcessSandboxOptions) {
    const { lookout, children, log } = workshop.parts;
    this.#workshop = workshop;
    this.#lookout = lookout;
    this.#children = children;
    this.#starter = new Starter(workshop);
    this.#stopper = new Stopper(workshop);
    this.#freezer = new Freezer(workshop);
    this.#walls = new Walls((instance, spent) => this.#timeOut(instance, spent), log);
    this.#debris = new Debris(log);
    this.#outputBytesMax = options.outputBytesMax ?? outputBytesMax;
    // What is carried elsewhere has no file to be cut.
    this.#isFiled = workshop.parts.output === undefined;
    this.#trimming = setInterval(() => void this.#trimOwn(log), trimEveryMs).unref();
    children.onExit((instance) => this.#walls.drop(instance));
  }

  get degraded(): Sandbox["degraded"] {
    return this.#workshop.parts.containment.degraded;
  }

  get mounts(): GroundMounts | undefined {
    return this.degraded.includes("leases") ? undefined : this.#workshop.gifts;
  }

  get rung(): string {
    return this.#workshop.parts.containment.words;
  }

  folder(instance: string): string {
    ok(isPlainName(instance), `an instance must be a plain name, got ${instance}`);
    return this.#lookout.folder(instance);
  }

  async start(spec: SandboxSpec): Promise<SandboxRecord> {
    this.#demandOpen();
    const { instance } = spec;
    this.folder(instance);
    demandFiles(spec);
    demandLaunchable(spec);
    try {
      const beganAtMs = await this.#starter.start(spec);
      if (beganAtMs !== undefined && this.#children.isRunning(instance)) {
        this.#walls.begin(instance, beganAtMs, spec.limits?.wall_ms);
      }
    } catch (error) {
      throw asStorageFault(error, `starting ${instance}`);
    }
    // What is known to run need not be looked for among all processes of the host.
    const pid = this.#children.pidOf(instance);
    return pid === undefined ? this.#lookout.look(instance) : { instance, pid, seen: "alive" };
  }

  async list(): Promise<readonly SandboxRecord[]> {
    this.#demandOpen();
    await this.#workshop.clearGroups();
    const records = await this.#lookout.list((instance) => this.#children.pidOf(instance));
    // What others have started may have files all the same.
    const filed = records.filter(
      ({ instance }) => this.#isFiled || !this.#children.isOwn(instance),
    );
    await Promise.all(filed.map(({ instance }) => this.#trim(instance)));
    return records;
  }

  async freeze(instance: string): Promise<void> {
    this.#demandOpen();
    this.folder(instance);
    await this.#freezer.freeze(instance);
  }

  async thaw(instance: string): Promise<void> {
    this.#demandOpen();
    this.folder(instance);
    await this.#freezer.thaw(instance);
  }

  async stop(instance: string, options: StopOptions): Promise<Ending | undefined> {
    this.#demandOpen();
    this.folder(instance);
    return this.#stopper.stop(instance, options);
  }

  async strike(by: string): Promise<void> {
    this.#demandOpen();
    await this.#workshop.strike(by);
  }

  async limit(instance: string, limits: SandboxLimits): Promise<SandboxUse | undefined> {
    this.#demandOpen();
    const record = await readRecord(this.folder(instance));
    const cgroup = await this.#workshop.cgroupOf(record);
    const use = await cgroup?.limit(withFrame(limits));
    if (use !== undefined) return withoutFrame(use);
    if (limits.wall_ms !== undefined) this.#walls.set(instance, limits.wall_ms);
    return undefined;
  }

  async use(instance: string): Promise<SandboxUse | undefined> {
    this.#demandOpen();
    const known = this.#workshop.groups.get(instance);
    if (known !== undefined && this.#children.isRunning(instance))
      return withoutFrame(known.gauge());
    const cgroup = await this.#workshop.cgroupOf(await readRecord(this.folder(instance)));
    if (cgroup === undefined || (await cgroup.isEmpty())) return undefined;
    if (this.#children.isRunning(instance)) this.#workshop.groups.set(instance, cgroup);
    return withoutFrame(await cgroup.use());
  }

  async hits(instance: string): Promise<readonly LimitHit[]> {
    this.#demandOpen();
    const { book, pumps } = this.#workshop;
    const { cgroup, keeper } = await this.#insideOf(instance);
    if (book.needsLook(instance)) {
      const scratch = keeper === undefined ? undefined : { pid: keeper, at: SCRATCH };
      book.look(instance, { pids: (await cgroup?.glance()) ?? [], scratch });
    }
    const counted = hitsWithoutFrame((await cgroup?.hits()) ?? []);
    return book.hits(instance, counted, pumps.get(instance)?.overflow());
  }

  /** Where a sandbox is looked into; of what runs here that is known, and nothing is read. */
  async #insideOf(
    instance: string,
  ): Promise<{ readonly cgroup: Cgroup | undefined; readonly keeper: number | undefined }> {
    const { groups, insides } = this.#workshop;
    const isRunning = this.#children.isRunning(instance);
    const known = { cgroup: groups.get(instance), keeper: insides.get(instance)?.keeper };
    if (isRunning && known.cgroup !== undefined && known.keeper !== undefined) return known;
    const record = await readRecord(this.folder(instance));
    const cgroup = known.cgroup ?? (await this.#workshop.cgroupOf(record));
    if (cgroup !== undefined && isRunning) groups.set(instance, cgroup);
    return { cgroup, keeper: record?.enclosure?.init?.pid };
  }

  async examine(instance: string): Promise<SandboxExhibit | undefined> {
    this.#demandOpen();
    const record = await readRecord(this.folder(instance));
    const enclosure = await this.#workshop.enclosureOf(record);
    const { members } =
      enclosure === undefined
        ? await this.#lookout.lister(instance, record)()
        : { members: (await enclosure.inside()).map((pid) => ({ pid })) };
    const exhibit = exhibitOf(members.map(({ pid }) => pid));
    if (exhibit.process_count === 0) return undefined;
    const { memory_bytes = exhibit.memory_bytes } = (await this.use(instance)) ?? {};
    return { ...exhibit, memory_bytes };
  }

  async forget(instance: string): Promise<void> {
    this.#demandOpen();
    const folder = this.folder(instance);
    const isEnded = this.#workshop.ended.has(instance);
    if (!isEnded && (await this.#lookout.look(instance)).seen === "alive") {
      throw new Fault("sandbox_failed", `${instance} must have ended to be forgotten, it is alive`);
    }
    await this.#removeGroup(instance);
    try {
      const dropped = await putAside(folder);
      if (dropped !== undefined) this.#discard(dropped);
    } catch (error) {
      throw asStorageFault(error, `forgetting ${instance}`);
    }
    this.#children.forget(instance);
    this.#walls.drop(instance);
    this.#workshop.forget(instance);
    this.#stopper.forget(instance);
    await this.#workshop.pumps.get(instance)?.close();
    this.#workshop.pumps.delete(instance);
  }

  onExit(listener: (instance: string) => void): () => void {
    return this.#children.onExit(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#trimming);
    this.#walls.close();
    this.#stopper.close();
    this.#children.silence();
    await Promise.all([...this.#workshop.pumps.values()].map((pump) => pump.close()));
    this.#workshop.pumps.clear();
    for (const instance of this.#workshop.emptied.keys()) this.#discardGroup(instance);
    await this.#debris.close();
    this.#workshop.parts.hidden.close();
  }

  /** Ends a sandbox whose time is over; false when that is to be tried again. */
  async #timeOut(instance: string, spent: HitMeasure): Promise<boolean> {
    if (!this.#children.isRunning(instance)) return true;
    const folder = this.folder(instance);
    if (await this.#freezer.isFrozen(instance)) return false;
    const { known, parts, book } = this.#workshop;
    book.timeOver(instance, spent);
    const ended = { killed_by: WALL, timed_out: true } as const;
    known.set(instance, { ...ended, ...known.get(instance) });
    const noted = { ...ended, limits_hit: [{ limit: WALL, ...spent }] };
    await noteDocument(folder, OWN_FILES.ended, noted).catch((error: unknown) => {
      parts.log.info("an end could not be noted", { instance, error: String(error) });
    });
    const deadlineMs = LIMITS.killSweepMs;
    const ending = await this.#stopper.stop(instance, { graceMs: 0, deadlineMs, by: WALL });
    return ending !== undefined;
  }

  #discardGroup(instance: string): void {
    const { emptied } = this.#workshop;
    const empty = emptied.get(instance);
    if (empty === undefined) return;
    const remove = (): Promise<void> => empty.remove().finally(() => emptied.delete(instance));
    this.#debris.add({ what: `the control group of ${instance}`, remove });
  }

  #discard(folder: string): void {
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
    this.#debris.add({ what: folder, remove });
  }

  /**
   * Removes the control group of a sandbox that was never stopped: a stop removes it itself, but
   * for those of many that have ended together.
   */
  async #removeGroup(instance: string): Promise<void> {
    this.#discardGroup(instance);
    if (this.#workshop.ended.has(instance)) return;
    await (await this.#workshop.cgroupOf(await readRecord(this.folder(instance))))?.remove();
  }

  async #trim(instance: string): Promise<void> {
    const { book } = this.#workshop;
    const bytesMax = book.outputBytesOf(instance) ?? this.#outputBytesMax;
    const cut = await trimOutput(join(this.folder(instance), OWN_FILES.output), bytesMax);
    if (cut !== undefined) book.cut(instance, bytesMax, cut);
  }

  async #trimOwn(log: Log): Promise<void> {
    if (!this.#isFiled) return;
    for (const instance of this.#children.running()) {
      await this.#trim(instance).catch((error: unknown) => {
        log.warn("a worker's output could not be cut", { instance, error: String(error) });
      });
    }
  }

  #demandOpen(): void {
    if (this.#isClosed) throw new Fault("closed", "the sandboxes must be open, they were closed");
  }
}

function demandFiles(spec: SandboxSpec): void {
  const own: readonly string[] = Object.values(OWN_FILES);
  for (const name of Object.keys(spec.files)) {
    ok(isPlainName(name) && !own.includes(name), `a file must have a free plain name, got ${name}`);
  }
}
