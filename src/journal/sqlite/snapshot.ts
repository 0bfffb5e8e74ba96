import type { Snapshot } from "../../ports/journal.ts";
import { mustBeWhole } from "../snapshots.ts";
import type { JournalStore } from "./store.ts";

/** Keeps a snapshot, durably, and drops the oldest; the journal must hold the entry it is of. */
export function saveSnapshot(store: JournalStore, snapshot: Snapshot): void {
  const { database } = store;
  try {
    database.begin();
    const head = store.look();
    store.mustContinue(snapshot, head, "the snapshot");
    database.saveSnapshot(snapshot);
    database.commit();
  } catch (error) {
    database.rollback();
    throw error;
  }
}

/** The snapshots kept, newest first, each as it was kept. */
export function readSnapshots(store: JournalStore): Snapshot[] {
  const snapshots = store.database.snapshots();
  // Looked at after them: another process may save one of an entry that is new as well.
  const head = store.look();
  for (const snapshot of snapshots) {
    mustBeWhole(snapshot);
    store.mustContinue(snapshot, head, "a snapshot");
  }
  return snapshots;
}
