// How a story ends: its fleets are killed and their supervisors told to leave, as a user would;
// then whatever still has the story's folder in its environment or command line is ended.
import { spawnSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  awaitGone,
  commandOf,
  environmentOf,
  isAlive,
  listProcesses,
  type ProcessRow,
} from "../support/process-table.ts";

/** How long a kill, and a supervisor's leave, may take, ms. */
const CALL_MS_MAX = 60_000;
const GONE_MS_MAX = 20_000;

/** Kills every fleet below a folder and ends its supervisor. */
export async function endFleets(
  base: string,
  by: { readonly program: string; readonly env: Readonly<Record<string, string>> },
): Promise<void> {
  for (const stateDir of listStateFolders(base)) {
    const args = ["kill", "--yes", "--reason", "end of page", "--fleet", stateDir];
    spawnSync(by.program, args, { env: by.env, timeout: CALL_MS_MAX });
    const supervisor = findSupervisor(stateDir);
    if (supervisor === undefined) continue;
    process.kill(supervisor.pid, "SIGTERM");
    await awaitGone([supervisor], GONE_MS_MAX);
  }
}

/**
 * The folders at and below `base` that hold a journal. No link is followed, `base` excepted: what
 * lies behind one is not the story's to end. Node's own recursive `readdir` does follow them.
 */
export function listStateFolders(base: string): readonly string[] {
  const found: string[] = [];
  const folders = [base];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    // What a kill is just removing may be gone.
    for (const name of lookQuietly(() => readdirSync(folder)) ?? []) {
      const path = join(folder, name);
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status?.isDirectory() === true) folders.push(path);
      else if (status?.isFile() === true && name === "journal.db") found.push(folder);
    }
  }
  return found;
}

function lookQuietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function findSupervisor(stateDir: string): ProcessRow | undefined {
  let pid: number;
  try {
    const text = readFileSync(join(stateDir, "supervisor.json"), "utf8");
    ({ pid } = JSON.parse(text) as { readonly pid: number });
  } catch {
    // None has ever run here, or it is just leaving.
    return undefined;
  }
  const row = listProcesses().find((one) => one.pid === pid);
  return row !== undefined && commandOf(pid).includes("supervise") ? row : undefined;
}

/** Ends the processes that bear a folder in their environment or command line. */
export async function endProcesses(base: string): Promise<void> {
  const rows = listProcesses().filter(({ pid }) => pid !== process.pid && bears(pid, base));
  for (const row of rows) if (isAlive(row)) endQuietly(row.pid);
  const left = await awaitGone(rows, GONE_MS_MAX);
  if (left.length > 0)
    throw new Error(`must be gone: ${left.map(({ pid }) => commandOf(pid)).join("; ")}`);
}

function bears(pid: number, base: string): boolean {
  return commandOf(pid).includes(base) || environmentOf(pid).some((one) => one.includes(base));
}

function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Its own end was quicker.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
