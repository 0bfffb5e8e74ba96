import type { Journal } from "../../ports/journal.ts";
import type { Call } from "../call.ts";

/**
 * Opens the journal of the fleet that is meant, for `use` alone: nothing looks after the fleet
 * meanwhile, and nothing is written. Throws the `Fault`s of the store.
 */
export async function withJournal<T>(
  call: Call,
  use: (journal: Journal) => Promise<T>,
): Promise<T> {
  const { stateDir } = await call.place();
  const { openStore } = await import("../../compose/record/inspection.ts");
  const opened = await openStore(stateDir);
  try {
    return await use(opened.journal);
  } finally {
    await opened.close();
  }
}
