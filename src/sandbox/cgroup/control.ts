// What is done to a group as a whole. Version 2 freezes and kills in the kernel, and a frozen
// group dies where it is. Version 1 freezes too, but what is frozen there does not die before it
// is thawed, and is killed process by process.

import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { codeOf } from "../../ports/error-code.ts";
import { isAbsent, readControl, readField, writeControl } from "./control-file.ts";
import { isMember, listMembers } from "./members.ts";

const pauseMsMin = 1;
const pauseMsMax = 20;

/** How long a kill without the kernel's help waits for the group to stand still, per round. */
const holdMs = 250;

/** Rounds of a kill without the kernel's help; what then lives is for the caller's next call. */
const killRoundsMax = 8;

/** Freezes a group in every hierarchy that can; false when it still ran at the deadline. */
export async function freezeGroup(
  folders: readonly string[],
  deadlineMs: number,
): Promise<boolean> {
  const deadlineAtMs = performance.now() + deadlineMs;
  for (const folder of folders) {
    if (await order(join(folder, "cgroup.freeze"), "1")) return isStill(folder, deadlineAtMs);
  }
  for (const folder of folders) {
    const state = join(folder, "freezer.state");
    if (await order(state, "FROZEN")) return isLegacyStill(state, deadlineAtMs);
  }
  return false;
}

/** Thaws a group in every hierarchy that can freeze it. */
export async function thawGroup(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await order(join(folder, "cgroup.freeze"), "0");
    await order(join(folder, "freezer.state"), "THAWED");
  }
}

/**
 * Kills all of a group. `paths` are its folders as /proc/PID/cgroup names them, to be sure of a
 * process before it is signalled.
 */
export async function killGroup(
  folders: readonly string[],
  paths: readonly string[],
): Promise<void> {
  let isOrdered = false;
  for (const folder of folders) {
    isOrdered = (await order(join(folder, "cgroup.kill"), "1")) || isOrdered;
  }
  // What is in the group by another hierarchy only (its start was cut short, or it moved itself),
  // or everything where the kernel has no such order. A frozen group starts nothing meanwhile.
  for (let round = 0; round < killRoundsMax; round += 1) {
    if ((await listAll(folders)).length === 0) return;
    if (isOrdered && round === 0) {
      // What was just killed by the kernel takes a moment to be gone.
      await sleep(pauseMsMax);
      continue;
    }
    await freezeGroup(folders, holdMs);
    for (const pid of await listAll(folders)) await killMember(pid, paths);
    await thawGroup(folders);
    await sleep(pauseMsMin);
  }
}

async function killMember(pid: number, paths: readonly string[]): Promise<void> {
  if (pid === process.pid || !(await isMember(pid, paths))) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // ESRCH: it ended. EPERM: another user's; the caller finds it alive and says so.
    const code = codeOf(error);
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

async function listAll(folders: readonly string[]): Promise<number[]> {
  const lists = await Promise.all(folders.map(listMembers));
  return [...new Set(lists.flat())];
}

async function isStill(folder: string, deadlineAtMs: number): Promise<boolean> {
  return poll(deadlineAtMs, async () => {
    const frozen = await readField(join(folder, "cgroup.events"), "frozen");
    return frozen !== 0;
  });
}

async function isLegacyStill(state: string, deadlineAtMs: number): Promise<boolean> {
  return poll(deadlineAtMs, async () => {
    const now = (await readControl(state))?.trim();
    // What was forked while it froze is caught by asking again.
    if (now === "FREEZING") await order(state, "FROZEN");
    return now !== "FREEZING";
  });
}

/** Asks until the answer is yes; false when it was no at the deadline. */
async function poll(deadlineAtMs: number, ask: () => Promise<boolean>): Promise<boolean> {
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMsMax, pauseMs * 2)) {
    if (await ask()) return true;
    if (performance.now() >= deadlineAtMs) return false;
    await sleep(pauseMs);
  }
}

/** Writes an order; false when the group has no such file. */
async function order(file: string, text: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  try {
    await writeControl(file, text);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
