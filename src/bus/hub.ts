import type { JsonObject } from "../kernel/json.ts";
import type { BusIdentity, Envelope } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import { InputError } from "../protocol/input.ts";
import { ParcelQueue, QUEUE_LIMITS, type Parcel, type QueueLimits } from "./queue.ts";
import { matches, parsePattern, parseSubject, type Tokens } from "./subject.ts";
import { demandPublishing, demandSubscribing } from "./subjects.ts";
import { Subscription } from "./subscription.ts";

/** Subscriptions of all, and of one worker or service. */
const SUBSCRIPTIONS_MAX = 256;
const SUBSCRIPTIONS_EACH_MAX = 8;

/** Patterns of one subscription. */
const PATTERNS_MAX = 32;

/** Subjects whose hearers are remembered; all are forgotten when there are more. */
const ROUTES_MAX = 65_536;

/** Messages that are kept for who subscribes later; the oldest give way. */
const RETAINED_MAX = 1_024;

/** What a hub is made of. */
export interface HubOptions {
  readonly fleet: string;
  readonly clock: Clock;
  /** Begins the ids of its messages: another at each start of a supervisor. */
  readonly run: string;
  /** Told what a listener threw; it goes on listening. */
  readonly onBroken: (error: unknown) => void;
  readonly limits?: QueueLimits;
}

/** What has gone through a hub. */
export interface HubCounts {
  readonly messages: number;
  readonly lost: number;
  readonly malformed: number;
  readonly subscriptions: number;
}

/** What hears messages in this process, at once. It must not wait. */
export type Listener = (envelope: Envelope) => void;

interface Ear {
  readonly pattern: Tokens;
  readonly listener: Listener;
}

/** Who hears a subject. */
interface Route {
  readonly isBeat: boolean;
  readonly listeners: readonly Listener[];
  readonly subscriptions: readonly Subscription[];
}

/**
 * The bus of a supervisor: it makes the envelopes, and puts each message into the queue of whoever
 * hears its subject, the publisher's own subscriptions too. At most once, and never waiting: who
 * reads slowly loses messages, is told how many, and holds up nobody.
 */
export class Hub {
  readonly #so: HubOptions;
  readonly #subscriptions = new Set<Subscription>();
  readonly #ears = new Set<Ear>();
  #routes = new Map<string, Route>();
  #retained: readonly Parcel[] = [];
  #messages = 0;
  #lost = 0;
  #malformed = 0;
  #isClosed = false;

  constructor(options: HubOptions) {
    this.#so = options;
  }

  /** What has gone through it. */
  get counts(): HubCounts {
    return {
      messages: this.#messages,
      lost: this.#lost,
      malformed: this.#malformed,
      subscriptions: this.#subscriptions.size,
    };
  }

  /**
   * Publishes what an identity says. Throws an InputError where the subject is none, or is not
   * its to publish on; that is counted as malformed.
   */
  publish(
    from: BusIdentity,
    message: { readonly subject: string; readonly body: JsonObject; readonly ttlMs?: number },
  ): Envelope {
    try {
      demandPublishing(from, parseSubject(message.subject), this.#so.fleet);
    } catch (error) {
      this.#malformed += 1;
      throw error;
    }
    const { subject, body, ttlMs } = message;
    return this.tell(subject, body, { from, ...(ttlMs === undefined ? {} : { ttlMs }) });
  }

  /** Publishes on a subject that was made here, and is one: nothing is checked. */
  tell(
    subject: string,
    body: JsonObject,
    so: {
      readonly from: BusIdentity;
      readonly ttlMs?: number;
      readonly atMs?: number;
      /** Whether it is told to who subscribes later, too, until it expires. */
      readonly isRetained?: boolean;
    },
  ): Envelope {
    const { from, ttlMs } = so;
    this.#messages += 1;
    const id = `${this.#so.run}-${this.#messages}`;
    const at_ms = so.atMs ?? this.#so.clock.read().wallMs;
    const envelope: Envelope =
      ttlMs === undefined
        ? { v: 1, id, subject, at_ms, from, body }
        : { v: 1, id, subject, at_ms, from, body, expires_in_ms: ttlMs };
    if (this.#isClosed) return envelope;
    const route = this.#routes.get(subject) ?? this.#route(subject);
    for (const listener of route.listeners) this.#call(listener, envelope);
    if (route.subscriptions.length === 0 && so.isRetained !== true) return envelope;
    const parcel = this.#parcel(envelope, route);
    if (so.isRetained === true) this.#retain(parcel);
    for (const subscription of route.subscriptions) subscription.put(parcel);
    return envelope;
  }

  /** Counts what was not understood before it came to be published. */
  countMalformed(count = 1): void {
    this.#malformed += count;
  }

  /**
   * Subscribes an identity. Throws an InputError for patterns that are none, that it may not hear,
   * or too many, and where too many subscribe.
   */
  subscribe(by: BusIdentity, given: readonly unknown[]): Subscription {
    const patterns = this.#patternsOf(by, given);
    this.#demandRoom(by);
    const subscription = new Subscription({
      by,
      patterns,
      queue: new ParcelQueue(this.#so.limits ?? QUEUE_LIMITS, {
        nowMs: () => this.#so.clock.monotonicMs(),
        onLost: (count) => (this.#lost += count),
      }),
      onClose: (one) => {
        this.#subscriptions.delete(one);
        this.#forgetRoutes();
      },
    });
    if (this.#isClosed) subscription.close();
    else this.#subscriptions.add(subscription);
    this.#forgetRoutes();
    for (const parcel of this.#retained)
      if (subscription.hears(parcel.envelope.subject.split("."))) subscription.put(parcel);
    return subscription;
  }

  /**
   * Has a listener of this process hear a pattern. What it throws is told to `onBroken`, and it
   * hears the next message as if nothing had been. Returns how to stop it.
   */
  listen(pattern: string, listener: Listener): () => void {
    const ear = { pattern: parsePattern(pattern), listener };
    this.#ears.add(ear);
    this.#forgetRoutes();
    return () => {
      this.#ears.delete(ear);
      this.#forgetRoutes();
    };
  }

  /** Ends all subscriptions, and wakes whoever reads one. Safe to call twice. */
  close(): void {
    this.#isClosed = true;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#ears.clear();
    this.#forgetRoutes();
  }

  #patternsOf(by: BusIdentity, given: readonly unknown[]): readonly Tokens[] {
    if (given.length === 0 || given.length > PATTERNS_MAX) {
      const expected = `1 to ${PATTERNS_MAX} patterns`;
      throw new InputError("usage", [{ path: "subject", expected, got: String(given.length) }]);
    }
    const patterns = given.map((one) => parsePattern(one));
    for (const pattern of patterns) demandSubscribing(by, pattern, this.#so.fleet);
    return patterns;
  }

  #demandRoom(by: BusIdentity): void {
    let own = 0;
    for (const one of this.#subscriptions) if (isSame(one.by, by)) own += 1;
    const isOwnFull = "id" in by && own >= SUBSCRIPTIONS_EACH_MAX;
    if (!isOwnFull && this.#subscriptions.size < SUBSCRIPTIONS_MAX) return;
    const expected = isOwnFull
      ? `one of at most ${SUBSCRIPTIONS_EACH_MAX} of its subscriber`
      : `one of at most ${SUBSCRIPTIONS_MAX}`;
    throw new InputError("limit_exceeded", [{ path: "a subscription", expected, got: "one more" }]);
  }

  #retain(parcel: Parcel): void {
    const nowMs = this.#so.clock.monotonicMs();
    const live = this.#retained.filter(({ untilMs = Infinity }) => untilMs > nowMs);
    this.#retained = [...live.slice(1 - RETAINED_MAX), parcel];
  }

  #forgetRoutes(): void {
    this.#routes = new Map();
  }

  #route(subject: string): Route {
    const tokens = subject.split(".");
    const ears = [...this.#ears].filter(({ pattern }) => matches(pattern, tokens));
    const route: Route = {
      isBeat: tokens.at(-1) === "health",
      listeners: ears.map(({ listener }) => listener),
      subscriptions: [...this.#subscriptions].filter((one) => one.hears(tokens)),
    };
    if (this.#routes.size >= ROUTES_MAX) this.#forgetRoutes();
    this.#routes.set(subject, route);
    return route;
  }

  #parcel(envelope: Envelope, { isBeat }: Route): Parcel {
    const { expires_in_ms: ttlMs } = envelope;
    const untilMs = ttlMs === undefined ? undefined : this.#so.clock.monotonicMs() + ttlMs;
    return {
      envelope,
      isBeat,
      sizeBytes: isBeat ? 0 : Buffer.byteLength(JSON.stringify(envelope)),
      untilMs,
    };
  }

  #call(listener: Listener, envelope: Envelope): void {
    try {
      listener(envelope);
    } catch (error) {
      // One message that a listener cannot bear must not deafen it, nor the others.
      this.#so.onBroken(error);
    }
  }
}

function isSame(one: BusIdentity, other: BusIdentity): boolean {
  const [oneId, otherId] = [one, other].map((who) => ("id" in who ? who.id : ""));
  return one.kind === other.kind && oneId === otherId;
}
