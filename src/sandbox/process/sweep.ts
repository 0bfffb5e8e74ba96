import { setTimeout as sleep } from "node:timers/promises";
import { ok } from "../../kernel/assert.ts";
import { isDead, isSame, readProcess } from "../../system/process.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { CountedProcess } from "./census.ts";
import type { FirstProcess } from "./record.ts";

/** One listing: the processes of a sandbox, and all processes of the host. */
export interface Listing {
  /** Without this very process. */
  readonly members: readonly CountedProcess[];
  /** Whether this process itself is part of the sandbox: then it cannot be swept from here. */
  readonly includesSelf: boolean;
  readonly all: readonly CountedProcess[];
}

/** Looks for the processes of one sandbox, anew at each call. */
export type Lister = () => Promise<Listing>;

/** Empty listings in a row that a sweep ends with. */
export const EMPTY_LISTINGS = 2;

/** Listings in a row that must find nothing running before a sandbox counts as frozen. */
const stillListings = 2;

/** Rounds of stopping before a sweep kills what it has: a fork race may not hold it up. */
const holdRoundsMax = 8;

const pauseMsMin = 2;
const pauseMsMax = 50;

/**
 * Kills a sandbox's processes until two listings in a row are empty, and answers how many it
 * killed; undefined when something is alive at the deadline. At least one round is made.
 *
 * Each round first stops what it finds: a stopped process starts no other, and keeps its children
 * recognisable as its own until all are killed together. `note` is told how many, before they are.
 */
export async function sweep(
  list: Lister,
  deadlineAtMs: number,
  note: (count: number) => void = () => undefined,
): Promise<number | undefined> {
  const killed = new Set<string>();
  let emptyCount = 0;
  for (let round = 0; ; round += 1) {
    const found = await list();
    if (found.members.length === 0) {
      emptyCount += 1;
      if (emptyCount === EMPTY_LISTINGS) return killed.size;
    } else {
      emptyCount = 0;
      if (round > 0 && performance.now() >= deadlineAtMs) return undefined;
      const held = await hold(list, found);
      for (const row of held.members) killed.add(keyOf(row));
      note(killed.size);
      signalAll(held, "SIGKILL");
    }
    await sleep(pauseOf(round));
  }
}

/**
 * Stops the group that a sandbox began with, unless its first process has ended or this process is
 * in it. It takes no listing: what starts processes without end leaves no time for one.
 */
export function holdFirst(first: FirstProcess): void {
  const { pid, start_ticks: startTicks, group } = first;
  const now = readProcess(pid);
  const isFirst = now !== undefined && isSame(now, { pid, startTicks }) && now.groupId === group;
  if (isFirst && group > 1 && group !== readProcess(process.pid)?.groupId) send(-group, "SIGSTOP");
}

/** Asks what is listed to end (SIGTERM). */
export function request(listing: Listing): void {
  signalAll(listing, "SIGTERM");
}

/** Asks a sandbox's processes to end and waits until they have, or the deadline. */
export async function ask(list: Lister, deadlineAtMs: number): Promise<void> {
  let found = await list();
  request(found);
  for (let round = 0; found.members.length > 0 && performance.now() < deadlineAtMs; round += 1) {
    await sleep(pauseOf(round));
    found = await list();
  }
}

/** Stops a sandbox's processes from running; false when some still ran at the deadline. */
export async function freeze(list: Lister, deadlineAtMs: number): Promise<boolean> {
  const told = new Set<string>();
  let stillCount = 0;
  for (let round = 0; ; round += 1) {
    const found = await list();
    const running = found.members.filter((row) => !isStopped(row) && !isHeldUp(row, told));
    stillCount = running.length === 0 ? stillCount + 1 : 0;
    if (stillCount === stillListings) return true;
    if (round > 0 && performance.now() >= deadlineAtMs) return false;
    signalAll({ ...found, members: running }, "SIGSTOP");
    for (const row of running) told.add(keyOf(row));
    await sleep(pauseOf(round));
  }
}

/** Lets a sandbox's processes run again; false when some were still stopped at the deadline. */
export async function thaw(list: Lister, deadlineAtMs: number): Promise<boolean> {
  let runningCount = 0;
  for (let round = 0; ; round += 1) {
    const found = await list();
    const isRunning = round > 0 && !found.members.some(isStopped);
    runningCount = isRunning ? runningCount + 1 : 0;
    if (runningCount === stillListings) return true;
    if (round > 0 && performance.now() >= deadlineAtMs) return false;
    // To all of them: it also takes back a SIGSTOP that one in the kernel has not obeyed yet.
    if (!isRunning) signalAll(found, "SIGCONT");
    await sleep(pauseOf(round));
  }
}

/** Whether a sandbox is frozen, as far as one listing can tell: nothing in it hears a signal. */
export function isFrozen(members: readonly CountedProcess[]): boolean {
  return members.some(isStopped) && members.every((row) => isStopped(row) || row.state === "D");
}

/** Whether a process is stopped (by a signal or a debugger) and runs no code. */
function isStopped(row: CountedProcess): boolean {
  return row.state === "T" || row.state === "t";
}

/**
 * Whether a process waits in the kernel and will stop before it runs any code of its own. So waits
 * a parent in vfork(2), for ever if its child was stopped before its exec.
 */
function isHeldUp(row: CountedProcess, told: ReadonlySet<string>): boolean {
  return row.state === "D" && told.has(keyOf(row));
}

/** Stops what is found until a listing finds nothing new; answers the last listing. */
async function hold(list: Lister, first: Listing): Promise<Listing> {
  const stopped = new Set<string>();
  let found = first;
  for (let round = 0; round < holdRoundsMax; round += 1) {
    const fresh = found.members.filter((row) => !stopped.has(keyOf(row)));
    if (fresh.length === 0) break;
    signalAll({ ...found, members: fresh }, "SIGSTOP");
    for (const row of fresh) stopped.add(keyOf(row));
    found = await list();
  }
  return found;
}

/**
 * Signals every member of a listing: whole groups at once where all of a group is the sandbox's,
 * which also reaches what was forked since the listing, and then each process by itself.
 */
function signalAll({ members, all }: Listing, signal: NodeJS.Signals): void {
  const pids = new Set(members.map((row) => row.pid));
  const groups = new Map(members.map((row) => [row.groupId, row]));
  for (const row of all) {
    if (!isDead(row) && !pids.has(row.pid)) groups.delete(row.groupId);
  }
  for (const member of groups.values()) signalGroup(member, signal);
  for (const row of members) signalProcess(row, signal);
}

/** Signals the group of a member, unless the member has left it, or life, since the listing. */
function signalGroup(member: CountedProcess, signal: NodeJS.Signals): void {
  const { groupId } = member;
  // Group 0 is that of this process, -1 is every process there is.
  ok(groupId > 1, `a group to signal must be above 1, got ${groupId}`);
  ok(groupId !== readProcess(process.pid)?.groupId, "a sweep never signals its own group");
  const now = readProcess(member.pid);
  if (now !== undefined && isSame(now, member) && now.groupId === groupId) send(-groupId, signal);
}

function signalProcess(row: CountedProcess, signal: NodeJS.Signals): void {
  ok(row.pid > 1, `a process to signal must be above 1, got ${row.pid}`);
  ok(row.pid !== process.pid, "a sweep never signals its own process");
  // Its pid may have another bearer since the listing; between this look and the signal it
  // would have to end, be reaped, and its number come round again.
  const now = readProcess(row.pid);
  if (now !== undefined && isSame(now, row)) send(row.pid, signal);
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    const code = codeOf(error);
    // ESRCH: it ended. EPERM: it took another user's id; the next listing finds it alive.
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

function keyOf(row: CountedProcess): string {
  return `${row.pid}:${row.startTicks}`;
}

function pauseOf(round: number): number {
  return Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(round, 10));
}
