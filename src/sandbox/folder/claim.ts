// A sandbox's folder is the claim to its instance. It is prepared under another name and renamed,
// so that it appears whole: with its record, its files and its permit, or not at all. A rename onto
// a folder that holds something fails, so of any number of starters one gets the instance.
//
// A stop lays a claim too where it finds none: then the start it has overtaken runs nothing.

import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { mkdir, readdir, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRunning, ownIdentity } from "../../system/process.ts";
import { codeOf } from "../../ports/error-code.ts";
import { asStorageFault } from "../../system/storage-fault.ts";
import { folderAbove, syncFolder, writeDocument } from "./document.ts";
import { OWN_FILES } from "./notes.ts";
import { clearStruck } from "./struck.ts";

const draftForm = /^\.claim-(\d+)-(\d+)-[0-9a-f]+$/;
const forgottenPrefix = ".forgotten-";

const plainForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether a fleet's or an instance's name can be that of a file, a group and a label. */
export function isPlainName(name: string): boolean {
  return plainForm.test(name);
}

/**
 * Makes the folder in which claims are laid, and clears it of what died half-way; answers its path.
 * Throws `Fault` `storage_failed`, `storage_full`.
 */
export async function openClaims(stateFolder: string): Promise<string> {
  const root = join(stateFolder, "sandboxes");
  try {
    await mkdir(root, { recursive: true, mode: 0o700 });
    await clearDebris(root);
    clearStruck(root);
    return root;
  } catch (error) {
    throw asStorageFault(error, `opening ${root}`);
  }
}

/** What a claim's folder holds from the first moment on, besides its record. */
export interface ClaimContent {
  /** `record.json`, of the driver's own form. */
  readonly record: object;
  readonly files: Readonly<Record<string, string>>;
  /** Whether something may be started under it. */
  readonly permitted: boolean;
}

/** Claims an instance by its folder; false when it is taken, and then nothing was changed. */
export async function layClaim(folder: string, content: ClaimContent): Promise<boolean> {
  const root = folderAbove(folder);
  const { pid, startTicks } = ownIdentity();
  const suffix = randomBytes(8).toString("hex");
  const draft = join(root, `.claim-${pid}-${startTicks}-${suffix}`);
  await mkdir(draft, { mode: 0o700 });
  try {
    await fillFolder(draft, content);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (isTaken(error)) return false;
    throw error;
  }
  await syncFolder(root);
  return true;
}

/**
 * Forbids that anything more is started in a sandbox; safe to repeat, and on a full disk.
 *
 * The permit is not deleted but put under another name: a file system keeps its hands off what was
 * deleted a moment ago, and looks past each of hundreds for whatever is written next (ext4).
 */
export async function withdrawPermit(folder: string): Promise<void> {
  const permit = join(folder, OWN_FILES.permit);
  try {
    await rename(permit, join(folder, OWN_FILES.withdrawn)).catch(() => unlink(permit));
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** Removes a sandbox's folder; from its first step on, the sandbox is not listed any more. */
export async function dropFolder(folder: string): Promise<void> {
  const dropped = await putAside(folder);
  if (dropped !== undefined) await rm(dropped, { recursive: true, force: true });
}

/**
 * Puts a sandbox's folder aside: the sandbox is not listed any more. Answers where it lies, to be
 * removed; undefined when there was none.
 */
export async function putAside(folder: string): Promise<string | undefined> {
  const suffix = randomBytes(8).toString("hex");
  const dropped = join(folderAbove(folder), forgottenPrefix + suffix);
  try {
    // At once, as notes are written: it waits for no disk, and who ends hundreds drops hundreds.
    renameSync(folder, dropped);
    return dropped;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes what starters and forgetters that died half-way have left behind. */
async function clearDebris(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const draft = draftForm.exec(name);
    const isAbandoned =
      draft !== null && !isRunning({ pid: Number(draft[1]), startTicks: Number(draft[2]) });
    if (isAbandoned || name.startsWith(forgottenPrefix)) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
}

async function fillFolder(draft: string, content: ClaimContent): Promise<void> {
  for (const [name, text] of Object.entries(content.files)) {
    await writeFile(join(draft, name), text, { mode: 0o600, flag: "wx" });
  }
  const empty = content.permitted ? [OWN_FILES.output, OWN_FILES.permit] : [OWN_FILES.output];
  for (const name of empty) await writeFile(join(draft, name), "", { mode: 0o600, flag: "wx" });
  await writeDocument(draft, OWN_FILES.record, content.record);
}

function isTaken(error: unknown): boolean {
  return codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST";
}
