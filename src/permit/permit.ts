import fs from "node:fs";
import { Fault } from "../ports/fault.ts";
import { codeOf } from "../ports/error-code.ts";
import type { KilledFleets } from "./killed-fleets.ts";
import type { Permit } from "../ports/permit.ts";
import { isPermit, permitFile } from "../system/places.ts";

/** Whether a state folder has, or had, a fleet: the permit of one lies in it. */
export async function holdsPermit(folder: string): Promise<boolean> {
  try {
    return (await fs.promises.readdir(folder)).some(isPermit);
  } catch (error) {
    if (isMissing(error)) return false;
    const message = `the state folder ${folder} must be readable`;
    throw new Fault("storage_failed", message, { cause: error });
  }
}

/**
 * Permits as empty files in a state folder. Granted durably; taking one away is one `unlink`, which
 * works on a full disk too. A fleet that is remembered as killed has none, whatever lies there.
 */
export function filePermit(folder: string, killed: KilledFleets): Permit {
  const remove = async (fleet: string): Promise<void> => {
    try {
      await fs.promises.unlink(permitFile(folder, fleet));
      await syncFolder(folder);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  };
  return {
    async grant(fleet) {
      const file = await fs.promises.open(permitFile(folder, fleet), "w", 0o600);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(folder);
    },
    async isGranted(fleet) {
      if (await killed.has(fleet)) return false;
      try {
        fs.statSync(permitFile(folder, fleet));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        const message = `the permit of ${fleet} must be readable in ${folder}`;
        throw new Fault("storage_failed", message, { cause: error });
      }
    },
    withdraw: remove,
    async revoke(fleet) {
      await remove(fleet);
      // The permit is what binds here. Without a home, or with a full disk there, only copies of
      // this folder are not known to be killed.
      await killed.remember(fleet).catch(() => undefined);
    },
  };
}

/** Permits of fleets that live in this process's memory. */
export function memoryPermit(): Permit {
  const granted = new Set<string>();
  return {
    grant: async (fleet) => void granted.add(fleet),
    isGranted: async (fleet) => granted.has(fleet),
    withdraw: async (fleet) => void granted.delete(fleet),
    revoke: async (fleet) => void granted.delete(fleet),
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await fs.promises.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}
