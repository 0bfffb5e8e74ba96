import type { JournalStore } from "../store.ts";

/** Runs work on the store of a journal while that is open, waiting for other processes. */
export type OnStore = <T>(work: (store: JournalStore) => T) => Promise<T>;
