import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { State } from "../../kernel/state.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import type { Journal } from "../../ports/journal.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Signer } from "../../ports/signer.ts";
import { JOIN_FILES } from "../process/launch.ts";

/** Folders that are looked into below the one that holds the sandboxes. */
const nestingMax = 2;

/**
 * The manifests of a fleet that lie in the folders of its sandboxes, as far as its key signed them.
 * A folder that cannot be read has none.
 */
export async function findManifests(
  folder: string,
  so: { readonly signer: Signer; readonly fleet: string },
): Promise<readonly Manifest[]> {
  const found: Manifest[] = [];
  for (const path of await listManifests(folder, nestingMax)) {
    const { manifest } = so.signer.check(await readJson(path));
    if (manifest?.fleet === so.fleet) found.push(manifest);
  }
  return found;
}

async function listManifests(folder: string, left: number): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const entry of await list(folder)) {
    if (entry.isFile() && entry.name === JOIN_FILES.manifest) paths.push(join(folder, entry.name));
    else if (entry.isDirectory() && left > 0)
      paths.push(...(await listManifests(join(folder, entry.name), left - 1)));
  }
  return paths;
}

async function list(folder: string): ReturnType<typeof readEntries> {
  try {
    return await readEntries(folder);
  } catch {
    // No sandbox was ever run here, or its folder is another's.
    return [];
  }
}

function readEntries(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    // Cut, or gone meanwhile: the signer says that it is no manifest.
    return undefined;
  }
}

/**
 * Of some manifests those whose workers the kept part of a journal does not know to have run: they
 * were never admitted in it, or were and had not come yet. Each once.
 */
export async function selectLost(
  manifests: readonly Manifest[],
  so: { readonly journal: Journal; readonly state: State },
): Promise<readonly Manifest[]> {
  const lost = new Map<string, Manifest>();
  for (const manifest of manifests) {
    const { instance } = manifest;
    const known = so.state.workers.get(instance);
    const isOpen = known === undefined ? !(await hasEnded(so.journal, instance)) : true;
    if (isOpen && (known === undefined || known.status === "admitted"))
      lost.set(instance, manifest);
  }
  return [...lost.values()];
}

/**
 * Whether a worker that the state does not have lived in the journal all the same: then it ended in
 * it. Refusals are about whoever was named, also those who never lived.
 */
async function hasEnded(journal: Journal, instance: string): Promise<boolean> {
  const entries = await journal.about(instance, LIMITS.readEntriesMax);
  return entries.some(({ kind }) => kind !== "command.refused");
}
