import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync, statSync } from "node:fs";

/** The time namespace that every Linux starts in has this fixed inode number. */
const firstTimeNamespace = "time:[4026531834]";

/** How long macOS may take to name its boot session, ms. */
const sysctlMs = 2_000;

let processBootId: string | undefined;

/**
 * Names the boot that this host's boot time counts from; equal in all processes that share it.
 *
 * - Linux: the kernel's boot id. A container whose /proc/uptime counts from the container's start
 *   (lxcfs), or a time namespace of its own, has another zero and so another id.
 * - macOS: the boot session id.
 * - Elsewhere: an id of this process alone. Then no boot time is ever compared with that of another
 *   process, and journal time rests on the wall clock.
 */
export function readBootId(): string {
  processBootId ??= linuxBootId() ?? macBootId() ?? `process-${randomUUID()}`;
  return processBootId;
}

function linuxBootId(): string | undefined {
  try {
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return bootId + timeNamespace() + uptimeMount();
  } catch {
    // Not Linux, or a sandbox that hides the file.
    return undefined;
  }
}

function timeNamespace(): string {
  try {
    const namespace = readlinkSync("/proc/self/ns/time");
    return namespace === firstTimeNamespace ? "" : `+${namespace}`;
  } catch {
    // Linux before 5.6 has no time namespaces.
    return "";
  }
}

/** Tells containers with a mounted /proc/uptime apart, by the device it is mounted from. */
function uptimeMount(): string {
  const isMounted = statSync("/proc/uptime").dev !== statSync("/proc/self/stat").dev;
  return isMounted ? `+uptime:${readlinkSync("/proc/self/ns/pid")}` : "";
}

function macBootId(): string | undefined {
  if (process.platform !== "darwin") return undefined;
  try {
    // Not imported: it would be loaded by every short call on a system that needs none of it.
    const { execFileSync } = process.getBuiltinModule("node:child_process");
    const options = { encoding: "latin1", timeout: sysctlMs } as const;
    return execFileSync("/usr/sbin/sysctl", ["-n", "kern.bootsessionuuid"], options).trim();
  } catch {
    // No sysctl in a sandbox: the caller falls back to an id of its own.
    return undefined;
  }
}
