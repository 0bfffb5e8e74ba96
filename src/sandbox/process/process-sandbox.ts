// The lowest rung of containment: a process group and session of its own, found again and swept
// by /proc. A sandbox goes through these states, all of them on disk:
//
//     claimed ──▶ waiting ──▶ running ──▶ exited ──▶ ended ──▶ forgotten
//     folder      record has   program     exit.json  ended.json  no folder
//     appears     a process    is exec'd
//
// stop() leads from any of them to `ended`, and from no sandbox at all too: then its own claim
// keeps a start that it has overtaken from running anything.

import type { ChildProcess } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ok } from "../../kernel/assert.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Evidence, Outcome } from "../../kernel/worker/evidence.ts";
import { Fault } from "../../ports/fault.ts";
import { type Log, SILENT } from "../../ports/log.ts";
import type { Ending, Sandbox, SandboxRecord, SandboxSpec } from "../../ports/sandbox.ts";
import { hostId } from "../../system/host.ts";
import { readProcess } from "../../system/process.ts";
import { asStorageFault } from "../../system/storage-fault.ts";
import { clearDebris, dropFolder, layClaim, withdrawPermit } from "./claim.ts";
import { Children } from "./children.ts";
import { awaitProgram, demandLaunchable, type Launch, letGo, spawnLauncher } from "./launcher.ts";
import { Lookout } from "./lookout.ts";
import { trimOutput } from "./output.ts";
import {
  type FirstProcess,
  OWN_FILES,
  type ProcessRecord,
  readExit,
  readKilledBy,
  readRecord,
  writeDocument,
} from "./record.ts";
import { ask, EMPTY_LISTINGS, freeze, isFrozen, type Lister, sweep, thaw } from "./sweep.ts";

/** What a worker's output may grow to before its older half is dropped, bytes. */
const outputBytesMax = 8 * 2 ** 20;
const trimEveryMs = 1_000;

/** How long a stop waits to be told how a process ended that this process started, ms. */
const exitMs = 1_000;
const startPauseMs = 10;

const idForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

const missed = "what left its group and dropped its marks is not excluded";

/** Where a process sandbox keeps its records, and for whom. */
export interface ProcessSandboxOptions {
  /** The fleet's state folder, which exists; sandboxes lie in its folder `sandboxes`. */
  readonly stateFolder: string;
  /** The fleet's id: 1 to 128 letters, digits, ".", "_" and "-". */
  readonly fleet: string;
  /** Names this host; {@link hostId} by default. */
  readonly host?: string;
  /** A file without which nothing is started; for a kill switch that needs no free disk. */
  readonly permitFile?: string;
  /** What a worker's output may grow to before its older half is dropped; 8 MiB by default. */
  readonly outputBytesMax?: number;
  readonly log?: Log;
}

/**
 * Opens the driver that runs workers as plain processes of this user, and sweeps them by /proc.
 *
 * Weaker than asked: `same_user`, because a worker can do to state folder, keys and other workers
 * what this process can; and its evidence is `swept`, because a process that starts a session of
 * its own, drops its marks from its environment and outlives its parent is not found again.
 * Throws `Fault` `sandbox_unavailable` where there is no /proc (macOS, Windows), `storage_*` when
 * the folder cannot be made.
 */
export async function openProcessSandbox(options: ProcessSandboxOptions): Promise<Sandbox> {
  ok(idForm.test(options.fleet), `a fleet id must be a plain name, got ${options.fleet}`);
  if (readProcess(process.pid) === undefined) {
    const message = `process sandboxes must have Linux's /proc, got ${process.platform}`;
    throw new Fault("sandbox_unavailable", message);
  }
  const root = join(options.stateFolder, "sandboxes");
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await clearDebris(root);
  } catch (error) {
    throw asStorageFault(error, `opening ${root}`);
  }
  return new ProcessSandbox(root, options);
}

type StopOptions = Parameters<Sandbox["stop"]>[1];

class ProcessSandbox implements Sandbox {
  readonly degraded = ["same_user"];
  readonly rung = "process group, swept";
  readonly #options: ProcessSandboxOptions;
  readonly #lookout: Lookout;
  readonly #children: Children;
  readonly #trimming: NodeJS.Timeout;
  #isClosed = false;

  constructor(root: string, options: ProcessSandboxOptions) {
    const { fleet, host = hostId(), log = SILENT } = options;
    this.#options = options;
    this.#lookout = new Lookout({ root, fleet, host });
    this.#children = new Children(log);
    this.#trimming = setInterval(() => void this.#trimOwn(log), trimEveryMs).unref();
  }

  folder(instance: string): string {
    ok(idForm.test(instance), `an instance must be a plain name, got ${instance}`);
    return this.#lookout.folder(instance);
  }

  async start(spec: SandboxSpec): Promise<SandboxRecord> {
    this.#demandOpen();
    const { instance } = spec;
    const folder = this.folder(instance);
    demandFiles(spec);
    demandLaunchable(spec);
    const { fleet, host } = this.#lookout.place;
    const { permitFile } = this.#options;
    const record = this.#lookout.newRecord(instance, spec.run);
    try {
      const content = { record, files: spec.files, permitted: true };
      if (await layClaim(folder, content)) {
        await this.#launch({ spec, folder, fleet, host, permitFile }, record);
      }
    } catch (error) {
      throw asStorageFault(error, `starting ${instance}`);
    }
    return this.#lookout.look(instance);
  }

  async list(): Promise<readonly SandboxRecord[]> {
    this.#demandOpen();
    const records = await this.#lookout.list();
    for (const { instance } of records) await this.#trim(instance);
    return records;
  }

  async freeze(instance: string): Promise<void> {
    this.#demandOpen();
    const deadline = performance.now() + LIMITS.killSweepMs;
    const folder = this.folder(instance);
    let record = await readRecord(folder);
    while (this.#lookout.isStarting(record) && performance.now() < deadline) {
      await sleep(startPauseMs);
      record = await readRecord(folder);
    }
    const list = await this.#reach(instance, record);
    if (await freeze(list, deadline)) return;
    const message = `${instance} must be frozen within ${LIMITS.killSweepMs} ms, some of it runs`;
    throw new Fault("sandbox_failed", message, { retryable: true });
  }

  async thaw(instance: string): Promise<void> {
    this.#demandOpen();
    const list = await this.#reach(instance, await readRecord(this.folder(instance)));
    if (await thaw(list, performance.now() + LIMITS.killSweepMs)) return;
    const message = `${instance} must run within ${LIMITS.killSweepMs} ms, some of it is stopped`;
    throw new Fault("sandbox_failed", message, { retryable: true });
  }

  async stop(instance: string, options: StopOptions): Promise<Ending | undefined> {
    this.#demandOpen();
    const folder = this.folder(instance);
    // Nothing that goes wrong here keeps the sweep from happening: it is told afterwards.
    const failure = await this.#forbidStart(instance);
    // After the permit is gone: whatever did become a program is in the record by now.
    const record = await readRecord(folder);
    if (!this.#lookout.canSee(record)) return undefined;
    const list = this.#lookout.lister(instance, record);
    const before = await list();
    const wasAlive = before.members.some((row) => row.pid === record?.process?.pid);
    const isAsked = options.graceMs > 0 && before.members.length > 0 && !isFrozen(before.members);
    if (isAsked) await ask(list, performance.now() + options.graceMs);
    const killedCount = await sweep(list, performance.now() + options.deadlineMs);
    if (killedCount === undefined || before.includesSelf) return undefined;
    if (failure instanceof Error) throw failure;
    const outcome = await this.#outcome(instance, { ...options, wasAlive, isAsked });
    return { instance, evidence: sweptEvidence(killedCount, record), outcome };
  }

  async forget(instance: string): Promise<void> {
    this.#demandOpen();
    const folder = this.folder(instance);
    const { seen } = await this.#lookout.look(instance);
    if (seen === "alive") {
      throw new Fault("sandbox_failed", `${instance} must have ended to be forgotten, it is alive`);
    }
    try {
      await dropFolder(folder);
    } catch (error) {
      throw asStorageFault(error, `forgetting ${instance}`);
    }
    this.#children.forget(instance);
  }

  onExit(listener: (instance: string) => void): () => void {
    return this.#children.onExit(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#trimming);
    this.#children.silence();
  }

  /** Starts a launcher, writes it down, and lets it become the program. */
  async #launch(launch: Launch, record: ProcessRecord): Promise<void> {
    const { folder, spec } = launch;
    let child: ChildProcess | undefined;
    try {
      child = await spawnLauncher(launch);
      this.#children.watch(spec.instance, folder, child);
      const process = identify(child.pid);
      await writeDocument(folder, OWN_FILES.record, { ...record, process });
      letGo(child);
      await awaitProgram(child, launch);
    } catch (error) {
      await withdrawPermit(folder);
      // Without its "go" the launcher would exit by itself; killing it only makes that sooner.
      child?.stdio[3]?.destroy();
      child?.kill("SIGKILL");
      await this.#children.exitOf(spec.instance, exitMs);
      throw error;
    }
  }

  /** Removes the permit, or lays a claim without one; answers what went wrong, if something did. */
  async #forbidStart(instance: string): Promise<unknown> {
    const folder = this.folder(instance);
    const record = this.#lookout.newRecord(instance, []);
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

  async #reach(instance: string, record: ProcessRecord | undefined): Promise<Lister> {
    const list = this.#lookout.lister(instance, record);
    if (!this.#lookout.canSee(record)) {
      const message = `${instance} must be in this namespace of pids, it is in another`;
      throw new Fault("sandbox_failed", message);
    }
    if (!(await list()).includesSelf) return list;
    throw new Fault("sandbox_failed", `${instance} must not hold the process that acts on it`);
  }

  async #outcome(
    instance: string,
    stop: { readonly by: string; readonly wasAlive: boolean; readonly isAsked: boolean },
  ): Promise<Outcome> {
    const folder = this.folder(instance);
    const exit = (await this.#children.exitOf(instance, exitMs)) ?? (await readExit(folder));
    const { code = null, signal = null } = exit ?? {};
    // Nobody exits with a code of SIGKILL: it was quicker than the sweep.
    const endedItself = code !== null && !stop.isAsked;
    const killedBy =
      (await readKilledBy(folder)) ?? (stop.wasAlive && !endedItself ? stop.by : undefined);
    const outcome: Outcome = {
      ...(code === null ? {} : { exit_code: code }),
      ...(signal === null ? {} : { signal }),
      ...(killedBy === undefined ? {} : { killed_by: killedBy }),
    };
    // So that a stop repeated after a crash tells the same; without it the end is no less true.
    await writeDocument(folder, OWN_FILES.ended, outcome).catch((error: unknown) => {
      this.#options.log?.warn("an outcome could not be kept", { instance, error: String(error) });
    });
    return outcome;
  }

  async #trim(instance: string): Promise<void> {
    const file = join(this.folder(instance), OWN_FILES.output);
    await trimOutput(file, this.#options.outputBytesMax ?? outputBytesMax);
  }

  async #trimOwn(log: Log): Promise<void> {
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

function identify(pid: number | undefined): FirstProcess {
  ok(pid !== undefined && pid > 1, "a spawned launcher has a pid");
  const status = readProcess(pid);
  if (status !== undefined && status.groupId === pid && status.sessionId === pid) {
    return { pid, start_ticks: status.startTicks, group: pid, session: pid };
  }
  throw new Fault("sandbox_failed", "a launcher must lead its own group and session, it did not");
}

function demandFiles(spec: SandboxSpec): void {
  const own: readonly string[] = Object.values(OWN_FILES);
  for (const name of Object.keys(spec.files)) {
    ok(idForm.test(name) && !own.includes(name), `a file must have a free plain name, got ${name}`);
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
