import type { CommandKind } from "../../kernel/command.ts";
import type { Claim } from "../../kernel/lease/lease.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { demandOpen } from "../closed.ts";
import { FleetReader, type FleetParts } from "../fleet/reader.ts";
import { demandOptions } from "../given-options.ts";
import {
  acquire,
  checkWork,
  demandLease,
  doUnderLease,
  forWorkOfItsOwn,
  type UnderLease,
} from "../lease/acquire.ts";
import { checkPaths } from "../lease/checking.ts";
import { checkedCommand, lineHere } from "../lease/here.ts";
import { findLease, listEver, listLive } from "../lease/history.ts";
import type { HeldLease, LeaseHandle } from "../lease/hold.ts";
import { holderOf, tokenFor } from "../lease/holder.ts";
import type { Called, LeaseLine } from "../lease/line.ts";
import { absentLeftOut, demandText, readAcquire, type AcquireOptions } from "../lease/options.ts";
import { knownLease, takeOver, type KnownLease } from "../lease/own.ts";
import {
  readCheck,
  verdictsIn,
  type CheckOptions,
  type PathVerdict,
} from "../lease/path-verdict.ts";
import { tokenHash } from "./shown-token.ts";
import { journalNow } from "../lease/sighting.ts";
import type { LeaseView } from "../lease/view.ts";
import { listWaiting, type PlaceView } from "../queue/view.ts";
import type { Refusable } from "../refused.ts";
import { demand, type Seat } from "../seat.ts";
import { findWho } from "../worker/reference.ts";
import type {
  AdoptOptions,
  CancelWaitOptions,
  LeaseCredential,
  LeaseKeeper,
  RevokeOptions,
} from "./keeper.ts";
import {
  listLanes,
  readAnnouncement,
  readGround,
  type AnnounceOptions,
  type GroundOptions,
  type LaneView,
} from "./lanes.ts";

/** The part of a fleet's handle that is about ground: leases and lanes. */
export class FleetGround extends FleetReader implements LeaseKeeper {
  readonly #seat: Seat;
  readonly #line: LeaseLine;

  constructor(parts: FleetParts) {
    super(parts);
    this.#seat = parts.member.seat;
    this.#line = lineHere(this.#seat, { by: this.#seat.owner });
  }

  acquire(options: AcquireOptions): Promise<LeaseHandle> {
    return demandLease(this.#tryAcquire(options));
  }

  tryAcquire(options: AcquireOptions): Promise<Refusable<{ readonly lease: LeaseHandle }>> {
    return this.#tryAcquire(options);
  }

  async withLease<T>(options: AcquireOptions, run: UnderLease<T>): Promise<T> {
    checkWork(run);
    const asked = this.#tryAcquire(options, { isForWork: true });
    return doUnderLease(this.#line, await demandLease(asked), run);
  }

  lease(id: string, credential: LeaseCredential = {}): KnownLease {
    demandOpen(this.#seat);
    demandOptions(credential, ["token", "worker", "holder", "fence"]);
    const { token, worker, holder, fence } = credential;
    const claim = readClaim({ token, worker, holder });
    const known = absentLeftOut({ id: demandText(id, "lease"), claim, fence });
    return knownLease(this.#line, { ...known, token: token ?? null });
  }

  leases(): readonly LeaseView[];
  leases(options: { readonly all: true }): Promise<readonly LeaseView[]>;
  leases(options?: {
    readonly all?: boolean;
  }): readonly LeaseView[] | Promise<readonly LeaseView[]> {
    demandOpen(this.#seat);
    if (options !== undefined) demandOptions(options, ["all"]);
    return options?.all === true ? listEver(this.#seat) : listLive(this.#seat);
  }

  async findLease(id: string): Promise<LeaseView | undefined> {
    demandOpen(this.#seat);
    return findLease(this.#seat, demandText(id, "lease"));
  }

  async check(
    paths: string | readonly string[],
    options: CheckOptions,
  ): Promise<readonly PathVerdict[]> {
    demandOpen(this.#seat);
    const { order, holder: text, root } = readCheck(paths, options);
    const holder = await findWho(this.#seat, text, "options.holder");
    return verdictsIn(await checkPaths(this.#seat, order, { holder, root }));
  }

  async adopt(options: AdoptOptions): Promise<LeaseHandle> {
    demandOpen(this.#seat);
    demandOptions(options, ADOPT_FIELDS, "an object that names a lease and who is to have it");
    const { lease, holder, orphan = false, token, from, ttlMs, runId } = options;
    if (typeof orphan !== "boolean")
      throw wrong("options.orphan", "true or false", describeValue(orphan));
    const to = await findWho(this.#seat, demandText(holder, "options.holder"), "options.holder");
    const data = absentLeftOut({
      lease,
      claim: orphan ? undefined : await this.#claimOf(token, from),
      orphan: orphan ? (true as const) : undefined,
      ttl_ms: ttlMs,
      run_id: runId,
    });
    return takeOver(this.#line, { ...data, shown: token ?? null }, holderOf(this.#seat, to));
  }

  async revoke(id: string, options: RevokeOptions): Promise<void> {
    demandOptions(options, ["reason", "runId"], "an object with a reason");
    const { reason, runId: run_id } = options;
    const asked = absentLeftOut({ lease: demandText(id, "lease"), reason, run_id });
    await this.#give("lease.revoke", asked, { "options.lease": "lease" });
  }

  waiting(): readonly PlaceView[] {
    demandOpen(this.#seat);
    return listWaiting(this.#seat.loop.state(), journalNow(this.#seat));
  }

  async cancelWait(place: string, options: CancelWaitOptions): Promise<void> {
    demandOptions(options, ["reason"], "an object with a reason");
    const asked = absentLeftOut({ place: demandText(place, "place"), reason: options.reason });
    await this.#give("place.cancel", asked, { "options.place": "place" });
  }

  lanes(): readonly LaneView[] {
    demandOpen(this.#seat);
    return listLanes(this.#seat);
  }

  async enactGround(options: GroundOptions): Promise<void> {
    await this.#give("lanes.enact", readGround(options), {
      "options.require": "options.requireLease",
    });
  }

  async announce(options: AnnounceOptions): Promise<void> {
    demandOpen(this.#seat);
    await this.#give("lane.announce", await readAnnouncement(this.#seat, options));
  }

  async #give(kind: CommandKind, asked: object, called: Called = {}): Promise<void> {
    const command = checkedCommand({ kind, data: asked }, called);
    await demand(this.#seat, command, this.#seat.owner);
  }

  async #tryAcquire(
    options: unknown,
    { isForWork = false } = {},
  ): Promise<Refusable<{ readonly lease: HeldLease }>> {
    demandOpen(this.#seat);
    const { holder, ...request } = readAcquire(options);
    const who = await findWho(this.#seat, holder, "options.holder");
    return acquire(this.#line, isForWork ? forWorkOfItsOwn(request) : request, {
      name: async () => holderOf(this.#seat, who),
      tokenOf: (id) => this.#tokenOf(id),
    });
  }

  #tokenOf(id: string): string | null {
    const lease = this.#seat.loop.state().book.leases.get(id);
    return lease === undefined ? null : tokenFor(this.#seat, lease.holder);
  }

  async #claimOf(token: string | undefined, from: string | undefined): Promise<Claim> {
    if (from === undefined) return readClaim({ token });
    const path = "options.from";
    const who = await findWho(this.#seat, demandText(from, path), path);
    return "worker" in who ? { worker: who.worker } : readClaim({ token, holder: who.name });
  }
}

const ADOPT_FIELDS = ["lease", "holder", "orphan", "token", "from", "ttlMs", "runId"];

/** A credential as it was given, not checked yet. */
type Shown = { readonly [K in "token" | "worker" | "holder"]?: string | undefined };

/** What is claimed by a credential; without a token it is none, and the rules say so. */
function readClaim({ token, worker, holder }: Shown): Claim {
  for (const [field, value] of Object.entries({ worker, holder }))
    if (value !== undefined) demandText(value, `options.${field}`);
  // What it is instead might be the token of another: it is not shown.
  if (token !== undefined && typeof token !== "string")
    throw wrong("options.token", "a text", "something else");
  if (worker !== undefined && token !== undefined)
    throw wrong("options.token", "absent for a worker", "a token");
  if (worker !== undefined) return { worker };
  const token_hash = token === undefined ? undefined : tokenHash(token);
  return absentLeftOut({ name: holder, token_hash });
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
