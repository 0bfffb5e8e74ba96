// What happens in a fleet, for those who follow along. Of four kinds none crowds out another:
//
//   entry    the journal itself: the audit trail, complete and durable; the ring is only its echo
//   event    what users say with `emit`
//   metric   what users measure with `metric`
//   beat     that a worker in hand was beaten for

import type { Entry } from "../../kernel/entry.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Log } from "../../ports/log.ts";
import { errorText } from "../error-text.ts";
import { toEdge, type Camel } from "../names.ts";
import { Ring } from "./ring.ts";

/** An entry of the journal as the library shows it. */
export type EntryView = Camel<Entry>;

/** Something that a user said, with whatever fields: they have a place of their own. */
export interface EventView {
  readonly kind: "event";
  readonly name: string;
  readonly atMs: number;
  readonly fields: JsonObject;
}

/** Something that a user of the library measured. */
export interface MetricView {
  readonly kind: "metric";
  readonly name: string;
  readonly value: number;
  readonly atMs: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** A sign of life that was given for a worker in hand. */
export interface BeatView {
  readonly kind: "beat";
  readonly worker: string;
  readonly atMs: number;
}

/** What is told to listeners, by its kind. */
export interface FeedMap {
  readonly entry: EntryView;
  readonly event: EventView;
  readonly metric: MetricView;
  readonly beat: BeatView;
}

/** A kind of what can be followed. */
export type FeedKind = keyof FeedMap;

/** How many of each kind are remembered. */
export const FEED_MAX: Readonly<Record<FeedKind, number>> = {
  // An entry may hold a state of 64 KiB, and is in the journal anyhow.
  entry: 1_000,
  event: 10_000,
  metric: 10_000,
  beat: 1_000,
};

/** The kinds of what can be followed. */
export const FEED_KINDS = Object.keys(FEED_MAX) as readonly FeedKind[];

type Listener = (item: never) => void;

/** Remembers the newest of each kind and tells listeners. */
export class Feed {
  readonly #rings = new Map<FeedKind, Ring<() => unknown>>();
  readonly #listeners = new Map<FeedKind, Set<Listener>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
    for (const kind of FEED_KINDS) {
      this.#rings.set(kind, new Ring(FEED_MAX[kind]));
      this.#listeners.set(kind, new Set());
    }
  }

  /** Takes in an entry of the journal; it is copied only for those who ask for it. */
  addEntry(entry: Entry): void {
    let view: EntryView | undefined;
    this.#take("entry", () => (view ??= toEdge(entry)));
  }

  /** Takes in a beat of a worker. */
  addBeat(worker: string, atMs: number): void {
    this.add("beat", Object.freeze({ kind: "beat", worker, atMs }));
  }

  /** Takes in an item and tells those who listen; what one throws is told to the operator. */
  add<K extends FeedKind>(kind: K, item: FeedMap[K]): void {
    this.#take(kind, () => item);
  }

  #take<K extends FeedKind>(kind: K, item: () => FeedMap[K]): void {
    this.#rings.get(kind)?.add(item);
    for (const listener of this.#listeners.get(kind) ?? []) {
      try {
        (listener as (item: FeedMap[K]) => void)(item());
      } catch (error) {
        // A stranger's listener must not keep others from hearing.
        this.#log.warn("a listener threw", { kind, error: errorText(error) });
      }
    }
  }

  /** Tells a listener of every item of a kind from now on. Returns how to stop it. */
  on<K extends FeedKind>(kind: K, listener: (item: FeedMap[K]) => void): () => void {
    // A wrapper, so that the same function may listen twice and leave once.
    const told = (item: FeedMap[K]): void => listener(item);
    this.#listeners.get(kind)?.add(told);
    return () => void this.#listeners.get(kind)?.delete(told);
  }

  /** The newest items of a kind, oldest first: a copy, which may be iterated while more come. */
  recent<K extends FeedKind>(kind: K): readonly FeedMap[K][] {
    const items = this.#rings.get(kind)?.list() ?? [];
    return Object.freeze(items.map((item) => item() as FeedMap[K]));
  }

  /** How many items of each kind have given way to newer ones. */
  dropped(): Readonly<Record<FeedKind, number>> {
    const counts = FEED_KINDS.map((kind) => [kind, this.#rings.get(kind)?.droppedCount ?? 0]);
    return Object.freeze(Object.fromEntries(counts)) as Readonly<Record<FeedKind, number>>;
  }
}
