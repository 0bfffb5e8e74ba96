import { readdirSync, readFileSync } from "node:fs";
import type { ExhibitedProcess, SandboxExhibit } from "../ports/sandbox.ts";
import { readProcess } from "../system/process.ts";

/** Of how many processes it is said what each has; the sums are of all of them. */
const listedMax = 64;

const bytesPerKib = 1_024;

/**
 * What some processes have, as /proc shows it now; meant for processes that stand still. Whoever
 * has ended meanwhile is left out, and what this user may not see of a process is absent.
 */
export function exhibitOf(pids: readonly number[]): SandboxExhibit {
  const rows = pids.map(look).filter((row) => row !== undefined);
  const known = (field: "open_files" | "memory_bytes"): number =>
    rows.reduce((sum, row) => sum + (row[field] ?? 0), 0);
  return {
    process_count: rows.length,
    open_file_count: known("open_files"),
    memory_bytes: known("memory_bytes"),
    processes: rows.toSorted((one, other) => one.pid - other.pid).slice(0, listedMax),
  };
}

function look(pid: number): ExhibitedProcess | undefined {
  const status = readProcess(pid);
  if (status === undefined) return undefined;
  const openFiles = countFiles(pid);
  const memoryBytes = residentBytes(pid);
  return {
    pid,
    name: read(`/proc/${pid}/comm`)?.trim() ?? "",
    state: status.state,
    ...(openFiles === undefined ? {} : { open_files: openFiles }),
    ...(memoryBytes === undefined ? {} : { memory_bytes: memoryBytes }),
  };
}

function countFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    // It ended, or is another user's.
    return undefined;
  }
}

function residentBytes(pid: number): number | undefined {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "") ?? [];
  return kib === undefined ? undefined : Number(kib) * bytesPerKib;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It ended.
    return undefined;
  }
}
