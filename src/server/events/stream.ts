import type { BusDelivery } from "../../ports/bus.ts";
import type { Journal } from "../../ports/journal.ts";
import { BusQueue } from "./bus-queue.ts";
import { ALIVE_FRAME, entryFrame, joined, openFrame } from "./frames.ts";
import { headAfter } from "./pages.ts";
import type { RecentEntries } from "./recent.ts";

/** How many bytes are handed on at once. */
const partBytesMax = 64 * 1_024;

/** How many entries are read at once for who is far behind. */
const pageMax = 256;

/** What a stream is made of. */
export interface StreamOptions {
  readonly recent: RecentEntries;
  readonly journal: Pick<Journal, "read" | "readStored">;
  /** The token that it was opened with. */
  readonly owner: string;
  /** What it begins with. */
  readonly opening: object;
  /** The entry after which it goes on; null: it has no entries of the journal. */
  readonly afterSeq: number | null;
  /** Which of what the bus delivers it has. */
  readonly hears: (delivery: BusDelivery) => boolean;
  /** Whether its reader still may read. */
  readonly mayGoOn: () => boolean;
  readonly onLost: (count: number) => void;
  /** Told once, when it is over. */
  readonly onEnd: (stream: EventStream) => void;
}

/**
 * One reader's events. It is pulled: nothing is made for who does not read, so that a slow reader
 * costs the others nothing. What it misses of the journal it finds there; what it misses of the bus
 * is dropped, and said to be.
 */
export class EventStream {
  readonly #so: StreamOptions;
  readonly #bus: BusQueue;
  #cursor: number | null;
  #first: readonly Uint8Array[];
  #isAliveDue = false;
  #isOver = false;
  #isCancelled = false;
  #wake: () => void = () => undefined;
  #hasNews = false;

  constructor(options: StreamOptions) {
    this.#so = options;
    this.#bus = new BusQueue(options.onLost);
    this.#cursor = options.afterSeq;
    this.#first = [openFrame(options.opening)];
  }

  /** The token that it was opened with. */
  get owner(): string {
    return this.#so.owner;
  }

  /** The stream as the body of an answer. */
  body(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: (controller) => this.#pull(controller),
        cancel: () => {
          this.#isCancelled = true;
          this.end();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Says that there may be entries it has not sent. */
  wake(): void {
    this.#hasNews = true;
    this.#wake();
  }

  /** Hands it what the bus has delivered, written already. */
  hear(delivery: BusDelivery, bytes: Uint8Array): void {
    if (this.#isOver || !this.#so.hears(delivery)) return;
    this.#bus.add(bytes);
    this.wake();
  }

  /** Has it say that it is there. */
  sayAlive(): void {
    this.#isAliveDue = true;
    this.wake();
  }

  /** Ends it; safe to call twice. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#so.onEnd(this);
    this.#wake();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      if (!this.#so.mayGoOn()) this.end();
      if (this.#isOver) {
        if (!this.#isCancelled) controller.close();
        return;
      }
      this.#hasNews = false;
      const pieces = await this.#next();
      if (pieces.length > 0) {
        // Who has hung up meanwhile wants nothing any more.
        if (!this.#isOver) controller.enqueue(joined(pieces));
        return;
      }
      await this.#news();
    }
  }

  async #next(): Promise<readonly Uint8Array[]> {
    const alive = this.#isAliveDue ? [ALIVE_FRAME] : [];
    const pieces = [...this.#first, ...this.#bus.take(), ...(await this.#entries())];
    this.#first = [];
    this.#isAliveDue = false;
    return pieces.length > 0 ? pieces : alive;
  }

  async #entries(): Promise<readonly Uint8Array[]> {
    if (this.#cursor === null) return [];
    const { recent, journal } = this.#so;
    const part = recent.after(this.#cursor, partBytesMax);
    if (part !== undefined) {
      this.#cursor = part.lastSeq;
      return part.pieces;
    }
    const head = await headAfter(journal, this.#cursor);
    const entries = head === undefined ? [] : await journal.read(head, pageMax);
    this.#cursor = entries.at(-1)?.seq ?? this.#cursor;
    return entries.map(entryFrame);
  }

  #news(): Promise<void> {
    if (this.#hasNews || this.#isOver) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    return promise;
  }
}
