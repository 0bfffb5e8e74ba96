import { readFileSync, realpathSync } from "node:fs";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** What figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly core_count: number;
  readonly memory_bytes: number;
  readonly node: string;
  readonly kernel: string;
  /** Of the folder that the benches write to; `unknown` where that cannot be told. */
  readonly file_system: string;
  /** Over the last minute, when the run began. */
  readonly load: number;
}

/** How long it is looked what others use, ms. */
const LOOK_MS = 1_000;

/** Describes this machine as it is now. */
export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    core_count: cores.length,
    memory_bytes: totalmem(),
    node: process.version,
    kernel: `${process.platform} ${release()}`,
    file_system: fileSystemOf(tmpdir()),
    load: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** The share of all cores, 0 to 1, that is in use for a second in which the caller does nothing. */
export async function othersShare(): Promise<number> {
  const before = cpuTimes();
  await sleep(LOOK_MS);
  const after = cpuTimes();
  const totalMs = after.totalMs - before.totalMs;
  return totalMs <= 0 ? 0 : 1 - (after.idleMs - before.idleMs) / totalMs;
}

function cpuTimes(): { readonly idleMs: number; readonly totalMs: number } {
  let [idleMs, totalMs] = [0, 0];
  for (const { times } of cpus()) {
    idleMs += times.idle;
    totalMs += Object.values(times).reduce((sum, ms) => sum + ms, 0);
  }
  return { idleMs, totalMs };
}

function fileSystemOf(folder: string): string {
  try {
    return typeOfMount(readFileSync("/proc/self/mountinfo", "utf8"), realpathSync(folder));
  } catch {
    // Not Linux.
    return "unknown";
  }
}

/** The type of the file system that a folder lies on, by the text of /proc/PID/mountinfo. */
export function typeOfMount(mountinfo: string, folder: string): string {
  let found = { point: "", type: "unknown" };
  for (const line of mountinfo.split("\n")) {
    const [front = "", back = ""] = line.split(" - ");
    const point = front.split(" ")[4];
    const [type] = back.split(" ");
    if (point === undefined || type === undefined) continue;
    const isAbove = folder === point || folder.startsWith(point === "/" ? point : `${point}/`);
    // Of two that are mounted on one point, the later one is seen.
    if (isAbove && point.length >= found.point.length) found = { point, type };
  }
  return found.type;
}
