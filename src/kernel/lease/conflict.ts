import type { JsonObject } from "../json.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { COST_OF_LEASE, EffortSpent, spend, type Effort } from "../region/effort.ts";
import type { Region } from "../region/region.ts";
import { offWorktree, withoutWorktree } from "../ground/worktree.ts";
import { foldersIn } from "../mount/folders.ts";
import type { Mount } from "../mount/mount.ts";
import { overlapOf } from "../region/relation.ts";
import { parseOnce } from "../region/rights.ts";
import { writeInstant } from "../time/instant.ts";
import { heldAt, slotsOf, type LeaseBook } from "./book.ts";
import { shown } from "./holding.ts";
import { holderKey, isHeldAt, nameOf, type Holder, type Lease, type LeaseMode } from "./lease.ts";

/** What is asked for, as far as others can be in its way. */
export interface Wish {
  readonly holder: Holder;
  readonly mode: LeaseMode;
  readonly region: Region;
  readonly lane: string | null;
  readonly alone: boolean;
  /** Leases that are no obstacle: those that this one is to be a lent part of. */
  readonly lenders: ReadonlySet<string>;
  /** Regions that count as held by somebody else. */
  readonly alsoHeld: readonly Region[];
  /** What deciding on it may still cost; all that one decision looks at shares it. */
  readonly effort: Effort;
  /** Its place in the queue: it must not pass those with a lower one. */
  readonly rank: number;
}

/**
 * Refuses what another live lease is in the way of (I1): both regions share a resource and one of
 * the two may write it or relies on nobody writing, or one of the two runs alone.
 */
export function checkConflicts(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  return checkAlone(book, wish, atMs) ?? checkGround(book, wish, atMs) ?? checkAlsoHeld(wish);
}

function checkAlone(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  const [first] = wish.alone ? heldAt(book, atMs) : [];
  if (first !== undefined) return conflictWith(first, wish, { alone: true });
  const [left] = wish.alone ? lapsingMounts(book, book.mounts.keys(), { wish, atMs }) : [];
  if (left !== undefined) return occupied(left, { alone: true });
  for (const id of book.index.alone()) {
    const lease = book.leases.get(id);
    if (lease === undefined || !isHeldAt(lease, atMs) || wish.lenders.has(id)) continue;
    return conflictWith(lease, wish, { alone: true });
  }
  return null;
}

function checkGround(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  const looked: Looked = { count: 0, last: undefined };
  try {
    return findRival(book, wish, { atMs, looked }) ?? findOccupied(book, wish, atMs);
  } catch (error) {
    if (error instanceof EffortSpent) return tooLarge(wish, looked);
    throw error;
  }
}

/** How far a search has come: which lease it looked at last, the how manyth. */
interface Looked {
  count: number;
  last: Lease | undefined;
}

function findRival(
  book: LeaseBook,
  wish: Wish,
  { atMs, looked }: { readonly atMs: number; readonly looked: Looked },
): Refusal | null {
  for (const rival of rivals(book, wish, { atMs, looked })) {
    if (rival === "too_large") return tooLarge(wish, looked);
    return conflictWith(rival.lease, wish, { witness: rival.witness });
  }
  return null;
}

/** A live lease that is in the way, and a resource that both would have. */
export interface Rival {
  readonly lease: Lease;
  readonly witness: string;
}

/**
 * The live leases whose ground is in the way of a wish; `too_large` where that cannot be decided.
 * Throws `EffortSpent`.
 */
export function* rivals(
  book: LeaseBook,
  wish: Wish,
  { atMs, looked }: { readonly atMs: number; readonly looked?: Looked },
): Generator<Rival | "too_large", void, undefined> {
  const { effort } = wish;
  for (const id of book.index.candidates(wish.region, wish.mode, effort)) {
    spend(effort, COST_OF_LEASE);
    const lease = book.leases.get(id);
    if (lease === undefined || !isHeldAt(lease, atMs) || wish.lenders.has(id)) continue;
    if (isCompatible(lease, wish)) continue;
    if (looked !== undefined) {
      looked.count += 1;
      looked.last = lease;
    }
    const parsed = parseOnce(lease.region, book.foldsCase);
    const overlap = parsed.ok ? overlapOf(wish.region, parsed.region, effort) : undefined;
    if (overlap === undefined || overlap.kind === "too_large") yield "too_large";
    else if (overlap.kind === "overlap") yield { lease, witness: overlap.witness };
  }
}

/** Ground whose lease has ended is not free while a sandbox lets its worker write there (I8). */
function findOccupied(book: LeaseBook, wish: Wish, atMs: number): Refusal | null {
  const { effort } = wish;
  const ids = book.mountIndex.candidates(wish.region, wish.mode, effort);
  for (const mount of lapsingMounts(book, ids, { wish, atMs })) {
    spend(effort, COST_OF_LEASE);
    if (isCompatible(mount, wish)) continue;
    const parsed = parseOnce(mount.region, book.foldsCase);
    if (!parsed.ok) continue;
    const overlap = overlapOf(wish.region, parsed.region, effort);
    if (overlap.kind === "too_large") throw new EffortSpent();
    if (overlap.kind === "overlap") return occupied(mount, { witness: overlap.witness });
  }
  return null;
}

/** Of mounts those of others whose lease does not speak for them any more: it ended, or shrank. */
function* lapsingMounts(
  book: LeaseBook,
  ids: Iterable<string>,
  { wish, atMs }: { readonly wish: Wish; readonly atMs: number },
): Generator<Mount, void, undefined> {
  for (const id of ids) {
    const mount = book.mounts.get(id);
    if (mount === undefined || isOwn(mount, wish)) continue;
    const lease = book.leases.get(id);
    const isSpokenFor = lease !== undefined && isHeldAt(lease, atMs) && isAllOf(book, lease, mount);
    if (!isSpokenFor) yield mount;
  }
}

function isOwn({ worker }: Mount, { holder }: Wish): boolean {
  return "worker" in holder && holder.worker === worker;
}

function isAllOf(book: LeaseBook, lease: Lease, { region }: Mount): boolean {
  return foldersIn(lease, book.foldsCase).patterns.join("\n") === region.join("\n");
}

function occupied(
  { lease, worker, mode, region }: Mount,
  why: { readonly witness: string } | { readonly alone: true },
): Refusal {
  const what = "witness" in why ? `"${offWorktree(why.witness)?.text ?? why.witness}"` : "some";
  return refuse(
    "conflict",
    `the ground must be free, the sandbox of ${worker} has ${what} mounted still, ` +
      `which ${lease} gives no right to any more; it is being taken from it`,
    { lease_id: lease, holder: worker, mode, mounted: region, ...why, lapsing: true, own: false },
  );
}

/** Readers share, and so do the slots of one lane. */
function isCompatible(lease: Pick<Lease, "mode" | "lane">, wish: Wish): boolean {
  if (lease.mode === "shared") return wish.mode === "shared";
  return lease.mode === "slot" && wish.mode === "slot" && lease.lane === wish.lane;
}

function checkAlsoHeld({ region, alsoHeld, effort }: Wish): Refusal | null {
  for (const other of alsoHeld) {
    const overlap = overlapOf(region, other, effort);
    if (overlap.kind === "apart") continue;
    const also_held = [...other.patterns];
    if (overlap.kind === "too_large")
      return refuse("region_too_large", tooLargeMessage(region), { also_held });
    const { witness } = overlap;
    return refuse(
      "conflict",
      `the ground must be free, "${witness}" counts as held by what was given with the request`,
      { also_held, witness },
    );
  }
  return null;
}

function conflictWith(
  lease: Lease,
  wish: Pick<Wish, "holder">,
  why: { readonly witness: string } | { readonly alone: true },
): Refusal {
  const { id, holder, mode, lane, expires_at_ms } = lease;
  const own = holderKey(holder) === holderKey(wish.holder);
  const shared = sharedOf(lease, why);
  const what = own
    ? `your own ${id} has ${shared.words} as ${mode}`
    : `${shown(holder)} holds ${shared.words} as ${mode} by ${id}`;
  const reason = "witness" in why ? "" : "; one of the two runs alone in the fleet";
  return refuse(
    "conflict",
    `the ground must be free, ${what} until ${writeInstant(expires_at_ms)}${reason}`,
    {
      lease_id: id,
      holder: nameOf(holder),
      mode,
      ...(lane === null ? {} : { lane }),
      ...shared.facts,
      expires_at_ms,
      own,
    } satisfies JsonObject,
  );
}

/** What both have, in words and for programs: of a worktree's own ground as its path there. */
function sharedOf(
  { worktree }: Lease,
  why: { readonly witness: string } | { readonly alone: true },
): { readonly words: string; readonly facts: JsonObject } {
  if ("alone" in why) return { words: "it", facts: why };
  const placed = worktree === null ? undefined : offWorktree(why.witness);
  if (placed === undefined) return { words: `"${why.witness}"`, facts: why };
  const { text: witness, worktree: id } = placed;
  return { words: `"${witness}" of worktree "${id}"`, facts: { witness, worktree: id } };
}

/** Both sides are named: the asker alone could not know whose ground makes it so much. */
function tooLarge({ region }: Wish, { last, count }: Looked): Refusal {
  const message = tooLargeMessage(region);
  if (last === undefined) return refuse("region_too_large", message, {});
  const { id: lease_id, holder, worktree } = last;
  const held = worktree === null ? last.region : withoutWorktree(last.region);
  const where =
    `; it was given up at ${lease_id}, ${patternsText(held)} of ${shown(holder)}, ` +
    `lease ${count} of those that may be in the way`;
  const facts = { lease_id, holder: nameOf(holder), compared: count };
  return refuse("region_too_large", message + where, facts);
}

/** Said of a question that takes more work than one decision may. */
export function tooLargeMessage({ patterns }: Pick<Region, "patterns">): string {
  return (
    `the region must be one that can be decided beside what is held, ` +
    `with fewer patterns or wildcards, got ${patternsText(patterns)}`
  );
}

function patternsText([first = "", ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** Refuses the slot after the last one of a lane; slots that others wait for count as taken. */
export function checkSlots(
  book: LeaseBook,
  lane: { readonly name: string; readonly slots: number; readonly aheadCount: number },
  atMs: number,
): Refusal | null {
  const held: Lease[] = [];
  for (const lease of slotsOf(book, lane.name)) if (isHeldAt(lease, atMs)) held.push(lease);
  if (held.length + lane.aheadCount < lane.slots) return null;
  const inTurn = held.toSorted((one, other) => one.expires_at_ms - other.expires_at_ms);
  const next = inTurn[0]?.expires_at_ms;
  const holders = inTurn.slice(0, holdersNamedMax).map(({ holder }) => nameOf(holder));
  const more = held.length - holders.length;
  const whose = holders.map((name) => JSON.stringify(name)).join(", ");
  const by = held.length === 0 ? "" : `, by ${whose}${more > 0 ? ` and ${more} more` : ""}`;
  const waited = lane.aheadCount === 0 ? "" : `, and ${lane.aheadCount} came first and wait`;
  const ends = next === undefined ? "" : `; the first ends at ${writeInstant(next)}`;
  return refuse(
    "slots_full",
    `lane "${lane.name}" must have a free slot of its ${lane.slots}, ` +
      `${held.length} held${by}${waited}${ends}`,
    {
      lane: lane.name,
      slots: lane.slots,
      held: held.length,
      ...(lane.aheadCount === 0 ? {} : { waiting_count: lane.aheadCount }),
      holders,
      ...(next === undefined ? {} : { next_expires_at_ms: next }),
    },
  );
}

/** How many holders of slots are named: those whose leases end first. */
const holdersNamedMax = 3;
