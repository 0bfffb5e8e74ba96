import type { EntryView, Fleet } from "../../index.ts";
import { Missed, type Awaited, type Patience } from "./patience.ts";

/** Entries of the journal in their order, as they are written. */
export class Chronicle {
  readonly #entries: EntryView[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #patience: Patience;

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  /** Follows a fleet's journal until the fleet's handle is closed; tells each entry. */
  async follow(fleet: Fleet, tell: (entry: EntryView) => void): Promise<void> {
    for await (const entry of fleet.entries({ follow: true })) {
      this.#entries.push(entry);
      tell(entry);
      for (const look of this.#waiting) look();
    }
  }

  /** All entries so far. */
  get entries(): readonly EntryView[] {
    return this.#entries;
  }

  /** The id of the first worker that was admitted by a name. */
  idOf(name: string): string | undefined {
    for (const entry of this.#entries)
      if (entry.kind === "worker.admitted" && entry.data.manifest.name === name)
        return entry.data.manifest.instance;
    return undefined;
  }

  /** Waits until a worker of a name is registered; answers its id. */
  registered(name: string, withinMs: number): Promise<string> {
    return this.until({ what: `${name} runs`, withinMs }, () => {
      const id = this.idOf(name);
      return this.find("worker.registered", id) === undefined ? undefined : id;
    });
  }

  /** The first entry of a kind about a worker, after a place where one is given. */
  find<K extends AboutWorker>(
    kind: K,
    worker: string | undefined,
    afterSeq = 0,
  ): EntryOf<K> | undefined {
    return this.#entries.find((entry): entry is EntryOf<K> =>
      entry.kind === kind && entry.seq > afterSeq && "worker" in entry.data
        ? entry.data.worker === worker
        : false,
    );
  }

  /** Calls back whenever an entry has come; answers how to stop that. */
  watch(look: () => void): () => void {
    this.#waiting.add(look);
    return () => void this.#waiting.delete(look);
  }

  /** The most workers that lived at once, by the entries so far. */
  get liveMax(): number {
    const live = new Set<string>();
    let most = 0;
    for (const { kind, data } of this.#entries) {
      if (kind === "worker.admitted") live.add(data.manifest.instance);
      if (kind === "worker.stopped" || kind === "worker.lapsed") live.delete(data.worker);
      most = Math.max(most, live.size);
    }
    return most;
  }

  /** The workers that were ever admitted, by the entries so far. */
  get admitted(): ReadonlySet<string> {
    return new Set(
      this.#entries.flatMap((entry) =>
        entry.kind === "worker.admitted" ? entry.data.manifest.instance : [],
      ),
    );
  }

  /**
   * Waits until something is found in the entries. Throws {@link Missed} when it does not come in
   * time, and the reason of the patience's signal when it fires.
   */
  until<T>(awaited: Awaited, find: () => T | undefined): Promise<T> {
    return this.#patience.naming(awaited.what, () => this.#wait(awaited, find));
  }

  async #wait<T>(awaited: Awaited, find: () => T | undefined): Promise<T> {
    const { signal } = this.#patience;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const look = (): void => {
      const found = find();
      if (found !== undefined) resolve(found);
    };
    const giveUp = (): void => reject(signal.reason as Error);
    const timer = setTimeout(() => reject(new Missed(awaited)), awaited.withinMs);
    this.#waiting.add(look);
    signal.addEventListener("abort", giveUp);
    try {
      look();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
      signal.removeEventListener("abort", giveUp);
    }
  }
}

/** The kinds of entries that are about one worker. */
export type AboutWorker =
  | "worker.registered"
  | "worker.staled"
  | "worker.recovered"
  | "worker.stopped"
  | "worker.quarantined"
  | "worker.unquarantined";

/** An entry of a kind. */
export type EntryOf<K extends EntryView["kind"]> = Extract<EntryView, { readonly kind: K }>;
