import type { CommandMap } from "../../kernel/command.ts";
import type { Claim } from "../../kernel/lease/lease.ts";
import { demandOptions } from "../given-options.ts";
import type { Refusable } from "../refused.ts";
import {
  acquire,
  checkWork,
  demandLease,
  doUnderLease,
  forWorkOfItsOwn,
  type UnderLease,
} from "./acquire.ts";
import { claimOf } from "../ground/shown-token.ts";
import { LeaseGrip, refusedBy, type Grip, type LeaseVerbs } from "./grip.ts";
import { HeldLease, type LeaseHandle } from "./hold.ts";
import type { Called, LeaseLine, NamedHolder } from "./line.ts";
import { AGAIN_MAX, keepsEnding } from "./lost.ts";
import { absentLeftOut, demandText, readOwnAcquire, type OwnAcquireOptions } from "./options.ts";
import type { OwnCheckOptions, PathVerdict } from "./path-verdict.ts";
import { Trust } from "./trust.ts";
import type { LeaseView } from "./view.ts";

/** A lease that is known by its id: what its holder may do, and how to hold it from here. */
export interface KnownLease extends LeaseVerbs {
  /** Renews it and holds it from here, with a signal that fires before it can lapse. */
  hold(): Promise<LeaseHandle>;
}

/** Which orphaned lease a worker takes over, and for how long. */
export interface OwnAdoptOptions {
  readonly lease: string;
  /** Default: as long as before. */
  readonly ttlMs?: number;
  readonly runId?: string;
}

/** What a worker may do with leases, always as itself. */
export interface LeaseHolder {
  /** Acquires a lease, or answers the one that is held already. Throws `Refused`. */
  acquire(options: OwnAcquireOptions): Promise<LeaseHandle>;
  /** Acquires a lease, and answers a refusal instead of throwing it. */
  tryAcquire(options: OwnAcquireOptions): Promise<Refusable<{ readonly lease: LeaseHandle }>>;
  /**
   * Does something under a lease: acquires it, renews it meanwhile, waits for the work to settle,
   * and releases it. Throws `Refused`, what the work throws, and `LeaseLost`.
   */
  withLease<T>(options: OwnAcquireOptions, run: UnderLease<T>): Promise<T>;
  /** A lease that this worker holds, also one that was lent to it. */
  lease(id: string): KnownLease;
  /** The live leases that it holds. */
  leases(): Promise<readonly LeaseView[]>;
  /**
   * Whether it may write paths now, each as links and `..` lead: one verdict for each, in their
   * order. Nothing is written, and at the next instant it may be otherwise.
   */
  check(
    paths: string | readonly string[],
    options?: OwnCheckOptions,
  ): Promise<readonly PathVerdict[]>;
  /** Takes over the lease of a worker that has ended. Throws `Refused`. */
  adopt(options: OwnAdoptOptions): Promise<LeaseHandle>;
}

/** The verbs about leases of a worker, over whatever line. */
export function leaseHolder(
  line: LeaseLine,
  worker: string,
  reads: Pick<LeaseHolder, "leases" | "check">,
): LeaseHolder {
  const claim: Claim = { worker };
  const named = { holder: { worker }, token: null };
  const asker = { name: async () => named, tokenOf: () => null };
  const tryAcquire = async (
    options: OwnAcquireOptions,
  ): Promise<Refusable<{ readonly lease: HeldLease }>> =>
    acquire(line, readOwnAcquire(options), asker);
  return {
    tryAcquire,
    acquire: (options) => demandLease(tryAcquire(options)),
    withLease: async (options, run) => {
      checkWork(run);
      const request = forWorkOfItsOwn(readOwnAcquire(options));
      return doUnderLease(line, await demandLease(acquire(line, request, asker)), run);
    },
    lease: (id) => knownLease(line, { id: demandText(id, "lease"), claim, token: null }),
    leases: reads.leases,
    check: reads.check,
    adopt: async (options) => {
      demandOptions(options, ["lease", "ttlMs", "runId"], "an object that names a lease");
      const { lease, ttlMs: ttl_ms, runId: run_id } = options;
      const data = absentLeftOut({ lease, orphan: true as const, ttl_ms, run_id });
      return takeOver(line, data, named);
    },
  };
}

/** A lease by its id, for whoever holds it or shows its token. */
export function knownLease(line: LeaseLine, known: Grip): KnownLease {
  const grip = new LeaseGrip(line, known);
  const hold = async (): Promise<LeaseHandle> => {
    const sentAtMs = Trust.now(line.clock);
    const sighting = await grip.renewed({});
    return new HeldLease(line, { ...known, sighting, sentAtMs });
  };
  return Object.freeze(Object.assign(grip, { hold }));
}

/** What is taken over, and the token that is shown for it, of which the claim has the hash. */
type TakeOver = Omit<CommandMap["lease.hand_over"], "to"> & { readonly shown?: string | null };

/** Has a lease handed over and holds it from here. Throws an InputError and `Refused`. */
export async function takeOver(
  line: LeaseLine,
  { shown = null, ...asked }: TakeOver,
  { holder, token }: NamedHolder,
): Promise<HeldLease> {
  for (let again = 0; again < AGAIN_MAX; again += 1) {
    const sentAtMs = Trust.now(line.clock);
    const data = { ...asked, to: holder };
    const order = { kind: "lease.hand_over", data, token: shown } as const;
    const given = await line.give(order, TAKING_CALLED);
    if (!given.ok) throw await refusedBy(line, given);
    const { sighting } = given;
    if (sighting === undefined) continue;
    return new HeldLease(line, { sighting, sentAtMs, claim: claimOf(holder, token), token });
  }
  throw keepsEnding("lease.hand_over");
}

/** What somebody who takes a lease over calls the fields of the command. */
const TAKING_CALLED: Called = {
  "options.to.name": "options.holder",
  "options.to.worker": "options.holder",
  "options.claim.name": "options.from",
  "options.claim.worker": "options.from",
};
