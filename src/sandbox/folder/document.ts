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
  noteNow(folder, name, value);
}

/** As {@link noteDocument}, and nothing else of this process runs meanwhile. */
export function noteNow(folder: string, name: string, value: object): void {
  note({ folder, name, value });
}

/**
 * Writes a document as {@link noteDocument} does, and has a file that nobody needs any more become
 * it, if that is there: to make a new one takes a file system far longer.
 */
export function noteOver(
  spare: string,
  document: { readonly folder: string; readonly name: string; readonly value: object },
): void {
  note({ ...document, spare });
}

// At once, as it is read: it waits for no disk, and who ends 1 000 sandboxes has 1 000 to write.
function note(document: {
  readonly folder: string;
  readonly name: string;
  readonly value: object;
  readonly spare?: string;
}): void {
  const { folder, name, value, spare } = document;
  const draft = draftFor(folder, name);
  const isTaken = spare !== undefined && takeFile(join(folder, spare), draft);
  writeFileSync(draft, textOf(value), { flag: isTaken ? "w" : "wx", mode: 0o600 });
  renameSync(draft, join(folder, name));
}

/** Gives a file another name, so that nobody else takes it; false when it is not there. */
function takeFile(file: string, as: string): boolean {
  try {
    renameSync(file, as);
    return true;
  } catch {
    // Somebody else has taken it, or there never was one.
    return false;
  }
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
