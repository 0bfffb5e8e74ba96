import type { Entry } from "../../kernel/entry.ts";
import { errorText } from "../../library/error-text.ts";
import type { Seat } from "../../library/seat.ts";
import type { BusDelivery } from "../../ports/bus.ts";
import type { BusLink } from "../bus-link.ts";
import type { ServerNumbers } from "../numbers.ts";
import { busFrame } from "./frames.ts";
import { RecentEntries } from "./recent.ts";
import { EventStream, type StreamOptions } from "./stream.ts";

/** The most streams that are open at once, and of one token: the rest is for others. */
const streamsMax = 2_000;
const streamsOfOneMax = 1_000;

/** Within so long what comes is told together: many entries a second are not many writes, ms. */
const togetherMs = 10;

/** How often a stream says that it is there, ms. */
const aliveEveryMs = 15_000;

/** The pause before the bus is asked for again where no line to it could be had, ms. */
const busAgainMs = 1_000;

/** Beats are the supervisor's to count; what is left of the bus is told. */
const subjectsOf = (fleet: string): readonly string[] => [
  "system.*.*.status",
  "system.*.*.control",
  `fleet.${fleet}.worker.>`,
  `fleet.${fleet}.operator.>`,
];

/** What the events are told from. */
export interface BroadcastOptions {
  readonly seat: Seat;
  readonly bus: BusLink;
  readonly numbers: ServerNumbers;
}

/** Tells all streams what comes: entries of the journal, and what the bus delivers. */
export class Broadcast {
  readonly recent: RecentEntries;
  readonly #so: BroadcastOptions;
  readonly #streams = new Set<EventStream>();
  readonly #closing = new AbortController();
  readonly #unsubscribe: () => void;
  #flush: NodeJS.Timeout | undefined;
  readonly #alive: NodeJS.Timeout;
  #flushedAtMs = -Infinity;
  #isBusUp = false;

  constructor(options: BroadcastOptions) {
    const { seat } = options;
    this.#so = options;
    this.recent = new RecentEntries(seat.loop.head().seq);
    this.#unsubscribe = seat.loop.onEntry((entry) => this.#onEntry(entry));
    this.#alive = setInterval(() => {
      for (const stream of this.#streams) stream.sayAlive();
    }, aliveEveryMs).unref();
    void this.#followBus();
  }

  /** Whether the bus is heard now. */
  get isBusUp(): boolean {
    return this.#isBusUp;
  }

  /** Whether one more stream may be opened with a token. */
  hasRoomFor(owner: string): boolean {
    if (this.#streams.size >= streamsMax || this.#closing.signal.aborted) return false;
    let ownCount = 0;
    for (const stream of this.#streams) if (stream.owner === owner) ownCount += 1;
    return ownCount < streamsOfOneMax;
  }

  /** Opens a stream. */
  open(options: Omit<StreamOptions, "recent" | "journal" | "onLost" | "onEnd">): EventStream {
    const { numbers, seat } = this.#so;
    const stream = new EventStream({
      ...options,
      recent: this.recent,
      journal: seat.store.journal,
      onLost: (count) => numbers.lost(count),
      onEnd: (ended) => {
        this.#streams.delete(ended);
        numbers.streams = this.#streams.size;
      },
    });
    this.#streams.add(stream);
    numbers.streams = this.#streams.size;
    return stream;
  }

  /** Ends all streams and hears nothing more; safe to call twice. */
  close(): void {
    this.#closing.abort();
    this.#unsubscribe();
    clearInterval(this.#alive);
    clearTimeout(this.#flush);
    for (const stream of this.#streams) stream.end();
  }

  #onEntry(entry: Entry): void {
    this.recent.add(entry);
    if (this.#flush !== undefined) return;
    const waitMs = Math.max(0, togetherMs - (performance.now() - this.#flushedAtMs));
    this.#flush = setTimeout(() => {
      this.#flush = undefined;
      this.#flushedAtMs = performance.now();
      for (const stream of this.#streams) stream.wake();
    }, waitMs);
  }

  #deliver(delivery: BusDelivery): void {
    if (delivery.kind === "open" || delivery.kind === "down") {
      const isUp = delivery.kind === "open";
      if (isUp === this.#isBusUp) return;
      this.#isBusUp = isUp;
      this.#so.numbers.isBusUp = isUp;
    }
    const bytes = busFrame(delivery);
    for (const stream of this.#streams) stream.hear(delivery, bytes);
  }

  /** Follows the bus for as long as this is open; without a supervisor it asks again. */
  async #followBus(): Promise<void> {
    const { seat, bus } = this.#so;
    const { signal } = this.#closing;
    const subjects = subjectsOf(seat.fleet);
    while (!signal.aborted) {
      try {
        const line = await bus.line();
        await line.follow(subjects, (delivery) => this.#deliver(delivery), signal);
      } catch (error) {
        seat.log.info("the bus is not heard", { error: errorText(error) });
      }
      this.#deliver({ kind: "down" });
      if (!signal.aborted) await seat.timers.wait(busAgainMs);
    }
  }
}
