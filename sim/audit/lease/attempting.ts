/*
 * What one request for a lease comes to, ground by ground: by the books, by who waits, and by
 * trying resources. A request that waits is tried in the same way each time it is looked at.
 */

import type { CommandMap } from "../../../src/kernel/command.ts";
import type { Lane } from "../../../src/kernel/lane/lane.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import type { RefusalCode } from "../../../src/kernel/refusal.ts";
import { formProblemOf, inOneForm, isWithin, onGroundOf, overlap, problemOf } from "../grounds.ts";
import { passedBy, promisedSlots, takenSlots } from "../queue/line.ts";
import {
  clashOf,
  isSameHolder,
  lenderOf,
  lendersOf,
  liveAt,
  type LeaseRow,
  type Stake,
} from "./books.ts";
import { isDenied } from "./conditions.ts";
import { given, yes, type Expected } from "./expected.ts";
import type { Scene } from "./holders.ts";
import { occupying } from "./mounts.ts";

/** What is asked for, and by whom. */
export type Request = Omit<CommandMap["lease.acquire"], "wait_ms">;

/** What somebody wants of one ground, once it is understood. */
export interface Wish extends Stake {
  readonly holder: Holder;
  readonly key: string | undefined;
  readonly worktree: string | null;
  /** What it is to be a lent part of. */
  readonly lender: LeaseRow | null;
}

/** One ground that is asked for: a lane, or null and patterns. */
export interface Asked {
  readonly lane: Lane | null;
  readonly patterns: readonly string[];
}

/** From where in the queue something is asked for. */
export interface From {
  /** Infinite for who has no place. */
  readonly rank: number;
  /** The place that it is taken up in. */
  readonly place?: string;
}

/** What a request comes to when it is looked at. */
export type Outcome =
  | { readonly kind: "granted"; readonly expected: Expected }
  | { readonly kind: "kept" }
  | {
      readonly kind: "refused";
      readonly code: RefusalCode;
      readonly tried: readonly RefusalCode[];
      /** What of it can be waited for. */
      readonly held: readonly Stake[];
    };

/** What a request must come to now, by all that is checked each time. */
export function attempt(scene: Scene, data: Request, from: From): Outcome {
  const { books } = scene;
  const refused = (code: RefusalCode, tried: readonly RefusalCode[] = []): Outcome => {
    return { kind: "refused", code, tried, held: [] };
  };
  const asked = asksOf(scene, data);
  if (asked === null) return refused("lane_unknown");
  const isOwnGround = books.ground.rules.worktrees === "own_ground";
  const isOfFiles = asked.some(({ patterns }) => !patterns.every((one) => isOfNoWorktree(one)));
  if (isOwnGround && data.worktree === undefined && isOfFiles) return refused("region_invalid");
  for (const patterns of data.also_held ?? []) {
    const { foldsCase } = books.ground;
    const problem = formProblemOf({ patterns, foldsCase });
    if (problem !== null) return refused(problem);
  }
  const tried: RefusalCode[] = [];
  const held: Stake[] = [];
  const passed: { readonly lane: string | null; readonly code: RefusalCode }[] = [];
  for (const ground of asked) {
    const one = tryGround(scene, { ...data, ...ground }, from);
    if (one.kind === "kept") return one;
    if (one.kind === "free") {
      const expected = granted(scene, data, { wish: one.wish, passed, place: from.place });
      return { kind: "granted", expected };
    }
    tried.push(one.code);
    if (one.isFinal === true) return refused(one.code, passed.length < 2 ? [] : tried);
    if (one.held !== undefined) held.push(one.held);
    passed.push({ lane: ground.lane?.name ?? null, code: one.code });
  }
  const code = tried.at(-1) ?? "region_invalid";
  return { kind: "refused", code, tried: tried.length < 2 ? [] : tried, held };
}

/** Whether a pattern names ports and the like; one of all namespaces is of files, too. */
function isOfNoWorktree(pattern: string): boolean {
  return /^!?[a-z]+:/.test(pattern) && !/^!?file:/.test(pattern);
}

/** The lanes that are named, each once; null where one is none. */
export function asksOf(
  { books }: Pick<Scene, "books">,
  data: Pick<Request, "region" | "lanes">,
): readonly Asked[] | null {
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
  | {
      readonly kind: "no";
      readonly code: RefusalCode;
      /** Nothing that is asked for beside it is looked at. */
      readonly isFinal?: true;
      /** What can be waited for: somebody who may make way is in the way. */
      readonly held?: Stake;
    };

function tryGround(scene: Scene, data: Request & Asked, from: From): Attempt {
  const { lane, patterns, holder, mode = lane?.slots === undefined ? "exclusive" : "slot" } = data;
  const refused = (code: RefusalCode): Attempt => ({ kind: "no", code });
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
  if (own.length >= LIMITS.leasesPerHolderMax) {
    return { kind: "no", code: "limit_exceeded", isFinal: true };
  }
  if (isDenied(scene, { holder, mode, ttlMs: data.ttl_ms })) return refused("lease_condition");
  const inTheWay = inTheWayOf(scene, { ...wish, alsoHeld: data.also_held ?? [] }, from);
  if (inTheWay !== null) {
    const { code, mayMakeWay } = inTheWay;
    return { kind: "no", code, ...(mayMakeWay ? { held: { mode, region, ...laneOf } } : {}) };
  }
  return { kind: "free", wish };
}

/** By what code somebody is in the way, and whether he may make way; null where nobody is. */
function inTheWayOf(
  scene: Scene,
  wish: Wish & { readonly alsoHeld: readonly (readonly string[])[] },
  { rank }: From,
): { readonly code: RefusalCode; readonly mayMakeWay: boolean } | null {
  const { books, atMs } = scene;
  const { ground } = books;
  const { foldsCase } = ground;
  if (clashing(scene, wish).length > 0 || occupying(scene, wish).length > 0)
    return { code: "conflict", mayMakeWay: true };
  const patterns = wish.region;
  const isAlsoHeld = wish.alsoHeld.some((other) =>
    overlap({ patterns: other, foldsCase }, { patterns, foldsCase }),
  );
  // What the asker itself says that somebody has, nobody here gives back.
  if (isAlsoHeld) return { code: "conflict", mayMakeWay: false };
  const inLine = { books, atMs, rank };
  if (passedBy(inLine, wish).length > 0) return { code: "conflict", mayMakeWay: true };
  const lane = ground.rules.lanes.find(({ name }) => name === wish.lane);
  if (wish.mode !== "slot" || lane?.slots === undefined) return null;
  const count = takenSlots(scene, lane.name) + promisedSlots(inLine, lane.name);
  return count < lane.slots ? null : { code: "slots_full", mayMakeWay: true };
}

/** Why patterns are no region that a holder may have. */
export function obstacleOfRegion(
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
export function keptBy(
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

function granted(
  { atMs }: Scene,
  data: Request,
  so: {
    readonly wish: Wish;
    readonly passed: readonly object[];
    readonly place: string | undefined;
  },
): Expected {
  const { holder, ttl_ms, key, run_id } = data;
  const { passed, place } = so;
  const { mode, region, lane, alone, worktree } = so.wish;
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
      place,
      passed_over: passed.length === 0 ? undefined : passed,
    }),
  });
}
