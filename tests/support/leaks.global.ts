// Runs once around a whole test run, in vitest's own process: finds what escaped the per-file
// check because its parent died first. Three nets, since each alone has a hole:
//   - what was ever seen below this process (misses what lived between two looks),
//   - what carries this run's mark in its environment (misses what was started with a clean one),
//   - what is below this process at the end (misses orphans).
import { randomUUID } from "node:crypto";
import type { ProcessRow } from "./process-table.ts";
import {
  awaitGone,
  commandOf,
  environmentOf,
  listDescendants,
  listProcesses,
} from "./process-table.ts";
import { addToTally } from "./tally.ts";

const LOOK_EVERY_MS = 250;
const GRACE_MS = 2_000;
const MARK = "STINT_TEST_RUN";

const seen = new Map<string, ProcessRow>();
let looking: NodeJS.Timeout | undefined;

/** Marks this run and begins to watch what it starts; vitest calls it before the first test. */
export function setup(): void {
  process.env[MARK] = randomUUID();
  looking = setInterval(look, LOOK_EVERY_MS).unref();
}

/** Fails the run when a process it started is still there; vitest calls it after the last test. */
export async function teardown(): Promise<void> {
  clearInterval(looking);
  look();
  const mark = `${MARK}=${process.env[MARK]}`;
  for (const row of listProcesses())
    if (environmentOf(row.pid).includes(mark)) seen.set(keyOf(row), row);

  const leaked = await awaitGone([...seen.values()].filter(isForeign), GRACE_MS);
  if (leaked.length === 0) return;
  for (const row of leaked) {
    process.stderr.write(`LEAKED process ${row.pid}: ${commandOf(row.pid)}\n`);
    process.kill(row.pid, "SIGKILL");
  }
  addToTally({ passedCount: 0, failedCount: leaked.length });
  process.exitCode = 1;
}

function look(): void {
  for (const row of listDescendants(process.pid)) seen.set(keyOf(row), row);
}

function keyOf(row: ProcessRow): string {
  return `${row.pid}:${row.startTicks}`;
}

/** Vitest's workers and its watchdog are below us too; they end after this teardown. */
function isForeign(row: ProcessRow): boolean {
  const isOwn =
    row.parentPid === process.pid && /vitest(\/dist\/workers\/|-watchdog)/.test(commandOf(row.pid));
  return row.pid !== process.pid && !isOwn;
}
