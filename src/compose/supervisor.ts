// One of the files that know adapters: what a process needs that is the supervisor of a fleet.
// Apart from library.ts, because its servers and its log would slow down every other start.

import { realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type DriverChoice, keepDriverChoice, readDriverChoice } from "./driver-choice.ts";
import { sqlite, thisMachine } from "./library.ts";
import type { ProcessIdentity } from "../kernel/command.ts";
import { ensureKilledFolder } from "../permit/killed-fleets.ts";
import { Fault } from "../ports/fault.ts";
import { SILENT, type Log } from "../ports/log.ts";
import type { Sandbox } from "../ports/sandbox.ts";
import { openOutput } from "../output/writer.ts";
import { dropOldOutputs } from "../output/retention.ts";
import { openSandboxes } from "../sandbox/drivers.ts";
import { readBootId } from "../system/boot.ts";
import { userFolder } from "../system/folders.ts";
import { hostId } from "../system/host.ts";
import { installation } from "../system/installation.ts";
import { permitFile, runtimePlaces, type StatePlaces, statePlaces } from "../system/places.ts";
import { readProcess } from "../system/process.ts";
import { VERSION } from "../system/version.ts";
import { openLogFile } from "../supervisor/log-file.ts";
import { openSupervisor, type Supervisor } from "../supervisor/supervisor.ts";
import { AlreadySupervised } from "../supervisor/claim/takeover.ts";
import type { SupervisorWorld } from "../supervisor/world.ts";

export { AlreadySupervised };

/** How a supervisor is run. */
export interface SuperviseOptions {
  /** The state folder; it must hold a fleet and its secret. */
  readonly dir: string;
  /** How long it stays without workers and requests, ms; 10 minutes by default. */
  readonly idleMs?: number;
  /** The rung of containment; the best that works here by default. */
  readonly rung?: "best" | "cgroup" | "pid-namespace" | "process-group";
  /**
   * What new workers are run in. What is said once holds for the supervisors of this fleet that
   * come, until another is said; processes at first.
   */
  readonly driver?: DriverChoice;
  /** Where it tells what an operator should look at; `supervisor.log` in the folder by default. */
  readonly log?: Log;
}

/**
 * Makes this process the supervisor of a fleet on this host; see {@link openSupervisor}. Its
 * sandboxes are children of this process.
 *
 * Throws `AlreadySupervised` when another process is, `Fault` `journal_missing`, `secret_missing`,
 * and those of the store.
 */
export async function supervise(options: SuperviseOptions): Promise<Supervisor> {
  const state = statePlaces(realpathOf(resolve(options.dir)));
  const file = options.log === undefined ? openLogFile(state.log) : undefined;
  const log = options.log ?? file ?? SILENT;
  const world = await worldOf(state, { ...options, log });
  try {
    const { idleMs } = options;
    const supervisor = await openSupervisor(world, idleMs === undefined ? {} : { idleMs });
    const closeLog = (): void => file?.close();
    void supervisor.untilLeft().then(closeLog, closeLog);
    return supervisor;
  } catch (error) {
    if (!(error instanceof AlreadySupervised)) log.warn("could not serve", { error });
    file?.close();
    throw error;
  }
}

/** What a supervisor of a state folder needs, put together; nothing in it is open yet. */
export async function worldOf(
  state: StatePlaces,
  options: SuperviseOptions & { readonly log: Log },
): Promise<SupervisorWorld> {
  const { dir: folder } = state;
  const { log } = options;
  const runtime = runtimePlaces(folder);
  const killed = await ensureKilledFolder();
  const claims = userFolder("supervised");
  // It is to be kept from workers, and what is not there cannot be covered.
  await mkdir(claims, { recursive: true, mode: 0o700 }).catch(() => undefined);
  const compiled = await ensureCompiledFolder();
  const openDriver = async (fleet: string): Promise<Sandbox> => {
    const choice = options.driver ?? (await readDriverChoice(state.driver));
    const sandboxed = {
      containers: choice.driver === "container" ? choice : undefined,
      stateFolder: folder,
      fleet,
      host: hostId(),
      permitFile: permitFile(folder, fleet),
      rung: options.rung ?? ("best" as const),
      hidden: [folder, dirname(runtime.dir), killed, claims, ...compiled],
      shown: installation(),
      output: (instance: string, bytesMax: number | undefined) =>
        openOutput(state.output, instance, bytesMax === undefined ? {} : { bytesMax }),
      log,
    };
    const driver = await openSandboxes(sandboxed);
    // Only what works is kept.
    if (options.driver !== undefined) await keepDriverChoice(state.driver, options.driver);
    return driver;
  };
  return {
    ...thisMachine(),
    log,
    state,
    runtime,
    claims,
    version: VERSION,
    openStore: () => sqlite({ dir: folder }).open({ create: false }),
    openDriver,
    identify,
    retainOutput: async (live) => {
      await dropOldOutputs(state.output, { isLive: (instance) => live.has(instance) });
    },
  };
}

function realpathOf(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    const message = `a state folder must be at ${folder}, there is none`;
    throw new Fault("journal_missing", message, { cause: error });
  }
}

/** A process of this host as others find it again; undefined when it is over. */
function identify(pid: number): ProcessIdentity | undefined {
  const startTicks = readProcess(pid)?.startTicks;
  if (startTicks === undefined) return undefined;
  return { host_id: hostId(), pid, started: `${readBootId()}/${startTicks}` };
}

/**
 * The folder of the code that bin/stint.cjs keeps compiled: what a worker writes there would run as
 * the operator at the next command. Created, for what is not there cannot be covered; none where
 * there is no home to make it in.
 */
async function ensureCompiledFolder(): Promise<readonly string[]> {
  const given = process.env["XDG_CACHE_HOME"];
  try {
    const base = given === undefined || given === "" ? join(homedir(), ".cache") : given;
    const folder = resolve(base, "stint");
    await mkdir(join(folder, "compiled"), { recursive: true, mode: 0o700 });
    return [folder];
  } catch {
    // A home that cannot be written to holds no compiled code either.
    return [];
  }
}
