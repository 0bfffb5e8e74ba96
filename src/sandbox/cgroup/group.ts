import { rmdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { dirname, join } from "node:path";
import { Fault } from "../../ports/fault.ts";
import type { SandboxLimits } from "../../ports/sandbox.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { Cgroup, CgroupUse } from "./cgroup.ts";
import { freezeGroup, killGroup, thawGroup } from "./control.ts";
import { gaugeOf, LASTING, MOMENTARY } from "./gauge.ts";
import { hitsOf } from "./hits.ts";
import type { Layout } from "./layout.ts";
import { hasMoreProcesses, limitCpu, limitMemory, limitProcesses } from "./limits.ts";
import { hasNoMembers, listMembers, removeGroup } from "./members.ts";
import { hasNoFolders } from "./place.ts";

/** How long a removal waits for the kernel to let go of processes that have just ended. */
const removeMs = 500;
const removePauseMs = 5;

/**
 * The group in these folders, one per hierarchy. `path` is its place below the folder that holds
 * the fleet's groups, as /proc/PID/cgroup ends for its processes.
 */
export function groupIn(
  folders: readonly string[],
  { path, layout }: { readonly path: string; readonly layout: Layout },
): Cgroup {
  const gauge = gaugeOf(folders, layout);
  const use = (): CgroupUse => gauge([...MOMENTARY, ...LASTING]);
  return {
    joinFiles: folders.map((folder) => join(folder, "cgroup.procs")),
    limit: async (limits) => ((await limitGroup(folders, limits)) ? undefined : use()),
    use: async () => use(),
    gauge: () => gauge(MOMENTARY),
    total: () => gauge(LASTING),
    hits: hitsOf(folders, layout),
    glance: async () => (folders[0] === undefined ? [] : listMembers(folders[0])),
    async members() {
      const lists = await Promise.all(folders.map(listMembers));
      return [...new Set(lists.flat())];
    },
    isEmpty: () => isGroupEmpty(folders),
    freeze: (deadlineMs) => freezeGroup(folders, deadlineMs),
    thaw: () => thawGroup(folders),
    kill: () => killGroup(folders, [path]),
    remove: () => remove(folders),
  };
}

async function isGroupEmpty(folders: readonly string[]): Promise<boolean> {
  const answers = await Promise.all(folders.map(hasNoMembers));
  return answers.every((isEmpty) => isEmpty);
}

/** All or nothing: what can be refused comes before what cannot; false when something was. */
async function limitGroup(
  folders: readonly string[],
  { memory_bytes, cpu_milli, processes }: SandboxLimits,
): Promise<boolean> {
  if (processes !== undefined) {
    const over = await Promise.all(folders.map((at) => hasMoreProcesses(at, processes)));
    if (over.includes(true)) return false;
  }
  if (memory_bytes !== undefined) {
    for (const folder of folders) if (!(await limitMemory(folder, memory_bytes))) return false;
  }
  for (const folder of folders) {
    if (processes !== undefined) await limitProcesses(folder, processes);
    if (cpu_milli !== undefined) await limitCpu(folder, cpu_milli);
  }
  return true;
}

async function remove(folders: readonly string[]): Promise<void> {
  const deadlineAtMs = performance.now() + removeMs;
  let left = folders;
  for (;;) {
    // What is in one of its folders stays in all of them: half a group holds nobody to its limits.
    if (await isGroupEmpty(left)) {
      const removed = await Promise.all(left.map(removeGroup));
      left = left.filter((_, index) => removed[index] === false);
    }
    if (left.length === 0) break;
    if (performance.now() >= deadlineAtMs) {
      const message = `a group must be empty to be removed, got processes in ${left.join(", ")}`;
      throw new Fault("sandbox_failed", message, { retryable: true });
    }
    await sleep(removePauseMs);
  }
  await Promise.all(folders.map((folder) => removeIfEmpty(dirname(folder))));
}

/** The fleet's own folder goes with its last group; one that is in use stays. */
async function removeIfEmpty(folder: string): Promise<void> {
  if (!hasNoFolders(folder)) return;
  try {
    await rmdir(folder);
  } catch (error) {
    if (!["EBUSY", "ENOTEMPTY", "ENOENT", "EACCES", "EPERM"].includes(codeOf(error))) throw error;
  }
}
