import { LIMITS } from "../../src/kernel/limits.ts";
import type { Journal, PlacedEntry } from "../../src/ports/journal.ts";

/** Everything that a journal stores, as it is stored. */
export async function readAllStored(journal: Journal): Promise<readonly PlacedEntry[]> {
  const all: PlacedEntry[] = [];
  for (;;) {
    const slice = await journal.readStored(all.at(-1)?.seq ?? 0, LIMITS.readEntriesMax);
    if (slice.length === 0) return all;
    all.push(...slice);
  }
}
