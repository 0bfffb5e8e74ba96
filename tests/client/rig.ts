// What tests of the client stand on: real supervisors, which are gone when their test is over.

import { fileURLToPath } from "node:url";
import { openFleet, sqlite, type ContractOptions, type Fleet, type FleetOptions } from "stint";
import { onTestFinished } from "vitest";
import { startSupervisor } from "../../src/client/start-supervisor.ts";
import type { Supervision } from "../../src/ports/supervision.ts";
import { makeFolder } from "../library/rig.ts";
import { awaitGone, listProcesses, type ProcessRow } from "../support/process-table.ts";

const PROGRAM = fileURLToPath(new URL("./supervise.case.ts", import.meta.url));

/** How long a process that was told to end may take, ms. */
const endMs = 10_000;

/** A rung of containment. */
export type Rung = "best" | "cgroup" | "pid-namespace" | "process-group";

/** A contract that lets everything through that a test is not about. */
export const LENIENT: ContractOptions = {
  maxDepth: 5,
  maxReplicas: 50,
  lifetimeMs: 600_000,
  allowDegraded: ["same_user", "memory", "cpu", "processes", "network"],
};

/** How a supervisor is run that `startSupervisor` starts: on a rung that every host has. */
export function commandFor(rung: Rung = "process-group"): readonly [string, ...string[]] {
  return [process.execPath, PROGRAM, rung];
}

/** A fleet in a folder of its own, closed when the test is over; its secret lies beside it. */
export async function foundFleet(
  options: Partial<FleetOptions> = {},
): Promise<{ readonly dir: string; readonly fleet: Fleet }> {
  const dir = makeFolder();
  const fleet = await openAt(dir, { contract: LENIENT, ...options });
  return { dir, fleet };
}

/** Opens the fleet in a folder; closed when the test is over. */
export async function openAt(dir: string, options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = await openFleet({ store: sqlite({ dir }), ...options });
  onTestFinished(() => fleet.close());
  return fleet;
}

/** A supervisor that runs, as its process and as its client. */
export interface Running {
  readonly supervision: Supervision;
  readonly row: ProcessRow;
}

/** Starts the supervisor of a folder; it and its workers are ended when the test is over. */
export async function supervised(dir: string, rung: Rung = "process-group"): Promise<Running> {
  const supervision = await startSupervisor({ stateDir: dir, command: commandFor(rung) });
  return endAfterwards(supervision);
}

/** Has a supervisor ended when the test is over, unless it has ended by then. */
export async function endAfterwards(supervision: Supervision): Promise<Running> {
  const { pid } = await supervision.status();
  const row = listProcesses().find((one) => one.pid === pid);
  if (row === undefined) throw new Error(`a supervisor must run as ${pid}, it does not`);
  onTestFinished(async () => {
    await supervision.close();
    await end(row);
  });
  return { supervision, row };
}

/** Ends a supervisor: asked first, so that nothing of it is left. */
async function end(row: ProcessRow): Promise<void> {
  for (const signal of ["SIGCONT", "SIGTERM"] as const) tell(row, signal);
  if ((await awaitGone([row], endMs)).length > 0) tell(row, "SIGKILL");
}

/** Sends a signal to a process, if it still is the one. */
export function tell(row: ProcessRow, signal: NodeJS.Signals): void {
  const isThere = listProcesses().some(
    ({ pid, startTicks }) => pid === row.pid && startTicks === row.startTicks,
  );
  if (isThere) process.kill(row.pid, signal);
}

/** Kills a supervisor on the spot and waits until it is gone. */
export async function killOnTheSpot(row: ProcessRow): Promise<void> {
  tell(row, "SIGKILL");
  await awaitGone([row], endMs);
}
