import { LIMITS } from "../../src/kernel/limits.ts";
import type { Journal, StoredEntry } from "../../src/ports/journal.ts";

/** Everything that a journal stores, as it is stored. */
export async function readAllStored(journal: Journal): Promise<readonly StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (;;) {
    const slice = await journal.readStored(all.length, LIMITS.readEntriesMax);
    if (slice.length === 0) return all;
    all.push(...slice);
  }
}
