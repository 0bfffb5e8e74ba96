import { readdirSync, renameSync, existsSync } from "node:fs";
import { join } from "node:path";
import { codeOf } from "../../ports/error-code.ts";
import { Fault } from "../../ports/fault.ts";
import { makeFolders } from "../../system/folders.ts";

/** Where the journals of fleets that are no more lie in a state folder. */
const ARCHIVE = "archive";

/** What stays in the state folder: it holds for the archive below it, too. */
const STAYING: readonly string[] = [ARCHIVE, ".gitignore"];

/**
 * Moves everything of a killed fleet into `archive/NAME` of its state folder, and answers that
 * folder. Interrupted, it may be called again and goes on where it was: the journal is moved last,
 * and of it the head file, so that what is left is still known to be a fleet until the very end.
 *
 * Throws `Fault` `storage_failed`, `storage_full`.
 */
export function archiveFleet(stateDir: string, name: string): string {
  const folder = join(stateDir, ARCHIVE, unfinishedIn(stateDir) ?? name);
  try {
    makeFolders(folder, { mode: 0o700 });
    for (const entry of inOrder(readdirSync(stateDir)))
      moveIfThere(join(stateDir, entry), join(folder, entry));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const fault = code === "ENOSPC" || code === "EDQUOT" ? "storage_full" : "storage_failed";
    const said = `the fleet in ${stateDir} must be moved to ${folder}, got ${code}: ${message}`;
    throw new Fault(fault, said, { cause: error });
  }
  return folder;
}

/** The supervisor of a killed fleet takes its own files away while it leaves. */
function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** An archive that was begun and not ended has no head file yet: the one is moved last. */
function unfinishedIn(stateDir: string): string | undefined {
  const archive = join(stateDir, ARCHIVE);
  if (!existsSync(archive)) return undefined;
  return readdirSync(archive).find((name) => !existsSync(join(archive, name, "head")));
}

/** What to move, the journal's own files last and its head the very last. */
function inOrder(names: readonly string[]): readonly string[] {
  const last = ["journal.db-shm", "journal.db-wal", "journal.db", "head"];
  const rank = (name: string): number => last.indexOf(name);
  return names.filter((name) => !STAYING.includes(name)).toSorted((a, b) => rank(a) - rank(b));
}
