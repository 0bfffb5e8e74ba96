import { readFileSync } from "node:fs";

/** Ticks per second of the times in /proc/PID/stat: the same on every Linux there is. */
const TICKS_PER_SECOND = 100;

/** The processes that a process started, and has not lost. */
export function childrenOf(pid: number): readonly number[] {
  const listed = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  return listed.split(" ").filter(Boolean).map(Number);
}

/** The cpu time of a process and all its threads so far, ms (proc(5): utime and stime). */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Its name stands in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** The memory that a process has, bytes; of a page that several share it has its part (PSS). */
export function shareOfMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  const kib = /^Pss: +(\d+) kB$/m.exec(text)?.[1];
  if (kib === undefined) throw new Error(`the kernel must tell the PSS of ${pid}, it does not`);
  return Number(kib) * 1_024;
}

/** Whether a process is a program with just these arguments, and not one that wraps it. */
export function runsProgram(pid: number, run: readonly string[]): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1") === `${run.join("\0")}\0`;
}
