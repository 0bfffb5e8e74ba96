import type { CommandMap } from "../../../src/kernel/command.ts";
import type { Lane } from "../../../src/kernel/lane/lane.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { RefusalCode } from "../../../src/kernel/refusal.ts";
import { formProblemOf, inOneForm, isWithin, onGroundOf, overlap, problemOf } from "../grounds.ts";
import {
  clashOf,
  isLiveAt,
  isSameHolder,
  lenderOf,
  lendersOf,
  liveAt,
  type LeaseRow,
  type Stake,
} from "./books.ts";
import { isDenied } from "./conditions.ts";
import { occupying } from "./mounts.ts";
import { given, no, yes, type Expected } from "./expected.ts";
import {
  maySpeakFor,
  obstacleOfClaim,
  obstacleOfFleet,
  obstacleOfKeeper,
  obstacleOfTaker,
  type Scene,
} from "./holders.ts";

type Acquisition = CommandMap["lease.acquire"];
type Splitting = CommandMap["lease.split"];

/** What somebody wants of one ground, once it is understood. */
interface Wish extends Stake {
  readonly holder: Holder;
  readonly key: string | undefined;
  readonly worktree: string | null;
  /** What it is to be a lent part of. */
  readonly lender: LeaseRow | null;
}

/** One ground that is asked for: a lane, or null and patterns. */
interface Asked {
  readonly lane: Lane | null;
  readonly patterns: readonly string[];
}

/** What a request for a lease must come to, by the books and by trying resources. */
export function expectAcquire(scene: Scene, data: Acquisition): Expected {
  const { books, actor } = scene;
  if (!maySpeakFor(actor, data.holder)) return no("not_authorised");
  const obstacle = obstacleOfFleet(books) ?? obstacleOfTaker(books, data.holder);
  if (obstacle !== null) return no(obstacle);
  const asked = asksOf(scene, data);
  if (asked === null) return no("lane_unknown");
  const isOwnGround = books.ground.rules.worktrees === "own_ground";
  const isOfFiles = asked.some(({ patterns }) => !patterns.every((one) => isOfNoWorktree(one)));
  if (isOwnGround && data.worktree === undefined && isOfFiles) return no("region_invalid");
  for (const patterns of data.also_held ?? []) {
    const { foldsCase } = books.ground;
    const problem = formProblemOf({ patterns, foldsCase });
    if (problem !== null) return no(problem);
  }
  const tried: RefusalCode[] = [];
  const passed: { readonly lane: string | null; readonly code: RefusalCode }[] = [];
  for (const ground of asked) {
    const attempt = tryGround(scene, data, ground);
    if (attempt.kind === "kept") return yes();
    if (attempt.kind === "free") return granted(scene, data, { wish: attempt.wish, passed });
    tried.push(attempt.code);
    if (attempt.isFinal) return { code: attempt.code, tried: passed.length < 2 ? [] : tried };
    passed.push({ lane: ground.lane?.name ?? null, code: attempt.code });
  }
  return { code: tried.at(-1) ?? "region_invalid", tried: tried.length < 2 ? [] : tried };
}

/** Whether a pattern names ports and the like; one of all namespaces is of files, too. */
function isOfNoWorktree(pattern: string): boolean {
  return /^!?[a-z]+:/.test(pattern) && !/^!?file:/.test(pattern);
}

/** The lanes that are named, each once; null where one is none. */
function asksOf({ books }: Scene, data: Acquisition): readonly Asked[] | null {
  if (data.region !== undefined) return [{ lane: null, patterns: data.region }];
  const asked = new Map<string, Asked>();
  for (const name of data.lanes ?? []) {
    const lane = books.ground.rules.lanes.find(
      (one) => one.name === name || one.aliases?.includes(name) === true,
    );
    if (lane === undefined) return null;
    asked.set(lane.name, { lane, patterns: lane.region });
  }
  return [...asked.values()];
}

type Attempt =
  | { readonly kind: "free"; readonly wish: Wish }
  | { readonly kind: "kept" }
  | { readonly kind: "no"; readonly code: RefusalCode; readonly isFinal: boolean };

function tryGround(scene: Scene, data: Acquisition, { lane, patterns }: Asked): Attempt {
  const { holder, mode = lane?.slots === undefined ? "exclusive" : "slot" } = data;
  const refused = (code: RefusalCode, isFinal = false): Attempt => ({ kind: "no", code, isFinal });
  const obstacle = obstacleOfRegion(scene, patterns, holder);
  if (obstacle !== null && !(lane !== null && !("worker" in holder))) return refused(obstacle);
  if (mode === "slot" && lane?.slots === undefined) return refused("region_invalid");
  const { books, atMs } = scene;
  const isOwnGround = books.ground.rules.worktrees === "own_ground";
  const worktree = isOwnGround ? (data.worktree ?? "main") : null;
  const region = onGroundOf(worktree, patterns);
  const laneOf = { lane: lane?.name ?? null, alone: lane?.alone ?? false };
  const wish = { holder, key: data.key, worktree, lender: null, mode, region, ...laneOf };
  const kept = keptBy(scene, wish);
  if (kept !== null) return kept;
  const own = liveAt(books.ground, atMs).filter((row) => isSameHolder(row.holder, holder));
  if (own.length >= LIMITS.leasesPerHolderMax) return refused("limit_exceeded", true);
  if (isDenied(scene, { holder, mode, ttlMs: data.ttl_ms })) return refused("lease_condition");
  const foldsCase = books.ground.foldsCase;
  const isInTheWay =
    clashing(scene, wish).length > 0 ||
    occupying(scene, wish).length > 0 ||
    (data.also_held ?? []).some((held) =>
      overlap({ patterns: held, foldsCase }, { patterns: region, foldsCase }),
    );
  if (isInTheWay) return refused("conflict");
  if (mode === "slot" && takenSlots(scene, lane?.name ?? "") >= (lane?.slots ?? 0))
    return refused("slots_full");
  return { kind: "free", wish };
}

/** Why patterns are no region that a holder may have. */
function obstacleOfRegion(
  { books }: Scene,
  patterns: readonly string[],
  holder: Holder,
): RefusalCode | null {
  const { foldsCase } = books.ground;
  const problem = problemOf({ patterns, foldsCase });
  if (problem !== null || !("worker" in holder)) return problem;
  const rights = books.rows.get(holder.worker)?.regions ?? [];
  const isInside = isWithin({ patterns, foldsCase }, { patterns: rights, foldsCase });
  return isInside ? null : "rights_exceeded";
}

/** What a holder has already of what it wants. */
function keptBy(
  { books, atMs }: Scene,
  wish: Wish,
): Extract<Attempt, { kind: "kept" | "no" }> | null {
  const { foldsCase } = books.ground;
  const own = liveAt(books.ground, atMs).filter(
    (row) =>
      isSameHolder(row.holder, wish.holder) &&
      lenderOf(books.ground, row) === (wish.lender?.id ?? null),
  );
  const isLike = (row: LeaseRow): boolean => row.mode === wish.mode && row.lane === wish.lane;
  if (wish.key === undefined) {
    const isIt = (row: LeaseRow): boolean =>
      isLike(row) && inOneForm(row.region) === inOneForm(wish.region);
    return own.some(isIt) ? { kind: "kept" } : null;
  }
  const made = own.find((row) => row.key === wish.key);
  if (made === undefined) return null;
  const [inner, outer] = [wish.region, made.region].map((patterns) => ({ patterns, foldsCase }));
  if (inner !== undefined && outer !== undefined && isLike(made) && isWithin(inner, outer))
    return { kind: "kept" };
  return { kind: "no", code: "command_mismatch", isFinal: true };
}

/** The live leases that are in the way of what somebody wants. */
export function clashing(
  { books, atMs }: Pick<Scene, "books" | "atMs">,
  wish: Stake & { readonly lender: LeaseRow | null },
): readonly LeaseRow[] {
  const { ground } = books;
  const kin = wish.lender === null ? [] : [wish.lender, ...lendersOf(ground, wish.lender)];
  return liveAt(ground, atMs).filter(
    (row) => !kin.includes(row) && clashOf(ground.foldsCase, wish, row) !== null,
  );
}

/** How many slots of a lane are taken. */
export function takenSlots({ books, atMs }: Pick<Scene, "books" | "atMs">, lane: string): number {
  return liveAt(books.ground, atMs).filter((row) => row.mode === "slot" && row.lane === lane)
    .length;
}

function granted(
  { atMs }: Scene,
  data: Acquisition,
  { wish, passed }: { readonly wish: Wish; readonly passed: readonly object[] },
): Expected {
  const { holder, ttl_ms, key, run_id } = data;
  const { mode, region, lane, alone, worktree } = wish;
  return yes({
    kind: "lease.granted",
    data: given({
      mode,
      region,
      lane: lane ?? undefined,
      alone: alone ? true : undefined,
      holder,
      ttl_ms,
      expires_at_ms: atMs + ttl_ms,
      key,
      run_id,
      worktree: worktree ?? undefined,
      passed_over: passed.length === 0 ? undefined : passed,
    }),
  });
}

/** What lending a part of a lease must come to. */
export function expectSplit(scene: Scene, data: Splitting): Expected {
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
