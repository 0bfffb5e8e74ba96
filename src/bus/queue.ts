// What one subscriber has not read yet.
//
//     messages ──▶ [oldest … newest]   bounded; the oldest give way, and a mark says how many
//     beats    ──▶ {subject: newest}   a newer one takes the place of an older
//
// Both are read in turn, so that neither a burst of messages nor many beats hold up the others.

import type { Envelope } from "../ports/bus.ts";

/** What is queued of a published message; one for all subscribers. */
export interface Parcel {
  readonly envelope: Envelope;
  /** Whether a newer one on its subject replaces it. */
  readonly isBeat: boolean;
  /** Its size as a line of a stream, bytes. */
  readonly sizeBytes: number;
  /** Until when it is delivered, by the monotonic clock, ms; undefined: for ever. */
  readonly untilMs: number | undefined;
}

/** What a reader takes; undefined when there is nothing now. */
export type Taken =
  | { readonly kind: "message"; readonly envelope: Envelope }
  | { readonly kind: "lost"; readonly count: number };

/** How much waits for one reader at most. */
export interface QueueLimits {
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Subjects whose newest beat is kept. */
  readonly beatsMax: number;
}

/** Enough for a burst, not enough to hurt the process that keeps it. */
export const QUEUE_LIMITS: QueueLimits = {
  messagesMax: 1_024,
  bytesMax: 4 * 2 ** 20,
  beatsMax: 32_768,
};

/** The parcels that wait for one reader; see the head of this file. */
export class ParcelQueue {
  readonly #limits: QueueLimits;
  readonly #nowMs: () => number;
  /** Called with how many were dropped. */
  readonly #onLost: (count: number) => void;
  #messages: (Parcel | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #lost = 0;
  readonly #beats = new Map<string, Parcel>();
  #isBeatNext = false;

  constructor(
    limits: QueueLimits,
    so: { readonly nowMs: () => number; readonly onLost: (count: number) => void },
  ) {
    this.#limits = limits;
    this.#nowMs = so.nowMs;
    this.#onLost = so.onLost;
  }

  /** Puts a parcel in; others give way where there is no room. */
  put(parcel: Parcel): void {
    if (parcel.isBeat) this.#putBeat(parcel);
    else this.#putMessage(parcel);
  }

  /** Takes what comes next; undefined when there is nothing. */
  take(): Taken | undefined {
    if (this.#lost > 0) {
      const count = this.#lost;
      this.#lost = 0;
      return { kind: "lost", count };
    }
    const isBeatFirst = this.#isBeatNext;
    this.#isBeatNext = !isBeatFirst;
    const envelope = isBeatFirst
      ? (this.#takeBeat() ?? this.#takeMessage())
      : (this.#takeMessage() ?? this.#takeBeat());
    return envelope && { kind: "message", envelope };
  }

  /** Forgets everything. */
  clear(): void {
    this.#messages = [];
    this.#first = 0;
    this.#bytes = 0;
    this.#lost = 0;
    this.#beats.clear();
  }

  get #count(): number {
    return this.#messages.length - this.#first;
  }

  #putMessage(parcel: Parcel): void {
    this.#messages.push(parcel);
    this.#bytes += parcel.sizeBytes;
    while (this.#count > this.#limits.messagesMax || this.#bytes > this.#limits.bytesMax)
      this.#lose(this.#shift());
  }

  #putBeat(parcel: Parcel): void {
    const { subject } = parcel.envelope;
    // At the end again: who waited longest comes first, and a fast one does not stay in front.
    this.#beats.delete(subject);
    this.#beats.set(subject, parcel);
    if (this.#beats.size <= this.#limits.beatsMax) return;
    const [oldest] = this.#beats.keys();
    this.#lose(oldest === undefined ? undefined : this.#beats.get(oldest));
    if (oldest !== undefined) this.#beats.delete(oldest);
  }

  /** Counts what gave way. What nobody would have been told any more is no loss. */
  #lose(parcel: Parcel | undefined): void {
    if (parcel === undefined || this.#isOver(parcel)) return;
    this.#lost += 1;
    this.#onLost(1);
  }

  #takeMessage(): Envelope | undefined {
    while (this.#count > 0) {
      const parcel = this.#shift();
      if (parcel !== undefined && !this.#isOver(parcel)) return parcel.envelope;
    }
    return undefined;
  }

  #takeBeat(): Envelope | undefined {
    const next = this.#beats.values().next();
    if (next.done === true) return undefined;
    this.#beats.delete(next.value.envelope.subject);
    return next.value.envelope;
  }

  #shift(): Parcel | undefined {
    const parcel = this.#messages[this.#first];
    this.#messages[this.#first] = undefined;
    this.#first += 1;
    this.#bytes -= parcel?.sizeBytes ?? 0;
    // Moved together now and then, not at each turn.
    if (this.#first > 256 && this.#first * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#first);
      this.#first = 0;
    }
    return parcel;
  }

  #isOver({ untilMs }: Parcel): boolean {
    return untilMs !== undefined && this.#nowMs() >= untilMs;
  }
}
