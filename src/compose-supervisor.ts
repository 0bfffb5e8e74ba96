// One of the files that know adapters: what a process needs that is the supervisor of a fleet. Apart
// from compose.ts, because its servers and logs would cost every other start a fifth of its time.

import { realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { sqlite, thisMachine } from "./compose.ts";
import type { ProcessIdentity } from "./kernel/command.ts";
import { ensureKilledFolder } from "./library/store/killed-fleets.ts";
import { permitFile } from "./library/store/permit.ts";
import { Fault } from "./ports/fault.ts";
import { SILENT, type Log } from "./ports/log.ts";
import type { Sandbox } from "./ports/sandbox.ts";
import { openOutput } from "./output/writer.ts";
import { dropOldOutputs } from "./output/retention.ts";
import { openProcessSandbox } from "./sandbox/process/process-sandbox.ts";
import { readBootId } from "./system/boot.ts";
import { hostId } from "./system/host.ts";
import { runtimePlaces, statePlaces } from "./system/places.ts";
import { readProcess } from "./system/process.ts";
import { VERSION } from "./system/version.ts";
import { openLogFile } from "./supervisor/log-file.ts";
import { openSupervisor, type Supervisor } from "./supervisor/supervisor.ts";
import { AlreadySupervised } from "./supervisor/claim/takeover.ts";
import type { SupervisorWorld } from "./supervisor/world.ts";

export { AlreadySupervised };

/** How a supervisor is run. */
export interface SuperviseOptions {
  /** The state folder; it must hold a fleet and its secret. */
  readonly dir: string;
  /** How long it stays without workers and requests, ms; 10 minutes by default. */
  readonly idleMs?: number;
  /** The rung of containment; the best that works here by default. */
  readonly rung?: "best" | "cgroup" | "pid-namespace" | "process-group";
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
  const folder = realpathOf(resolve(options.dir));
  const [state, runtime] = [statePlaces(folder), runtimePlaces(folder)];
  const file = options.log === undefined ? openLogFile(state.log) : undefined;
  const log = options.log ?? file ?? SILENT;
  const killed = await ensureKilledFolder();
  const openDriver = (fleet: string): Promise<Sandbox> => {
    const sandboxed = {
      stateFolder: folder,
      fleet,
      host: hostId(),
      permitFile: permitFile(folder, fleet),
      rung: options.rung ?? ("best" as const),
      hidden: [folder, dirname(runtime.dir), killed],
      output: (instance: string) => openOutput(state.output, instance),
      log,
    };
    return openProcessSandbox(sandboxed);
  };
  const world: SupervisorWorld = {
    ...thisMachine(),
    log,
    state,
    runtime,
    version: VERSION,
    openStore: () => sqlite({ dir: folder }).open({ create: false }),
    openDriver,
    identify,
    retainOutput: async (live) => {
      await dropOldOutputs(state.output, { isLive: (instance) => live.has(instance) });
    },
  };
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
