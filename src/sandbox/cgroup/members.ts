import { readFileSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../ports/error-code.ts";
import { isAbsent, readControl, readField } from "./control-file.ts";
import { listFolders } from "./place.ts";

/** The processes of a group and of all groups below it, as this pid namespace numbers them. */
export async function listMembers(folder: string): Promise<number[]> {
  const pids = (await listAll(folder)).map(Number);
  // 0 stands for a process that this namespace cannot see, and cannot signal.
  return pids.filter((pid) => pid > 0);
}

/** Whether no process is in a group or below it, foreign ones included. */
export async function hasNoMembers(folder: string): Promise<boolean> {
  const populated = await readField(join(folder, "cgroup.events"), "populated");
  if (populated !== undefined) return populated === 0;
  if (listDirect(folder).length > 0) return false;
  const below = await listFolders(folder);
  const answers = await Promise.all(below.map((name) => hasNoMembers(join(folder, name))));
  return answers.every((isEmpty) => isEmpty);
}

/** The pids in a group itself, "0" for foreign ones; none when it does not exist. */
export function listDirect(folder: string): readonly string[] {
  try {
    return readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").slice(0, -1);
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

async function listAll(folder: string): Promise<readonly string[]> {
  const own = listDirect(folder);
  const below = await Promise.all(
    (await listFolders(folder)).map((name) => listAll(join(folder, name))),
  );
  return [...own, ...below.flat()];
}

/** Whether a process is in one of these groups or below it, as the kernel says now. */
export async function isMember(pid: number, paths: readonly string[]): Promise<boolean> {
  const text = await readControl(`/proc/${pid}/cgroup`);
  const lines = text?.split("\n") ?? [];
  return lines.some((line) => paths.some((path) => isAtOrBelow(line, path)));
}

/** Whether a line of /proc/PID/cgroup says `path` or something below; see the own group's view. */
function isAtOrBelow(line: string, path: string): boolean {
  return line.endsWith(path) || line.includes(`${path}/`);
}

/** Removes a group after all below it; true when none of them is left. */
export async function removeGroup(folder: string): Promise<boolean> {
  for (const name of await listFolders(folder)) {
    if (!(await removeGroup(join(folder, name)))) return false;
  }
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (isAbsent(error)) return true;
    // EBUSY: a process is in it, or was a moment ago. ENOTEMPTY: a group was made below it.
    if (["EBUSY", "ENOTEMPTY"].includes(codeOf(error))) return false;
    throw error;
  }
}
