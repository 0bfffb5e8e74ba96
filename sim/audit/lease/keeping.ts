import type { CommandMap } from "../../../src/kernel/command.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { inOneForm, isWithin, onGroundOf, problemOf } from "../grounds.ts";
import {
  isLiveAt,
  isSameHolder,
  lenderOf,
  lendersOf,
  liveAt,
  type LeaseBooks,
  type LeaseRow,
} from "./books.ts";
import { isDenied } from "./conditions.ts";
import { given, no, yes, type Expected } from "./expected.ts";
import {
  isDead,
  maySpeakFor,
  obstacleOfClaim,
  obstacleOfFleet,
  obstacleOfKeeper,
  obstacleOfLease,
  obstacleOfTaker,
  type Scene,
} from "./holders.ts";

/** How far a renewal must move an end to be written, ms; never more than half of its time. */
const WORTH_WRITING_MS = 30_000;

/** What a renewal must come to. */
export function expectRenew(scene: Scene, data: CommandMap["lease.renew"]): Expected {
  const { books, actor, atMs } = scene;
  if (!maySpeakFor(actor, data.claim)) return no("not_authorised");
  if (books.killedSeq !== null) return no("fleet_killed");
  const row = books.ground.rows.get(data.lease);
  const obstacle = obstacleOfClaim(row, data, atMs);
  if (obstacle !== null || row === undefined) return no(obstacle ?? "lease_unknown");
  const unfit = obstacleOfKeeper(books, row.holder);
  if (unfit !== null) return no(unfit);
  const ttlMs = data.ttl_ms ?? row.ttlMs;
  const lender = lendersOf(books.ground, row).find((one) => isLiveAt(one, atMs));
  const endMs = Math.min(atMs + ttlMs, lender?.expiresAtMs ?? Infinity);
  const movedMs = endMs - row.expiresAtMs;
  if (movedMs <= 0 || movedMs < Math.min(WORTH_WRITING_MS, Math.floor(ttlMs / 2))) return yes();
  const { lease, run_id } = data;
  return yes({ kind: "lease.renewed", data: given({ lease, expires_at_ms: endMs, run_id }) });
}

/** What giving a lease back must come to: it works whatever the fleet is like. */
export function expectRelease(scene: Scene, data: CommandMap["lease.release"]): Expected {
  const { books, actor, atMs } = scene;
  if (!maySpeakFor(actor, data.claim)) return no("not_authorised");
  const obstacle = obstacleOfClaim(books.ground.rows.get(data.lease), data, atMs);
  if (obstacle !== null) return no(obstacle);
  const { lease, run_id } = data;
  return yes({ kind: "lease.released", data: given({ lease, cause: "holder", run_id }) });
}

/** What giving a part of a lease back must come to. */
export function expectNarrow(scene: Scene, data: CommandMap["lease.narrow"]): Expected {
  const { books, actor, atMs } = scene;
  if (!maySpeakFor(actor, data.claim)) return no("not_authorised");
  const row = books.ground.rows.get(data.lease);
  const obstacle = obstacleOfClaim(row, data, atMs);
  if (obstacle !== null || row === undefined) return no(obstacle ?? "lease_unknown");
  const { foldsCase } = books.ground;
  const problem = problemOf({ patterns: data.region, foldsCase });
  if (problem !== null) return no(problem);
  const region = onGroundOf(row.worktree, data.region);
  if (!isWithin({ patterns: region, foldsCase }, { patterns: row.region, foldsCase }))
    return no("rights_exceeded");
  if (inOneForm(region) === inOneForm(row.region)) return yes();
  const { lease, run_id } = data;
  return yes({ kind: "lease.narrowed", data: given({ lease, region, run_id }) });
}

/** What handing a lease over must come to, by its holder's word or of the dead. */
export function expectHandOver(scene: Scene, data: CommandMap["lease.hand_over"]): Expected {
  const { books, actor, atMs } = scene;
  const { claim = {}, orphan = false, to } = data;
  // Of an outside party a worker could name any: it gives what is its own to workers alone.
  const isOutward = actor.kind === "worker" && !("worker" in to);
  if (isOutward || !maySpeakFor(actor, orphan ? to : claim)) return no("not_authorised");
  const closed = obstacleOfFleet(books);
  if (closed !== null) return no(closed);
  const row = books.ground.rows.get(data.lease);
  const obstacle = orphan
    ? (obstacleOfLease(row, atMs) ??
      (row !== undefined && !isDead(books, row.holder) ? "holder_mismatch" : null))
    : obstacleOfClaim(row, { ...data, claim }, atMs);
  if (obstacle !== null || row === undefined) return no(obstacle ?? "lease_unknown");
  const unfit = obstacleOfTaker(books, to);
  if (unfit !== null) return no(unfit);
  if (lenderOf(books.ground, row) !== null) return no("rights_exceeded");
  if (books.ground.mounts.has(row.id)) return no("conflict");
  if (!isWithinRights(scene, row, to)) return no("rights_exceeded");
  const own = liveAt(books.ground, atMs).filter((other) => isSameHolder(other.holder, to));
  if (own.length >= LIMITS.leasesPerHolderMax) return no("limit_exceeded");
  const { lease, ttl_ms = row.ttlMs, run_id } = data;
  if (isDenied(scene, { holder: to, mode: row.mode, ttlMs: ttl_ms })) return no("lease_condition");
  const from = "worker" in row.holder ? row.holder.worker : row.holder.name;
  const expires_at_ms = atMs + ttl_ms;
  return yes({
    kind: "lease.handed_over",
    data: given({ lease, from, to, orphan, ttl_ms, expires_at_ms, run_id }),
  });
}

function isWithinRights(
  { books }: Scene,
  row: LeaseRow,
  to: CommandMap["lease.hand_over"]["to"],
): boolean {
  if (!("worker" in to)) return true;
  const { foldsCase } = books.ground;
  const rights = onGroundOf(row.worktree, books.rows.get(to.worker)?.regions ?? []);
  return isWithin({ patterns: row.region, foldsCase }, { patterns: rights, foldsCase });
}

/** What taking a lease away must come to: with it goes what is lent of it. */
export function expectRevoke(scene: Scene, data: CommandMap["lease.revoke"]): Expected {
  const { books, actor, atMs } = scene;
  if (actor.kind !== "operator") return no("not_authorised");
  const row = books.ground.rows.get(data.lease);
  const obstacle = obstacleOfLease(row, atMs);
  if (obstacle !== null || row === undefined) return no(obstacle ?? "lease_unknown");
  const { lease, reason, run_id } = data;
  const first = { kind: "lease.revoked", data: given({ lease, reason, run_id }) } as const;
  const others = lentOf(books.ground, row, atMs).map(({ id }) => {
    return {
      kind: "lease.revoked",
      data: given({ lease: id, reason, run_id, with: lease }),
    } as const;
  });
  return yes(first, ...others);
}

function lentOf(ground: LeaseBooks, row: LeaseRow, atMs: number): readonly LeaseRow[] {
  return liveAt(ground, atMs)
    .filter((other) => lendersOf(ground, other).includes(row))
    .toSorted((one, other) => Number(one.id.slice(2)) - Number(other.id.slice(2)));
}
