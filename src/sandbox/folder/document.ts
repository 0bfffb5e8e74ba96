import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Writes a document so that it is whole or not there, and on disk, when this resolves.
 * An older one by that name is replaced.
 */
export async function writeDocument(folder: string, name: string, value: object): Promise<void> {
  const draft = draftFor(folder, name);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(textOf(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, name));
  await syncFolder(folder);
}

/**
 * Writes a document as {@link writeDocument} does, but only so that it outlives this process, not
 * its host: enough for what names processes, of which a host's end leaves none, and for how they
 * ended, which the journal is told next.
 */
export async function noteDocument(folder: string, name: string, value: object): Promise<void> {
  const draft = draftFor(folder, name);
  // At once, as it is read: it waits for no disk, and who ends 1 000 sandboxes notes 3 000 things.
  writeFileSync(draft, textOf(value), { flag: "wx", mode: 0o600 });
  renameSync(draft, join(folder, name));
}

function draftFor(folder: string, name: string): string {
  return join(folder, `.${name}.${randomBytes(8).toString("hex")}`);
}

function textOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The folder that a sandbox's folder lies in. */
export function folderAbove(folder: string): string {
  return dirname(folder);
}

/** What a JSON file says; undefined when it is missing or damaged. */
export async function readDocument(file: string): Promise<unknown> {
  // At once, as what is read of control files: they are small, and were written a moment ago.
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Not written yet, or damaged: either way it says nothing.
    return undefined;
  }
}

/** Whether a value that was read is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
