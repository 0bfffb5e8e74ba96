import { readFileSync, statSync } from "node:fs";

/** The most descriptors that this process may have, and what it starts (proc_pid_limits(5)). */
export function ownOpenFilesMax(): number {
  const limits = readFileSync("/proc/self/limits", "utf8");
  const hard = /^Max open files +\S+ +(\S+)/m.exec(limits)?.[1];
  return hard === undefined || hard === "unlimited" ? Number.MAX_SAFE_INTEGER : Number(hard);
}

/** How many descriptors a process has open; 0 where the kernel does not say (before Linux 6.2). */
export function openFilesOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}/fd`, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    // It ended meanwhile, or is another user's.
    return 0;
  }
}
