import { setTimeout as wait } from "node:timers/promises";
import type { Entry } from "../../kernel/entry.ts";
import type { Journal } from "../../ports/journal.ts";
import { GENESIS, type Head } from "../../ports/journal.ts";

/** How many entries are read at a time. */
const pageMax = 512;

/** How long a follower waits for a hint before it looks by itself, ms: hints may be missing. */
const lookEveryMs = 1_000;

/** Which entries of a journal are read. */
export interface TailOptions {
  /** The first one; later than the end: what comes from there on. */
  readonly fromSeq: number;
  /** Follows until it fires; absent: ends at the journal's end. */
  readonly until?: AbortSignal;
}

/**
 * Reads a journal from an entry on, verified, and follows it if asked. Throws the `Fault`s of
 * reading; that it is stopped is no error.
 */
export async function* readTail(
  journal: Journal,
  { fromSeq, until }: TailOptions,
): AsyncGenerator<Entry, void, undefined> {
  const hints = new Hints(journal, until);
  try {
    let after = await headBefore(journal, fromSeq);
    for (;;) {
      const page = after === undefined ? [] : await journal.read(after, pageMax);
      yield* page;
      if (until?.aborted === true) return;
      const last = page.at(-1);
      after = last ?? after ?? (await headBefore(journal, fromSeq));
      if (last === undefined && !(await hints.wait())) return;
    }
  } finally {
    hints.close();
  }
}

/** The head that an entry follows; undefined while the journal ends before it. */
async function headBefore(journal: Journal, fromSeq: number): Promise<Head | undefined> {
  if (fromSeq <= 1) return GENESIS;
  // Where the archive ends its record tells the hash: its files are not needed for what follows.
  const archived = (await journal.segments()).find(({ last }) => last.seq === fromSeq - 1);
  if (archived !== undefined) return archived.last;
  const [stored] = await journal.readStored(fromSeq - 2, 1);
  if (stored === undefined) return undefined;
  if (stored.seq < fromSeq) return { seq: stored.seq, hash: stored.hash };
  return headBelow(journal, fromSeq);
}

/** The newest head below a seq within a gap, where entries were lost: found from the beginning. */
async function headBelow(journal: Journal, seq: number): Promise<Head> {
  let head = GENESIS;
  for (;;) {
    const page = await journal.readStored(head.seq, pageMax);
    const below = page.filter((stored) => stored.seq < seq);
    const last = below.at(-1);
    if (last !== undefined) head = { seq: last.seq, hash: last.hash };
    if (last === undefined || below.length < page.length) return head;
  }
}

/** Waits for something to look for, without missing what came while nobody waited. */
class Hints {
  readonly #until: AbortSignal | undefined;
  readonly #unwatch: () => void;
  #hasNews = false;
  #wake = new AbortController();

  constructor(journal: Journal, until: AbortSignal | undefined) {
    this.#until = until;
    this.#unwatch = until === undefined ? () => undefined : journal.watch(() => this.#tell());
    until?.addEventListener("abort", this.#tell);
  }

  readonly #tell = (): void => {
    this.#hasNews = true;
    this.#wake.abort();
  };

  /** Waits for a hint or a while; false when nothing is to be followed any more. */
  async wait(): Promise<boolean> {
    if (this.#until === undefined || this.#until.aborted) return false;
    if (!this.#hasNews) {
      this.#wake = new AbortController();
      // Woken by an abort: that is the hint, and no error.
      await wait(lookEveryMs, undefined, { signal: this.#wake.signal }).catch(() => undefined);
    }
    this.#hasNews = false;
    return !this.#until.aborted;
  }

  close(): void {
    this.#unwatch();
    this.#until?.removeEventListener("abort", this.#tell);
  }
}
