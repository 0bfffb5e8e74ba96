import type { BusIdentity } from "../ports/bus.ts";
import type { Parcel, ParcelQueue, Taken } from "./queue.ts";
import { matches, type Tokens } from "./subject.ts";

/** One reader of the bus. It is read by one who waits at a time. */
export class Subscription {
  readonly by: BusIdentity;
  readonly #patterns: readonly Tokens[];
  readonly #queue: ParcelQueue;
  readonly #onClose: (subscription: Subscription) => void;
  #waiting: ((taken: Taken | undefined) => void) | undefined;
  #isClosed = false;

  constructor(so: {
    readonly by: BusIdentity;
    readonly patterns: readonly Tokens[];
    readonly queue: ParcelQueue;
    readonly onClose: (subscription: Subscription) => void;
  }) {
    this.by = so.by;
    this.#patterns = so.patterns;
    this.#queue = so.queue;
    this.#onClose = so.onClose;
  }

  /** Whether it is closed: nothing more comes. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether one of its patterns matches; a message that several match comes once. */
  hears(subject: Tokens): boolean {
    return this.#patterns.some((pattern) => matches(pattern, subject));
  }

  /** Puts a parcel in, and wakes the reader. Never waits. */
  put(parcel: Parcel): void {
    if (this.#isClosed) return;
    this.#queue.put(parcel);
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const taken = this.#queue.take();
    if (taken === undefined) return;
    this.#waiting = undefined;
    waiting(taken);
  }

  /** What is there now, without waiting. */
  takeNow(): Taken | undefined {
    return this.#isClosed ? undefined : this.#queue.take();
  }

  /** What comes next; undefined when it is closed, or was poked. */
  take(): Promise<Taken | undefined> {
    const taken = this.takeNow();
    if (taken !== undefined || this.#isClosed) return Promise.resolve(taken);
    const { promise, resolve } = Promise.withResolvers<Taken | undefined>();
    this.#waiting?.(undefined);
    this.#waiting = resolve;
    return promise;
  }

  /** Wakes a reader that waits, with nothing. */
  poke(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(undefined);
  }

  /** Ends it; whoever waits is woken always, however full the queue is. Safe to call twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue.clear();
    this.#onClose(this);
    this.poke();
  }
}
