import type { CommandMap } from "../../../src/kernel/command.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { isWithin, onGroundOf } from "../grounds.ts";
import { expectPlace } from "../queue/entering.ts";
import { attempt, clashing, keptBy, obstacleOfRegion, type Wish } from "./attempting.ts";
import { isLiveAt, isSameHolder, lendersOf, liveAt } from "./books.ts";
import { isDenied } from "./conditions.ts";
import { given, no, yes, type Expected } from "./expected.ts";
import {
  maySpeakFor,
  obstacleOfClaim,
  obstacleOfFleet,
  obstacleOfKeeper,
  obstacleOfTaker,
  type Scene,
} from "./holders.ts";
import { occupying } from "./mounts.ts";

/** What a request for a lease must come to, by the books and by trying resources. */
export function expectAcquire(scene: Scene, data: CommandMap["lease.acquire"]): Expected {
  const { books, actor } = scene;
  if (!maySpeakFor(actor, data.holder)) return no("not_authorised");
  const obstacle = obstacleOfFleet(books) ?? obstacleOfTaker(books, data.holder);
  if (obstacle !== null) return no(obstacle);
  // Who has no place comes after all who have one.
  const outcome = attempt(scene, data, { rank: Infinity });
  if (outcome.kind === "kept") return yes();
  if (outcome.kind === "granted") return outcome.expected;
  const { held, code, tried } = outcome;
  if (data.wait_ms === undefined || held.length === 0) return { code, tried };
  return expectPlace(scene, data, held);
}

/** What lending a part of a lease must come to. */
export function expectSplit(scene: Scene, data: CommandMap["lease.split"]): Expected {
  const { books, actor, atMs } = scene;
  const { ground } = books;
  if (!maySpeakFor(actor, data.claim)) return no("not_authorised");
  const row = ground.rows.get(data.lease);
  const obstacle = obstacleOfFleet(books) ?? obstacleOfClaim(row, data, atMs);
  if (obstacle !== null || row === undefined) return no(obstacle ?? "lease_unknown");
  const holder = { worker: data.to };
  const unfit = obstacleOfKeeper(books, row.holder) ?? obstacleOfTaker(books, holder);
  if (unfit !== null) return no(unfit);
  if (!isBelow(scene, data.to, row.holder) || row.mode === "slot") return no("rights_exceeded");
  if (ground.mounts.has(row.id)) return no("conflict");
  const wrong = obstacleOfRegion(scene, data.region, holder);
  if (wrong !== null) return no(wrong);
  const region = onGroundOf(row.worktree, data.region);
  const { foldsCase } = ground;
  const whole = { patterns: row.region, foldsCase };
  if (!isWithin({ patterns: region, foldsCase }, whole)) return no("rights_exceeded");
  const { key, run_id, ttl_ms } = data;
  const stake = { mode: row.mode, lane: null, alone: false, region };
  const wish: Wish = { ...stake, holder, key, worktree: row.worktree, lender: row };
  const kept = keptBy(scene, wish);
  if (kept?.kind === "kept") return yes();
  if (kept !== null) return no(kept.code);
  const own = liveAt(ground, atMs).filter((other) => isSameHolder(other.holder, holder));
  if (own.length >= LIMITS.leasesPerHolderMax) return no("limit_exceeded");
  if (isDenied(scene, { holder, mode: row.mode, ttlMs: ttl_ms })) return no("lease_condition");
  if (clashing(scene, wish).length > 0 || occupying(scene, wish).length > 0) return no("conflict");
  const ends = [row, ...lendersOf(ground, row)]
    .filter((one) => isLiveAt(one, atMs))
    .map((one) => one.expiresAtMs);
  const expires_at_ms = Math.min(atMs + ttl_ms, ...ends);
  const lent = { mode: row.mode, region, holder, ttl_ms, expires_at_ms, key, run_id };
  const place = { lender: row.id, worktree: row.worktree ?? undefined };
  return yes({ kind: "lease.granted", data: given({ ...lent, ...place }) });
}

function isBelow({ books }: Scene, worker: string, holder: Holder): boolean {
  if (!("worker" in holder)) return false;
  let at = books.rows.get(worker)?.keeper ?? null;
  while (at !== null && at !== holder.worker) at = books.rows.get(at)?.keeper ?? null;
  return at !== null;
}
