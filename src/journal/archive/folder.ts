import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { codeOf } from "../../ports/error-code.ts";
import { makeFolders } from "../../system/folders.ts";
import { giveFolderToOwnerOf, giveToOwnerOf } from "./owner.ts";
import { isSegmentName } from "./segment.ts";
import type { SegmentBytes } from "./scan.ts";

const DRAFT = /^draft-[0-9a-f]+\.tmp$/;

/** A segment's file, open for reading. */
export interface OpenSegment extends SegmentBytes {
  readonly sizeBytes: number;
  close(): void;
}

/**
 * The folder of segments; it is made when the first is written. What root makes of it belongs to
 * the owner of the store, who must be able to go on. Errors are the system's.
 */
export class ArchiveFolder {
  readonly path: string;
  readonly #store: string;

  /** `store` is the file of the database; who only reads needs none. */
  constructor(path: string, store = path) {
    this.path = path;
    this.#store = store;
  }

  /**
   * Makes the folder, mode 0700, where it is missing, durably: also where it is there, for whoever
   * made it may have died before.
   */
  ensure(): void {
    makeFolders(this.path, { mode: 0o700 });
    giveFolderToOwnerOf(this.#store, this.path);
    syncFolder(join(this.path, ".."));
  }

  /** The file of this name. */
  pathOf(name: string): string {
    return join(this.path, name);
  }

  /** The names of the files that are segments, recorded or not, oldest first. */
  names(): readonly string[] {
    return this.#list().filter(isSegmentName).toSorted();
  }

  /** Opens a segment. */
  open(name: string): OpenSegment {
    return openBytes(this.pathOf(name));
  }

  /** Begins a file that is no segment yet. */
  draft(): Draft {
    return new Draft(this.pathOf(`draft-${randomBytes(8).toString("hex")}.tmp`), this.#store);
  }

  /** Gives a draft that is durable its name, durably. */
  publish(draft: Draft, name: string): void {
    renameSync(draft.path, this.pathOf(name));
    syncFolder(this.path);
  }

  /**
   * Gives a file that is a segment of another history, perhaps the only copy of it, another name;
   * answers its path.
   */
  setAside(name: string): string {
    let path = this.pathOf(`${name}.unrecorded`);
    for (let count = 2; existsSync(path); count += 1)
      path = this.pathOf(`${name}.unrecorded-${count}`);
    renameSync(this.pathOf(name), path);
    syncFolder(this.path);
    return path;
  }

  /** Removes a segment that nothing relies on, durably. */
  remove(name: string): void {
    rmSync(this.pathOf(name), { force: true });
    syncFolder(this.path);
  }

  /** Removes what a process that died has left unfinished; only who has the lock may. */
  removeDrafts(): void {
    for (const name of this.#list()) if (DRAFT.test(name)) rmSync(this.pathOf(name));
  }

  #list(): readonly string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }
}

/** A file that is being written. */
export class Draft {
  readonly path: string;
  readonly #descriptor: number;
  #isOpen = true;

  constructor(path: string, store: string) {
    this.path = path;
    this.#descriptor = openSync(path, "wx", 0o600);
    giveToOwnerOf(store, this.#descriptor);
  }

  /** Writes at its end, all of it. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    // The system may write less than it was given, as when the disk gets full.
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
  }

  /** Makes what was written durable, and closes the file. */
  finish(): void {
    fsyncSync(this.#descriptor);
    this.#close();
  }

  /** Removes the file, of which nothing is wanted any more. */
  discard(): void {
    this.#close();
    rmSync(this.path, { force: true });
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#descriptor);
  }
}

/** Opens a file of entries by its path. */
export function openBytes(path: string): OpenSegment {
  const descriptor = openSync(path, "r");
  return {
    path,
    sizeBytes: fstatSync(descriptor).size,
    read(offset, sizeBytes) {
      const buffer = Buffer.alloc(sizeBytes);
      let size = 0;
      for (;;) {
        const read = readSync(descriptor, buffer, size, sizeBytes - size, offset + size);
        size += read;
        if (read === 0 || size === sizeBytes) return buffer.subarray(0, size);
      }
    },
    close: () => closeSync(descriptor),
  };
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
