// Not by its name: an older Node has no such export, and could not even say that it is too old.
import fs from "node:fs";

/**
 * How much a sandbox has written to what is its own, bytes, seen through its first process; and how
 * much it can at most. Undefined where that cannot be seen.
 */
export function scratchOf(
  keeper: number,
  at: string,
): { readonly use: number; readonly value: number } | undefined {
  try {
    const { bsize, blocks, bavail } = fs.statfsSync(`/proc/${keeper}/root${at}`);
    return { use: (blocks - bavail) * bsize, value: blocks * bsize };
  } catch {
    // It ended meanwhile, or the host keeps its users apart from their own rooms.
    return undefined;
  }
}
