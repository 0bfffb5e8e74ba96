import { readFileSync } from "node:fs";

/** A process of this host that no other can be mistaken for, until the host boots again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since boot: tells it from a later bearer of its pid. */
  readonly startTicks: number;
}

/** One process as /proc shows it. */
export interface ProcessStatus extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** One letter of proc(5): `R`, `S`, `D`, `T` (stopped), `Z` (zombie), `X` (dead), … */
  readonly state: string;
}

/** The status of a process, or undefined when there is none by that pid or no /proc. */
export function readProcess(pid: number): ProcessStatus | undefined {
  try {
    // A name that is no UTF-8 is read as another one; what comes behind it is all that is used. Any
    // other encoding would cost a buffer of 64 KiB for each process of a listing.
    return parseStatus(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    // It ended, before or while its file was read (ENOENT, ESRCH), or this is not Linux.
    return undefined;
  }
}

/** Parses /proc/PID/stat; undefined when it is not of that form. */
export function parseStatus(text: string): ProcessStatus | undefined {
  // The second field is the program's name in parentheses, and may itself hold any of " ()".
  const nameEnd = text.lastIndexOf(") ");
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(nameEnd + 2).split(" ");
  const state = fields[0];
  const startTicks = Number(fields[19]);
  const [parentPid, groupId, sessionId] = fields.slice(1, 4).map(Number);
  if (nameEnd < 0 || state === undefined || !Number.isSafeInteger(startTicks)) return undefined;
  if (parentPid === undefined || groupId === undefined || sessionId === undefined) return undefined;
  return { pid, startTicks, parentPid, groupId, sessionId, state };
}

/** Whether that process, and no later bearer of its pid, runs; a zombie does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  const status = readProcess(identity.pid);
  return status !== undefined && isSame(status, identity) && !isDead(status);
}

/** Whether two readings are of one process. */
export function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}

/** Whether a process has ended and merely waits for its parent to be told. */
export function isDead(status: ProcessStatus): boolean {
  return status.state === "Z" || status.state === "X";
}

/** This process. Where there is no /proc, its start counts as 0 ticks. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: readProcess(process.pid)?.startTicks ?? 0 };
}
