import { watch, type FSWatcher } from "node:fs";

/** How often the database is asked for changes that no event has told of, ms. */
const POLL_MS = 250;

/**
 * The least time between two looks that others' appends bring about, ms. Where many processes
 * append, each would else be woken, and read, for every single one of all the others. While
 * something is heard in every rest the next one is twice as long.
 */
const RESTING_MS_MIN = 4;
const RESTING_MS_MAX = 32;

/** What a watch looks at. */
export interface WatchedStore {
  /** A file that every append of any process writes to. */
  readonly path: string;
  /** A number that changes when another connection has committed. */
  readonly changes: () => number;
}

/**
 * Tells listeners that something may have been appended: at once by this process, soon by others.
 * It keeps no process alive.
 */
export class Watching {
  readonly #store: WatchedStore;
  readonly #listeners = new Set<() => void>();
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #resting: NodeJS.Timeout | undefined;
  /** Whether something was heard while it rested. */
  #isStale = false;
  #restMs = RESTING_MS_MIN;
  #seen: number | undefined;

  constructor(store: WatchedStore) {
    this.#store = store;
  }

  /** Adds a listener and returns how to remove it. */
  add(listener: () => void): () => void {
    // A wrapper, so that the same function may listen twice and leave once.
    const hint = (): void => listener();
    this.#listeners.add(hint);
    if (this.#poll === undefined) this.#start();
    return () => {
      this.#listeners.delete(hint);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /** Calls every listener, later: one that looks at once must not run inside an append. */
  notify(): void {
    for (const hint of this.#listeners) queueMicrotask(hint);
  }

  /** Forgets every listener. */
  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #start(): void {
    this.#seen = this.#read();
    this.#poll = setInterval(() => this.#look(), POLL_MS).unref();
    try {
      this.#watcher = watch(this.#store.path, { persistent: false }, () => this.#hear());
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // The host has no more watches to give: polling alone is slower, not wrong.
    }
  }

  #stop(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#resting);
    this.#watcher?.close();
    this.#resting = undefined;
    this.#isStale = false;
    this.#poll = undefined;
    this.#watcher = undefined;
  }

  /** Looks at once, and then not before it has rested. */
  #hear(): void {
    this.#isStale = this.#resting !== undefined;
    if (this.#isStale) return;
    this.#look();
    this.#resting = setTimeout(() => {
      this.#resting = undefined;
      this.#restMs = this.#isStale ? Math.min(2 * this.#restMs, RESTING_MS_MAX) : RESTING_MS_MIN;
      if (this.#isStale) this.#hear();
    }, this.#restMs).unref();
  }

  #look(): void {
    const now = this.#read();
    if (now !== undefined && now === this.#seen) return;
    this.#seen = now;
    this.notify();
  }

  /** The store's number, or undefined when it cannot be read: listeners then meet the fault. */
  #read(): number | undefined {
    try {
      return this.#store.changes();
    } catch {
      return undefined;
    }
  }
}
