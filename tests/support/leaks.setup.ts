// Runs before every test file, in its process: a file that leaves children, timers, sockets or
// servers behind fails.
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll } from "vitest";
import { awaitGone, commandOf, listDescendants } from "./process-table.ts";

const GRACE_MS = 2_000;
const POLL_EVERY_MS = 20;

let atStart: readonly string[] = [];

beforeAll(() => {
  // Vitest's own timers keep no process alive, but those of its reports, which come and go: at
  // the end none may be left.
  atStart = process.getActiveResourcesInfo().filter((name) => name !== "Timeout");
});

afterAll(async () => {
  const leaked = await awaitGone(listDescendants(process.pid), GRACE_MS);
  const names = leaked.map((row) => `${row.pid} ${commandOf(row.pid)}`);
  // Ended here so that one leak does not spoil the files that run next.
  for (const row of leaked) process.kill(row.pid, "SIGKILL");
  if (leaked.length > 0) {
    throw new Error(`a test file must end what it started, still running: ${names.join("; ")}`);
  }
  const active = await awaitQuiet(GRACE_MS);
  if (active.length > 0) {
    throw new Error(`a test file must stop what it started, still active: ${active.join(", ")}`);
  }
});

/** Waits until nothing more keeps this process alive than at the start; returns what does. */
async function awaitQuiet(withinMs: number): Promise<string[]> {
  const deadlineAtMs = performance.now() + withinMs;
  let added = listAdded();
  while (added.length > 0 && performance.now() < deadlineAtMs) {
    await pause(POLL_EVERY_MS);
    added = listAdded();
  }
  return added;
}

function listAdded(): string[] {
  const known = [...atStart];
  return process.getActiveResourcesInfo().filter((name) => {
    const index = known.indexOf(name);
    if (index >= 0) known.splice(index, 1);
    return index < 0;
  });
}
