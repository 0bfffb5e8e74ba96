import { closeSync, constants, fchownSync, fstatSync, openSync, statSync } from "node:fs";

/**
 * Where this process is root's: gives a file that it has just made to whoever owns another, who
 * could not use it else. Where that may not be done the file stays root's.
 */
export function giveToOwnerOf(other: string, descriptor: number): void {
  if (process.geteuid?.() !== 0) return;
  try {
    const { uid, gid } = statSync(other);
    if (fstatSync(descriptor).uid !== uid) fchownSync(descriptor, uid, gid);
  } catch {
    // A root without that right, as in a container, or a file system without owners.
  }
}

/** As {@link giveToOwnerOf}, for a folder; one behind a link is left alone. */
export function giveFolderToOwnerOf(other: string, folder: string): void {
  if (process.geteuid?.() !== 0) return;
  try {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const descriptor = openSync(folder, flags);
    try {
      giveToOwnerOf(other, descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // As above; that the folder cannot be used is met by whoever writes to it.
  }
}
