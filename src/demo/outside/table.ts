// The host's process table, read without any other code of Stint, so that it can contradict it.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process as the host lists it; `startTicks` tells it from a later bearer of its pid. */
export interface Row {
  readonly pid: number;
  readonly parentPid: number;
  readonly sessionId: number;
  readonly startTicks: string;
  /** Time on a processor, in user and in system mode together, clock ticks. */
  readonly cpuTicks: number;
}

/** All processes of this host but those that have ended and wait to be reaped. */
export function listRows(): readonly Row[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readRow(Number(name)) ?? []);
}

/** One process; undefined when there is none by that pid any more. */
export function readRow(pid: number): Row | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  // The name stands in brackets and may hold blanks and brackets itself: fields follow the last.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid, , sessionId] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined || "ZX".includes(state)) return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    sessionId: Number(sessionId),
    startTicks,
    cpuTicks: Number(fields[11]) + Number(fields[12]),
  };
}

/** Whether this very process, and no later bearer of its pid, runs. */
export function isRunning({ pid, startTicks }: Pick<Row, "pid" | "startTicks">): boolean {
  return readRow(pid)?.startTicks === startTicks;
}

/** The command line as one text; "" when it is gone. */
export function commandOf(pid: number): string {
  return readText(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

/** A variable of the environment that a process was started with; undefined without it. */
export function variableOf(pid: number, name: string): string | undefined {
  const lines = readText(`/proc/${pid}/environ`).split("\0");
  return lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** What names the PID namespace of a process; undefined when it is gone or not to be seen. */
export function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    // It ended, or is another user's.
    return undefined;
  }
}

/** The control groups of a process, a line for each hierarchy; "" when it is gone. */
export function groupsOf(pid: number): string {
  return readText(`/proc/${pid}/cgroup`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // It ended between the listing and this look, or is another user's.
    return "";
  }
}
