import { realpathSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname } from "node:path";
import { stintFile } from "../task.ts";
import { askTop } from "./git.ts";

/**
 * The tree that is meant when none is named: the repository around a folder, else Stint's own, else
 * the folder itself if it has files, else Stint's own files without a repository.
 */
export async function chooseTree(from: string): Promise<string> {
  const around = await askTop(from);
  if (around.top !== undefined) return around.top;
  const own = realpathSync(dirname(dirname(stintFile())));
  // A package that lies in somebody's repository is not a repository of its own.
  if ((await askTop(own)).top === own) return own;
  return (await isTree(from)) ? from : own;
}

/** Whether a folder is worth an analysis; a home or a whole disk is more than was meant. */
async function isTree(dir: string): Promise<boolean> {
  if (dir === "/" || dir === homedir()) return false;
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.some((entry) => entry.isFile());
}
