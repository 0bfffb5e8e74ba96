import { Refused } from "../refused.ts";
import {
  LeaseGrip,
  type Grip,
  type HandedOver,
  type HandOverOptions,
  type LeaseVerbs,
} from "./grip.ts";
import type { LeaseLine, Loss, Sighting } from "./line.ts";
import { LeaseLost } from "./lost.ts";
import { Trust } from "./trust.ts";
import type { LeaseEnd, LeaseView } from "./view.ts";

/**
 * A lease that is held from here. It does not renew itself; `withLease` does. Disposing of it
 * releases it, unless the holder had it before it was asked for here without a key; it does nothing
 * when the lease has ended by then.
 */
export interface LeaseHandle extends LeaseVerbs, AsyncDisposable {
  /** Higher for each that holds the ground later; another holder has another. */
  readonly fence: number;
  /** What an outside holder shows as its credential; null for a worker, and where unknown. */
  readonly token: string | null;
  /** The end that is recorded, in journal time, as far as it is known here. */
  readonly expiresAtMs: number;
  /**
   * Until when it may be relied on, as `performance.now()` counts: from the instant at which its
   * grant or last renewal was sent, less a margin.
   */
  readonly trustedUntil: number;
  /**
   * Fires with a {@link LeaseLost} before it can lapse, and as soon as it is known that it ended,
   * went to another, or its fleet was killed.
   */
  readonly signal: AbortSignal;
  /** The lease as it is known here now, also after its end. */
  view(): LeaseView;
}

/** What a held lease begins with. */
export interface Hold extends Omit<Grip, "id" | "fence"> {
  readonly sighting: Sighting;
  /** When the command was sent that the sighting is of, by {@link Trust.now}. */
  readonly sentAtMs: number;
  /** Whether it is this hold's to give back when it is disposed of; default true. */
  readonly isOwn?: boolean;
}

/** Codes that say to whoever gives a lease back that it is not his any more. */
const GONE: ReadonlySet<string> = new Set([
  "lease_ended",
  "lease_unknown",
  "holder_mismatch",
  "fence_stale",
]);

/** Whether an error says that a lease is not its holder's any more. */
export function isGone(error: unknown): boolean {
  return error instanceof Refused && GONE.has(error.code);
}

/** A lease in the hand of its holder. */
export class HeldLease extends LeaseGrip implements LeaseHandle {
  readonly fence: number;
  readonly token: string | null;
  readonly #line: LeaseLine;
  readonly #trust: Trust;
  readonly #controller = new AbortController();
  readonly #isOwn: boolean;
  #unfollow: () => void = () => undefined;
  #seen: LeaseView;
  #ended: LeaseEnd | undefined;
  #isLost = false;

  constructor(line: LeaseLine, { sighting, claim, token, sentAtMs, isOwn = true }: Hold) {
    const { id, fence, ttlMs } = sighting.lease;
    super(line, { id, claim, token, fence });
    this.fence = fence;
    this.token = token;
    this.#isOwn = isOwn;
    this.#line = line;
    this.#seen = sighting.lease;
    const { clock, timers } = line;
    this.#trust = new Trust({ clock, timers, ttlMs }, () => this.lose({ by: "lapsing" }));
    this.#trust.extend(sentAtMs, sighting.remainingMs);
    if (!this.#isLost) this.#follow();
    Object.freeze(this);
  }

  #follow(): void {
    const { closing } = this.#line;
    closing.addEventListener("abort", this.#close);
    this.#unfollow = this.#line.follow({ id: this.id, fence: this.fence }, (loss) => {
      this.lose(loss);
    });
    if (closing.aborted) this.#close();
  }

  get expiresAtMs(): number {
    return this.view().expiresAtMs;
  }

  get trustedUntil(): number {
    return this.#isLost ? Number.NEGATIVE_INFINITY : this.#trust.until;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  view(): LeaseView {
    const now = this.#line.closing.aborted ? undefined : this.#line.peek(this.id);
    if (now?.fence === this.fence) this.#seen = now;
    const isOver = this.#isLost && now === undefined;
    const isLive = this.#seen.isLive && !isOver && this.#ended === undefined;
    const ended = this.#ended === undefined ? {} : { ended: this.#ended };
    return Object.freeze({ ...this.#seen, isLive, ...ended });
  }

  override async renewed(options: Parameters<LeaseGrip["renewed"]>[0]): Promise<Sighting> {
    const sentAtMs = Trust.now(this.#line.clock);
    try {
      const sighting = await super.renewed(options);
      this.#seen = sighting.lease;
      this.#trust.extend(sentAtMs, sighting.remainingMs);
      return sighting;
    } catch (error) {
      if (isGone(error)) this.lose({ by: "ended" });
      throw error;
    }
  }

  override async narrowed(...asked: Parameters<LeaseGrip["narrowed"]>): Promise<Sighting> {
    const sighting = await super.narrowed(...asked);
    this.#seen = sighting.lease;
    return sighting;
  }

  override async release(options?: { readonly runId?: string }): Promise<void> {
    try {
      await super.release(options);
      this.lose({ by: "released" });
    } catch (error) {
      if (isGone(error)) this.lose({ by: "ended" });
      throw error;
    }
  }

  override async handOver(options: HandOverOptions): Promise<HandedOver> {
    const handed = await super.handOver(options);
    this.lose({ by: "taken_over" });
    return handed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOwn) return this.lose({ by: "closed" });
    try {
      await this.release();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  /** Fires the signal, once; from then on nothing is known of it here but its end. */
  lose({ by, ended }: Loss): void {
    this.#ended ??= ended;
    // Of a lease whose end is near the end itself is still to be heard.
    if (by !== "lapsing") this.#stop();
    if (this.#isLost) return;
    this.#isLost = true;
    this.#trust.stop();
    this.#controller.abort(new LeaseLost(this.id, by));
  }

  readonly #close = (): void => {
    this.lose({ by: "closed" });
  };

  #stop(): void {
    this.#unfollow();
    this.#line.closing.removeEventListener("abort", this.#close);
  }
}
