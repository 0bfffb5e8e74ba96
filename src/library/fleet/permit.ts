import { open, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../ports/fault.ts";
import type { Permit } from "./store.ts";

/** The file that is the permit of a fleet in its state folder. */
export function permitFile(folder: string, fleet: string): string {
  return join(folder, `permit-${fleet}`);
}

/**
 * Permits as empty files in a state folder. Granted durably; taking one away is one `unlink`, which
 * works on a full disk too.
 */
export function filePermit(folder: string): Permit {
  return {
    async grant(fleet) {
      const file = await open(permitFile(folder, fleet), "w", 0o600);
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(folder);
    },
    async isGranted(fleet) {
      try {
        await stat(permitFile(folder, fleet));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        const message = `the permit of ${fleet} must be readable in ${folder}`;
        throw new Fault("storage_failed", message, { cause: error });
      }
    },
    async revoke(fleet) {
      try {
        await unlink(permitFile(folder, fleet));
        await syncFolder(folder);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

/** Permits of fleets that live in this process's memory. */
export function memoryPermit(): Permit {
  const granted = new Set<string>();
  return {
    grant: async (fleet) => void granted.add(fleet),
    isGranted: async (fleet) => granted.has(fleet),
    revoke: async (fleet) => void granted.delete(fleet),
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
