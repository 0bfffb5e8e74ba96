// What the kernel of this host shows of a container, beside what its engine says. The engine may
// run elsewhere (in a virtual machine), and then there is nothing to see: undefined, never "none".
//
// The processes of a container are in control groups whose path has a part that names its id:
// `/docker/ID`, `/libpod_parent/libpod-ID`, `docker-ID.scope`. Podman's own watcher beside it has a
// part that names it `conmon`.

import { readdirSync, readFileSync } from "node:fs";
import { codeOf } from "../../../ports/error-code.ts";

/** Whether a process by this pid of the engine's is one of this host, in that container. */
export function isOnThisHost(id: string, pid: number | undefined): boolean {
  return pid !== undefined && isIn(id, pid);
}

/** The processes of a container that this host shows; pids as seen from here. */
export function membersOf(id: string): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isIn(id, pid));
}

/**
 * Kills what is listed at once. It is for a frozen container: none of it can start another process
 * meanwhile, and a frozen process that has this signal runs no code of its own when it is thawed.
 */
export function killMembers(id: string): void {
  for (const pid of membersOf(id)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // ESRCH: it ended. EPERM: another user's; the engine kills it.
      if (codeOf(error) !== "ESRCH" && codeOf(error) !== "EPERM") throw error;
    }
  }
}

function isIn(id: string, pid: number): boolean {
  try {
    const lines = readFileSync(`/proc/${pid}/cgroup`, "latin1").split("\n");
    const parts = lines.flatMap((line) => line.split(":").slice(2).join(":").split("/"));
    return parts.some((part) => part.includes(id) && !part.includes("conmon"));
  } catch {
    // It ended, or is not ours to look at.
    return false;
  }
}
