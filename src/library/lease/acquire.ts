import { randomUUID } from "node:crypto";
import { describeValue, InputError } from "../../protocol/input.ts";
import { errorText } from "../error-text.ts";
import { Refused, type Refusable } from "../refused.ts";
import { holdingUntil } from "../waiting.ts";
import { HeldLease, isGone, type LeaseHandle } from "./hold.ts";
import { askInLine, type Answered } from "../queue/in-line.ts";
import type { Given, LeaseLine, NamedHolder } from "./line.ts";
import { AGAIN_MAX, keepsEnding } from "./lost.ts";
import type { AcquireRequest } from "./options.ts";
import { claimOf } from "../ground/shown-token.ts";

/** Who is to hold a lease, anew for each time that it is asked for. */
export interface Asker {
  /** Names the holder; an outside one under a fresh token. */
  readonly name: () => Promise<NamedHolder>;
  /** The token of a lease that its holder has already; null where it is not known. */
  readonly tokenOf: (id: string) => string | null;
}

/**
 * Asks for a lease. What the holder has already is the answer as well; when that has ended by the
 * time of the answer it is asked for again. Throws an InputError and `Fault`s.
 */
export async function acquire(
  line: LeaseLine,
  request: AcquireRequest,
  asker: Asker,
): Promise<Refusable<{ readonly lease: HeldLease }>> {
  for (let again = 0; again < AGAIN_MAX; again += 1) {
    const { holder, token } = await asker.name();
    const { step: given, sentAtMs, place } = await askAs({ holder, token }, line, request);
    if (!given.ok) return line.answerRefused(given);
    const { sighting, entries } = given;
    if (sighting === undefined) continue;
    // An answer that was lost is given again without its entries.
    const isWaitedFor = place !== undefined && sighting.lease.place === place;
    const isNew = isWaitedFor || entries.some(({ kind }) => kind === "lease.granted");
    const shown = isNew ? token : asker.tokenOf(sighting.lease.id);
    const claim = claimOf(holder, shown);
    // What was had before is not given back by whoever merely asked for it again.
    const isOwn = isNew || request.data.key !== undefined;
    const lease = new HeldLease(line, { sighting, sentAtMs, claim, token: shown, isOwn });
    return Object.freeze({ ok: true, lease });
  }
  throw keepsEnding("lease.acquire");
}

/** Asks as a holder, and waits where others have what is asked for. */
function askAs(
  { holder, token }: NamedHolder,
  line: LeaseLine,
  { data, called, signal, onPlace }: AcquireRequest,
): Promise<Answered<Given>> {
  const { wait_ms, ...asked } = data;
  const claim = claimOf(holder, token);
  const { clock, timers } = line;
  return askInLine<Given>(
    (waitMs, turn) => {
      const waiting = waitMs === undefined ? {} : { wait_ms: waitMs };
      const order = { kind: "lease.acquire", data: { ...asked, holder, ...waiting } } as const;
      return line.give({ ...order, ...turn }, called);
    },
    {
      keep: (place, turnMs) =>
        line.give({ kind: "place.keep", data: { place, claim }, token, turnMs }),
      leave: (place) => line.give({ kind: "place.leave", data: { place, claim }, token }),
      giveBack: async (step) => {
        const { id: lease } = (step.ok ? step.sighting?.lease : undefined) ?? {};
        if (lease !== undefined)
          await line.give({ kind: "lease.release", data: { lease, claim }, token });
      },
      hasLease: (step) => step.ok && step.sighting !== undefined,
    },
    { waitMs: wait_ms, ttlMs: data.ttl_ms, clock, timers, signal, onPlace },
  );
}

/**
 * The same request, but never answered with what its holder has already: under a key of its own
 * each piece of work has its lease, though all are done in one name. Throws an InputError for one
 * that has a key: two who gave the same would share a lease, and the first to end would end it.
 */
export function forWorkOfItsOwn(request: AcquireRequest): AcquireRequest {
  const { data } = request;
  if (data.key === undefined) return { ...request, data: { ...data, key: `work-${randomUUID()}` } };
  const expected = "absent (work under a lease has that lease for itself)";
  throw new InputError("usage", [{ path: "options.key", expected, got: describeValue(data.key) }]);
}

/** Asks for a lease as {@link acquire}, and throws `Refused` when the rules say no. */
export async function demandLease(
  asking: Promise<Refusable<{ readonly lease: HeldLease }>>,
): Promise<HeldLease> {
  const asked = await asking;
  if (asked.ok) return asked.lease;
  throw new Refused(asked.refusal, asked.seq);
}

/** Of its ttl a lease that is held for a while is renewed after this part. */
const renewPart = 3;

/** After what failed it is tried again after this part of the ttl, within these bounds, ms. */
const retryPart = 20;
const retryMsMin = 50;
const retryMsMax = 5_000;

/** Work that is done under a lease; the signal fires before the lease can lapse. */
export type UnderLease<T> = (lease: LeaseHandle, signal: AbortSignal) => T | Promise<T>;

/** Checks that something can be done under a lease. Throws an InputError. */
export function checkWork(run: unknown): void {
  if (typeof run === "function") return;
  const problem = { path: "run", expected: "a function", got: describeValue(run) };
  throw new InputError("usage", [problem]);
}

/**
 * Does something under a lease: renews it meanwhile, waits until the work has settled, and releases
 * it. Throws a `LeaseLost` when the lease was lost before that, also when the work did not heed it.
 */
export async function doUnderLease<T>(
  line: LeaseLine,
  lease: HeldLease,
  run: UnderLease<T>,
): Promise<T> {
  const { signal } = lease;
  const keeping = new Keeping(line, lease);
  try {
    const result = await holdingUntil((async () => run(lease, signal))(), signal);
    signal.throwIfAborted();
    return result;
  } finally {
    keeping.stop();
    await giveBack(line, lease);
  }
}

/** What cannot be given back lapses; the work that was done under it stays done. */
async function giveBack(line: LeaseLine, lease: HeldLease): Promise<void> {
  try {
    await lease[Symbol.asyncDispose]();
  } catch (error) {
    line.log.warn("a lease could not be released, it lapses", {
      lease: lease.id,
      error: errorText(error),
    });
  }
}

/** Renews a lease again and again. */
class Keeping {
  readonly #line: LeaseLine;
  readonly #lease: HeldLease;
  #cancel: () => void = () => undefined;
  #isStopped = false;

  constructor(line: LeaseLine, lease: HeldLease) {
    this.#line = line;
    this.#lease = lease;
    this.#later(lease.view().ttlMs / renewPart);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #later(delayMs: number): void {
    if (this.#isStopped || this.#lease.signal.aborted) return;
    this.#cancel = this.#line.timers.after(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { ttlMs } = this.#lease.view();
    const retryMs = Math.min(retryMsMax, Math.max(retryMsMin, ttlMs / retryPart));
    try {
      await this.#lease.renewed({});
      this.#later(ttlMs / renewPart);
    } catch (error) {
      // What is gone has fired the signal. What else fails may pass before the lease lapses, a
      // quarantine or a full disk, and if it does not the signal fires in time by itself.
      if (isGone(error)) return;
      if (error instanceof Refused && !PASSING.has(error.code))
        return this.#lease.lose({ by: "refused" });
      const { id: lease } = this.#lease;
      this.#line.log.warn("a lease could not be renewed yet", { lease, error: errorText(error) });
      this.#later(retryMs);
    }
  }
}

/** Codes of a renewal that may be another one's soon. */
const PASSING: ReadonlySet<string> = new Set([
  "holder_quarantined",
  "rate_limited",
  "command_mismatch",
  "command_expired",
]);
