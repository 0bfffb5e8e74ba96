import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** How many names are looked at, at most; each costs a look at the disk. */
const namesMax = 64;

/** How a disk is looked at. */
export interface Disk {
  /** The names in a folder, as they are listed; none where it cannot be read. */
  readonly namesIn: (folder: string) => readonly string[];
  /** The same for the same file; undefined where there is none, or it cannot be looked at. */
  readonly identityOf: (path: string) => string | undefined;
}

/**
 * Whether the file system of a folder takes names that differ in case alone for the same. It is
 * found out by looking for a name that is there in other letters, and nothing is written; where no
 * name has a letter, it is taken to tell them apart.
 */
export function foldsCase(folder: string, disk: Disk = DISK): boolean {
  const own = foldingAmong(disk, folder, disk.namesIn(folder));
  return own ?? foldingAmong(disk, dirname(folder), [basename(folder)]) ?? false;
}

/** Undefined where no name can tell. */
function foldingAmong(disk: Disk, folder: string, names: readonly string[]): boolean | undefined {
  const known = new Set(names);
  for (const name of names.slice(0, namesMax)) {
    const other = inOtherCase(name);
    if (other === name) continue;
    // Both stand in the folder, so they are two.
    if (known.has(other)) return false;
    const identity = disk.identityOf(join(folder, name));
    // One that is gone by now tells nothing.
    if (identity !== undefined) return identity === disk.identityOf(join(folder, other));
  }
  return undefined;
}

/** ASCII alone: what else is folded differs from one file system to the next. */
function inOtherCase(name: string): string {
  return name.replaceAll(/[a-z]+|[A-Z]+/g, (letters) => {
    const upper = letters.toUpperCase();
    return letters === upper ? letters.toLowerCase() : upper;
  });
}

const DISK: Disk = {
  namesIn(folder) {
    try {
      return readdirSync(folder).toSorted();
    } catch {
      return [];
    }
  },
  identityOf(path) {
    try {
      const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      return found === undefined ? undefined : `${found.dev}:${found.ino}`;
    } catch {
      return undefined;
    }
  },
};
