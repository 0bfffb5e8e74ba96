import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import { checkOpen } from "../fleet/openness.ts";
import type { JsonObject } from "../json.ts";
import type { Lane } from "../lane/lane.ts";
import { isPlaced, MAIN_WORKTREE } from "../ground/worktree.ts";
import { resolveLanes } from "../lane/resolve.ts";
import { LIMITS } from "../limits.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { parseOnce } from "../region/rights.ts";
import type { Effort } from "../region/effort.ts";
import type { Region } from "../region/region.ts";
import type { State } from "../state.ts";
import { checkLeaseConditions } from "../condition/lease-condition.ts";
import { checkConflicts, checkSlots, type Wish } from "./conflict.ts";
import { bytesOf, checkNewHolder, checkRoom, isOrphaned } from "./holding.ts";
import { givenOf, tellWidened, widenedFrom } from "../mount/widening.ts";
import { enqueue } from "../queue/enqueue.ts";
import { checkLine, LAST, slotsAhead } from "../queue/line.ts";
import type { PlaceGround } from "../queue/place.ts";
import { findKept } from "./kept.ts";
import { nameOf, type Lease, type LeaseMode } from "./lease.ts";
import { decisionEffort, understand, type Wanted } from "./wanted.ts";

/** What is asked for, and by whom; how long it is waited for matters to the queue alone. */
type Request = Omit<CommandMap["lease.acquire"], "wait_ms">;

/** A lane that could not be had, and why. */
type PassedOver = JsonObject & { readonly lane: string | null; readonly code: string };

/** What one ground that was asked for came to. */
type Attempt =
  | { readonly kind: "granted"; readonly wanted: Wanted }
  | { readonly kind: "kept" }
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      readonly isFinal?: true;
      /** Somebody is in the way who may make way: it can be waited for. */
      readonly held?: PlaceGround;
    };

/** What all that was asked for came to. */
export type Attempted =
  | { readonly kind: "granted"; readonly event: Event }
  | { readonly kind: "kept" }
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      /** What of it can be waited for. */
      readonly held: readonly PlaceGround[];
    };

/**
 * Decides `lease.acquire`: every check in its order (LS2), on one region or on lanes, of which the
 * first that can be had is granted. What the holder has already is left as it is, and nothing is
 * written. Whoever waits for what others have takes a place in the queue.
 */
export function decideAcquire(
  state: State,
  { wait_ms, ...request }: CommandMap["lease.acquire"],
  now: { readonly atMs: number; readonly ended: string | undefined },
): Ruling {
  const refusal = checkOpen(state) ?? checkNewHolder(state, request.holder, now.ended);
  if (refusal !== null) return { ok: false, refusal };
  const attempted = attempt(state, request, { atMs: now.atMs, rank: LAST });
  if (attempted.kind === "kept") return grant();
  if (attempted.kind === "granted") return grant(attempted.event);
  if (wait_ms === undefined || attempted.held.length === 0)
    return { ok: false, refusal: attempted.refusal };
  const worktree = worktreeOf(state, request);
  const wait = { request, wait_ms, grounds: attempted.held, worktree };
  return enqueue(state, wait, now.atMs);
}

/** When something is tried, and by whom. */
interface Trying {
  readonly atMs: number;
  readonly rank: number;
  readonly place?: string;
  /** It is only looked whether it could be had: what is cheap to find in the way is enough. */
  readonly isLook?: true;
}

/** Tries what is asked for, one ground after another; `place` is the one that was waited in. */
export function attempt(state: State, request: Request, so: Trying): Attempted {
  const asked = asksOf(state, request);
  if (!asked.ok) return refused(asked.refusal);
  const unplaced = checkPlace(state, request, asked.grounds);
  if (unplaced !== null) return refused(unplaced);
  const alsoHeld = parseAlsoHeld(state, request.also_held ?? []);
  if (!alsoHeld.ok) return refused(alsoHeld.refusal);
  const effort = decisionEffort();
  const passed: PassedOver[] = [];
  const held: PlaceGround[] = [];
  let last: Refusal | undefined;
  for (const { lane, patterns } of asked.grounds) {
    const tried = tryGround(
      state,
      { ...request, lane, patterns, alsoHeld: alsoHeld.regions, effort },
      so,
    );
    if (tried.kind === "kept") return tried;
    if (tried.kind === "granted") {
      const { wanted } = tried;
      return { kind: "granted", event: grantOf(state, request, { ...so, wanted, passed }) };
    }
    last = tried.refusal;
    if (tried.isFinal === true) {
      held.length = 0;
      break;
    }
    if (tried.held !== undefined) held.push(tried.held);
    const { code, facts } = last;
    passed.push({ lane: lane?.name ?? null, code, facts });
  }
  if (last === undefined) return refused(refuse("region_invalid", NOTHING_ASKED));
  if (passed.length < 2) return { ...refused(tellWidened(state, request, last)), held };
  const each = passed.map(({ lane, code }) => `${JSON.stringify(lane)} (${code})`);
  const message = `${last.message}; tried in turn: ${each.join(", ")}`;
  return { ...refused({ ...last, message, facts: { ...last.facts, tried: passed } }), held };
}

function refused(refusal: Refusal): Extract<Attempted, { readonly kind: "refused" }> {
  return { kind: "refused", refusal, held: [] };
}

/**
 * The lease that an acquisition left as it is: what its holder has already of what is asked for,
 * in the order of asking. Undefined when it has none, or none any more.
 */
export function findRepeated(state: State, request: Request, atMs: number): Lease | undefined {
  const asked = asksOf(state, request);
  if (!asked.ok) return undefined;
  const { mode, holder } = request;
  const worktree = worktreeOf(state, request);
  const effort = decisionEffort();
  for (const { lane, patterns } of asked.grounds) {
    const understood = understand(state, { lane, patterns, mode, holder, worktree, effort });
    if (!understood.ok) continue;
    const { wanted } = understood;
    const kept = findKept(state, { ...request, wanted, lender: null, effort }, atMs);
    if (kept?.ok === true) return kept.lease;
  }
  return undefined;
}

const NOTHING_ASKED = "a region or lanes must be asked for, got neither";

interface Ground {
  readonly lane: Lane | null;
  readonly patterns: readonly string[];
}

function asksOf(
  state: State,
  request: Request,
):
  | { readonly ok: true; readonly grounds: readonly Ground[] }
  | { readonly ok: false; readonly refusal: Refusal } {
  const { region, lanes = [] } = request;
  if (region !== undefined) {
    const patterns = givenOf(state, { ...request, region });
    return { ok: true, grounds: [{ lane: null, patterns }] };
  }
  const resolved = resolveLanes(state.book, lanes);
  if (!resolved.ok) return resolved;
  return {
    ok: true,
    grounds: resolved.lanes.map((lane) => ({ lane, patterns: lane.region })),
  };
}

function tryGround(
  state: State,
  ask: Request & Ground & { readonly alsoHeld: readonly Region[]; readonly effort: Effort },
  { atMs, rank, isLook }: Trying,
): Attempt {
  const { lane, patterns, mode, holder, alsoHeld, effort } = ask;
  const worktree = worktreeOf(state, ask);
  const understood = understand(state, { lane, patterns, mode, holder, worktree, effort });
  if (!understood.ok) return no(understood.refusal);
  const { wanted } = understood;
  const kept = findKept(state, { ...ask, wanted, lender: null }, atMs);
  if (kept?.ok === true) return { kind: "kept" };
  if (kept?.ok === false) return { ...no(kept.refusal), isFinal: true };
  const full = checkRoom(state, { holder, region: wanted.region.patterns }, atMs);
  if (full !== null) return { ...no(full), isFinal: true };
  const denied = checkLeaseConditions(state, { ...ask, ...groundOf(wanted) }, atMs);
  if (denied !== null) return no(denied);
  const alone = lane?.alone === true;
  const wish: Wish = {
    holder,
    mode: wanted.mode,
    region: wanted.region,
    lane: lane?.name ?? null,
    alone,
    lenders: new Set(),
    alsoHeld,
    effort,
    rank,
  };
  const looked = isLook === true ? lookForSlot(state, wish, { atMs, lane }) : null;
  const inWay = looked ?? findInWay(state, wish, { atMs, lane });
  if (inWay === null) return { kind: "granted", wanted };
  return isPassing(inWay) ? { ...no(inWay), held: { ...groundOf(wanted), alone } } : no(inWay);
}

/** Whether a slot is sure to be missing, without counting all who wait for one. */
function lookForSlot(
  { book }: State,
  { mode, rank }: Wish,
  { atMs, lane }: { readonly atMs: number; readonly lane: Lane | null },
): Refusal | null {
  const { name, slots } = lane ?? {};
  if (mode !== "slot" || name === undefined || slots === undefined) return null;
  const aheadCount = slotsAhead(book, { lane: name, rank, countMax: slots }, atMs);
  return checkSlots(book, { name, slots, aheadCount }, atMs);
}

/** Who is in the way: holders first, then who came first, then those who have the slots. */
function findInWay(
  state: State,
  wish: Wish,
  { atMs, lane }: { readonly atMs: number; readonly lane: Lane | null },
): Refusal | null {
  const conflict = checkConflicts(state.book, wish, atMs);
  if (conflict !== null) return tellOrphaned(state, conflict);
  const passing = checkLine(state.book, wish, atMs);
  if (passing !== null) return passing;
  const { name, slots } = lane ?? {};
  if (wish.mode !== "slot" || name === undefined || slots === undefined) return null;
  const aheadCount = slotsAhead(state.book, { lane: name, rank: wish.rank }, atMs);
  return checkSlots(state.book, { name, slots, aheadCount }, atMs);
}

/** Whether what is in the way may make way: what counts as held by the asker's word does not. */
function isPassing({ code, facts }: Refusal): boolean {
  return code === "slots_full" || (code === "conflict" && !("also_held" in facts));
}

function groundOf({ lane, mode, region }: Wanted): {
  readonly lane: string | null;
  readonly mode: LeaseMode;
  readonly region: readonly string[];
} {
  return { lane: lane?.name ?? null, mode, region: region.patterns };
}

/**
 * The worktree that a request is about; null where worktrees share their ground. Who asks for
 * nothing that is placed may leave it out.
 */
function worktreeOf({ book }: State, { worktree = MAIN_WORKTREE }: Request): string | null {
  return book.rules.worktrees === "own_ground" ? worktree : null;
}

/**
 * Where each worktree has ground of its own, files are asked for on one that is named: callers do
 * so, but may have looked before that came into force.
 */
function checkPlace(
  { book }: State,
  { worktree }: Request,
  grounds: readonly Ground[],
): Refusal | null {
  if (book.rules.worktrees !== "own_ground" || worktree !== undefined) return null;
  const isShared = grounds.every(({ patterns }) => !isPlaced(patterns));
  if (isShared) return null;
  const message =
    "a worktree must be named, for each has ground of its own, got none; ask again from within one";
  return refuse("region_invalid", message, { field: "worktree" });
}

function no(refusal: Refusal): Extract<Attempt, { readonly kind: "refused" }> {
  return { kind: "refused", refusal };
}

/** Says of a conflict that whose lease is in the way has ended: nobody will release it. */
function tellOrphaned({ book, workers }: State, conflict: Refusal): Refusal {
  const { lease_id: id } = conflict.facts;
  const lease = typeof id === "string" ? book.leases.get(id) : undefined;
  if (lease === undefined || !isOrphaned({ workers }, lease)) return conflict;
  const message = `${conflict.message}; ${nameOf(lease.holder)} has ended, and nobody releases it`;
  return { ...conflict, message, facts: { ...conflict.facts, orphaned: true } };
}

function parseAlsoHeld(
  state: State,
  given: readonly (readonly string[])[],
):
  | { readonly ok: true; readonly regions: readonly Region[] }
  | { readonly ok: false; readonly refusal: Refusal } {
  const regions: Region[] = [];
  const { alsoHeldBytesMax: max } = LIMITS;
  const bytes = given.reduce((sum, patterns) => sum + bytesOf(patterns), 0);
  if (bytes > max) {
    const message = `what counts as held must have at most ${max} bytes, got ${bytes}`;
    const facts = { field: "also_held", max, got: bytes };
    return { ok: false, refusal: refuse("region_too_large", message, facts) };
  }
  for (const patterns of given) {
    const parsed = parseOnce(patterns, state.book.foldsCase);
    if (!parsed.ok) {
      const { code, expected, got } = parsed.problem;
      const message = `what counts as held must have ${expected}, got ${got}`;
      const facts = { field: "also_held", expected, got };
      return { ok: false, refusal: refuse(code, message, facts) };
    }
    regions.push(parsed.region);
  }
  return { ok: true, regions };
}

function grantOf(
  state: State,
  request: Request,
  so: {
    readonly wanted: Wanted;
    readonly atMs: number;
    readonly passed: readonly JsonObject[];
    readonly place?: string;
  },
): Event {
  const { holder, ttl_ms, key, run_id } = request;
  const { wanted, atMs, passed, place } = so;
  const { lane, mode, region } = wanted;
  const worktree = worktreeOf(state, request);
  return {
    kind: "lease.granted",
    data: {
      mode,
      region: region.patterns,
      ...(lane === null ? {} : { lane: lane.name }),
      ...(lane?.alone === true ? { alone: true as const } : {}),
      holder,
      ttl_ms,
      expires_at_ms: atMs + ttl_ms,
      ...(key === undefined ? {} : { key }),
      ...(run_id === undefined ? {} : { run_id }),
      ...(worktree === null ? {} : { worktree }),
      ...(place === undefined ? {} : { place }),
      ...widenedFrom(state, request),
      ...(passed.length === 0 ? {} : { passed_over: passed }),
    },
  };
}
