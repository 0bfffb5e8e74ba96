import type { Claim } from "../../kernel/lease/lease.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOptions } from "../given-options.ts";
import { Refused } from "../refused.ts";
import type { Called, Given, LeaseLine, LeaseOrder, Sighting } from "./line.ts";
import { AGAIN_MAX, keepsEnding } from "./lost.ts";
import { absentLeftOut, demandText, patternsOf } from "./options.ts";
import type { LeaseView } from "./view.ts";

/** Which part of a lease is lent, and to whom. */
export interface SplitOptions {
  /** A worker below the holder. */
  readonly to: string;
  readonly region: string | readonly string[];
  readonly exclude?: readonly string[];
  /** Default: 5 min; it never ends after the lease itself. */
  readonly ttlMs?: number;
  /** Makes asking again safe. */
  readonly key?: string;
  readonly runId?: string;
}

/** Who is to have a lease, and for how long. */
export interface HandOverOptions {
  readonly to: string;
  /** Default: as long as before. */
  readonly ttlMs?: number;
  readonly runId?: string;
}

/** A lease as it was handed over; an outside party's token, which nobody else is told. */
export interface HandedOver extends LeaseView {
  readonly token: string | null;
}

/** What the holder of a lease may do with it. Every verb throws `Refused` when the rules say no. */
export interface LeaseVerbs {
  readonly id: string;
  /**
   * Moves its end; answers the end that is recorded, which may be the one before when this would
   * move it by little.
   */
  renew(options?: {
    readonly ttlMs?: number;
    readonly runId?: string;
  }): Promise<{ readonly expiresAtMs: number }>;
  /** Ends it. Once it was released by this very object, it does nothing. */
  release(options?: { readonly runId?: string }): Promise<void>;
  /** Gives back all but what lies in a region, which must lie in its own. */
  narrow(region: string | readonly string[], options?: NarrowOptions): Promise<void>;
  /** Lends a part to a worker below the holder, until the lent lease ends. */
  split(options: SplitOptions): Promise<LeaseView>;
  /** Gives it to another, under a new fence. */
  handOver(options: HandOverOptions): Promise<HandedOver>;
}

/** What stays out of a region that a lease is narrowed to. */
export interface NarrowOptions {
  readonly exclude?: readonly string[];
  readonly runId?: string;
}

/** Which lease is meant, and as whom it is acted on. */
export interface Grip {
  readonly id: string;
  readonly claim: Claim;
  /** What the claim has the hash of; null where none is shown. */
  readonly token: string | null;
  /** Absent where it is not known: then any is meant. */
  readonly fence?: number;
}

/** The verbs of a lease, for whoever holds it or shows its token. */
export class LeaseGrip implements LeaseVerbs {
  readonly id: string;
  readonly #line: LeaseLine;
  readonly #grip: Grip;
  #releasing: Promise<void> | undefined;

  constructor(line: LeaseLine, grip: Grip) {
    this.id = grip.id;
    this.#line = line;
    this.#grip = grip;
  }

  async renew(options: Parameters<LeaseVerbs["renew"]>[0] = {}): Promise<{ expiresAtMs: number }> {
    demandOptions(options, ["ttlMs", "runId"]);
    const { expiresAtMs } = (await this.renewed(options)).lease;
    return Object.freeze({ expiresAtMs });
  }

  /** Renews and answers the lease as it then was. */
  async renewed(options: { readonly ttlMs?: number; readonly runId?: string }): Promise<Sighting> {
    const { ttlMs: ttl_ms, runId: run_id } = options;
    const data = absentLeftOut({ ...this.#named(), ttl_ms, run_id });
    return this.#sight({ kind: "lease.renew", data });
  }

  async release(options: { readonly runId?: string } = {}): Promise<void> {
    demandOptions(options, ["runId"]);
    this.#releasing ??= this.#release(options.runId);
    return this.#releasing;
  }

  async #release(run_id: string | undefined): Promise<void> {
    try {
      const data = absentLeftOut({ ...this.#named(), run_id });
      await this.#demand({ kind: "lease.release", data });
    } catch (error) {
      // It was not released: it may be tried again.
      this.#releasing = undefined;
      throw error;
    }
  }

  async narrow(region: string | readonly string[], options: NarrowOptions = {}): Promise<void> {
    await this.narrowed(region, options);
  }

  /** Narrows and answers the lease as it then was. */
  async narrowed(region: string | readonly string[], options: NarrowOptions): Promise<Sighting> {
    demandOptions(options, ["exclude", "runId"]);
    const { exclude, runId: run_id } = options;
    const patterns = patternsOf({ region, exclude });
    const data = absentLeftOut({ ...this.#named(), region: patterns, run_id });
    return this.#sight({ kind: "lease.narrow", data }, { "options.region": "region" });
  }

  async split(options: SplitOptions): Promise<LeaseView> {
    demandOptions(options, ["to", "region", "exclude", "ttlMs", "key", "runId"], WITH_TO);
    const { to, region, exclude, ttlMs = LIMITS.leaseTtlMsDefault, key, runId } = options;
    const { holder } = await this.#line.nameHolder(demandText(to, TO), TO);
    if (!("worker" in holder)) {
      const expected = "a worker below the holder";
      throw new InputError("usage", [{ path: TO, expected, got: describeValue(to) }]);
    }
    const data = absentLeftOut({
      ...this.#named(),
      region: patternsOf({ region, exclude }),
      to: holder.worker,
      ttl_ms: ttlMs,
      key,
      run_id: runId,
    });
    return (await this.#sight({ kind: "lease.split", data })).lease;
  }

  async handOver(options: HandOverOptions): Promise<HandedOver> {
    demandOptions(options, ["to", "ttlMs", "runId"], WITH_TO);
    const { to, ttlMs: ttl_ms, runId: run_id } = options;
    const { holder, token } = await this.#line.nameHolder(demandText(to, TO), TO);
    const data = absentLeftOut({ ...this.#named(), to: holder, ttl_ms, run_id });
    const called = { "options.to.name": TO, "options.to.worker": TO };
    const { lease } = await this.#sight({ kind: "lease.hand_over", data }, called);
    return Object.freeze({ ...lease, token });
  }

  /** What every command about it says. */
  #named(): { readonly lease: string; readonly claim: Claim; readonly fence?: number } {
    const { id: lease, claim, fence } = this.#grip;
    return { lease, claim, ...(fence === undefined ? {} : { fence }) };
  }

  async #demand(order: LeaseOrder, called: Called = {}): Promise<Given & { readonly ok: true }> {
    const { token } = this.#grip;
    const shown = { ...order, token };
    const given = await this.#line.give(shown, { "options.lease": "lease", ...called });
    if (given.ok) return given;
    throw await refusedBy(this.#line, given);
  }

  /** Gives a command and answers the lease that it left; asks again when that has ended since. */
  async #sight(order: LeaseOrder, called: Called = {}): Promise<Sighting> {
    for (let again = 0; again < AGAIN_MAX; again += 1) {
      const { sighting } = await this.#demand(order, called);
      if (sighting !== undefined) return sighting;
    }
    throw keepsEnding(order.kind);
  }
}

const TO = "options.to";
const WITH_TO = "an object that says to whom";

/** The error of a refusal that its caller has no other answer to. */
export async function refusedBy(
  line: LeaseLine,
  given: Given & { readonly ok: false },
): Promise<Refused> {
  const { refusal, seq } = await line.answerRefused(given);
  return new Refused(refusal, seq);
}
