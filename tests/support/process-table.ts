// The kernel's process table, read without any code of Stint: what tests use as the outside view.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

const POLL_EVERY_MS = 20;

/** One row of the process table; `startTicks` tells a reused pid from the process it replaced. */
export type ProcessRow = {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  readonly state: string;
  readonly startTicks: string;
};

/** Lists the processes of this machine, zombies left out; empty where there is no /proc. */
export function listProcesses(): ProcessRow[] {
  return listPids()
    .map(readRow)
    .filter((row) => row !== undefined)
    .filter((row) => row.state !== "Z" && row.state !== "X");
}

/** Lists the processes below `pid`, at any depth, as their parents are now. */
export function listDescendants(pid: number, rows = listProcesses()): ProcessRow[] {
  const found: ProcessRow[] = [];
  let parents = new Set([pid]);
  while (parents.size > 0) {
    const children = rows.filter((row) => parents.has(row.parentPid));
    found.push(...children);
    parents = new Set(children.map((row) => row.pid));
  }
  return found;
}

/** Returns a process's command line as one text, or "" when it is gone or not ours to read. */
export function commandOf(pid: number): string {
  return readOrEmpty(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

/** Returns the environment that a process started with, as `NAME=value` lines, or []. */
export function environmentOf(pid: number): string[] {
  return readOrEmpty(`/proc/${pid}/environ`).split("\0");
}

/** Tells whether this very process, not a later one with its pid, still runs. */
export function isAlive(row: ProcessRow): boolean {
  const now = readRow(row.pid);
  return now !== undefined && now.startTicks === row.startTicks && !"ZX".includes(now.state);
}

/** Waits until none of `rows` runs any more; returns those that still do after `withinMs`. */
export async function awaitGone(
  rows: readonly ProcessRow[],
  withinMs: number,
): Promise<ProcessRow[]> {
  const deadlineAtMs = performance.now() + withinMs;
  let alive = rows.filter(isAlive);
  while (alive.length > 0 && performance.now() < deadlineAtMs) {
    await pause(POLL_EVERY_MS);
    alive = alive.filter(isAlive);
  }
  return alive;
}

function listPids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    // Not Linux: there is no table to read.
    return [];
  }
}

function readRow(pid: number): ProcessRow | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The name stands in brackets and may hold blanks and brackets itself: fields follow the last.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid, groupId, sessionId] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    state,
    startTicks,
  };
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Ended between the listing and this read, or another user's.
    return "";
  }
}
