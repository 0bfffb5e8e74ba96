import type { Entry } from "../../kernel/entry.ts";
import { GENESIS, type Head } from "../../ports/journal.ts";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { toEdge } from "../names.ts";
import { demandOptions } from "../given-options.ts";
import type { Seat } from "../seat.ts";
import { holding } from "../waiting.ts";
import type { EntryView } from "./feed.ts";

/** Which entries of the journal, and whether those to come. */
export interface EntriesOptions {
  /** The seq of the first one; default 1. */
  readonly from?: number;
  /** Whether to wait for further entries at the end, until the handle is closed; default false. */
  readonly follow?: boolean;
}

/** How many entries are read at a time. */
const pageMax = 512;

/** Iterates the journal, each entry verified, and follows it if asked. */
export async function* readEntries(
  seat: Seat,
  options: EntriesOptions = {},
): AsyncGenerator<EntryView, void, undefined> {
  demandOptions(options, ["from", "follow"]);
  const { from = 1, follow = false } = options;
  if (!Number.isSafeInteger(from) || from < 1)
    throw new InputError("usage", [
      { path: "from", expected: "an integer from 1 on", got: describeValue(from) },
    ]);
  const news = new News(seat);
  try {
    let after = await headBefore(seat, from);
    for (;;) {
      const entries = after === undefined ? [] : await seat.store.journal.read(after, pageMax);
      yield* entries.map((entry) => toEdge(entry));
      after = headOf(entries) ?? after ?? (await headBefore(seat, from));
      if (entries.length > 0) continue;
      if (!follow || !(await news.wait())) return;
    }
  } finally {
    news.close();
  }
}

/** The head that an entry follows; undefined while the journal ends before it. */
async function headBefore(seat: Seat, from: number): Promise<Head | undefined> {
  if (from === 1) return GENESIS;
  const [stored] = await seat.store.journal.readStored(from - 2, 1);
  return stored === undefined ? undefined : { seq: from - 1, hash: stored.hash };
}

function headOf(entries: readonly Entry[]): Head | undefined {
  const last = entries.at(-1);
  return last === undefined ? undefined : { seq: last.seq, hash: last.hash };
}

/** Tells one waiter that something was appended, or that the handle was closed. */
class News {
  readonly #closing: AbortSignal;
  readonly #unsubscribe: () => void;
  #hasNews = false;
  #wake: () => void = () => undefined;

  constructor(seat: Seat) {
    if (seat.closing.aborted) throw new Fault("closed", "the fleet must be open, it was closed");
    this.#closing = seat.closing;
    this.#unsubscribe = seat.loop.onEntry(() => this.#tell());
    this.#closing.addEventListener("abort", this.#tell);
  }

  readonly #tell = (): void => {
    this.#hasNews = true;
    this.#wake();
  };

  /** Waits for news; false when the handle was closed. Keeps the process running meanwhile. */
  async wait(): Promise<boolean> {
    if (!this.#hasNews && !this.#closing.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await holding(promise);
    }
    this.#hasNews = false;
    return !this.#closing.aborted;
  }

  close(): void {
    this.#unsubscribe();
    this.#closing.removeEventListener("abort", this.#tell);
  }
}
