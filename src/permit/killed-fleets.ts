import fs from "node:fs";
import { join } from "node:path";
import { userFolder } from "../system/folders.ts";

/**
 * The fleets that were killed, by id, kept outside of every state folder: a copy of a state folder,
 * or a backup from before the kill, must not bring a fleet back to life (I3).
 *
 * They lie in `$XDG_STATE_HOME/stint/killed`, else `~/.local/state/stint/killed`, an empty file
 * each. This is one user's memory on one host: elsewhere a copy is not known to be killed.
 */
export interface KilledFleets {
  /** Remembers a fleet as killed; rejects when that cannot be written. */
  remember(fleet: string): Promise<void>;
  /** Whether a fleet is remembered as killed; false where nothing can be read. */
  has(fleet: string): Promise<boolean>;
}

/** The killed fleets as this user's files on this host. */
export function killedFleetsOfUser(): KilledFleets {
  return {
    async remember(fleet) {
      const folder = folderOfKilled();
      await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await fs.promises.open(join(folder, fleet), "w", 0o600);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async has(fleet) {
      try {
        return fs.statSync(join(folderOfKilled(), fleet)).isFile();
      } catch {
        // No such file, no such folder, or none that may be read: nothing is remembered.
        return false;
      }
    },
  };
}

/**
 * The folder of that memory, created where it can be: what is to be kept from workers must be
 * there to be covered, or they could write a fleet's death, or forget one.
 */
export async function ensureKilledFolder(): Promise<string> {
  const folder = folderOfKilled();
  // Without a home there is no such memory, for workers neither.
  await fs.promises.mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
  return folder;
}

function folderOfKilled(): string {
  return userFolder("killed");
}
