import { ok } from "../assert.ts";
import type { Lease, LeaseMode } from "../lease/lease.ts";
import { OrderedMap } from "../ordered-map.ts";
import { COST_OF_LEASE, spend, type Effort } from "../region/effort.ts";
import { CASELESS, EXACT, type Folding } from "../region/folding.ts";
import { literalPattern, parsePattern } from "../region/parse-pattern.ts";
import { EVERYTHING, type Pattern } from "../region/pattern.ts";
import type { Region } from "../region/region.ts";
import { hasResource, type Resource } from "../region/resource.ts";
import { parseOnce } from "../region/rights.ts";
import { HeldPatterns } from "./held-patterns.ts";
import type { Quest } from "./tree-walk.ts";

/** What a lease has to do with ground. */
type Ground = Pick<Lease, "mode" | "region">;

/** What leases hold, by their ids. */
interface Held {
  /** Of those that may write: a request to share needs no others. */
  readonly writing: HeldPatterns;
  readonly sharing: HeldPatterns;
}

/** What is in an index, and what has changed since `held` was made. */
interface Content {
  readonly folding: Folding;
  readonly grounds: OrderedMap<Ground>;
  readonly alone: OrderedMap<true>;
  readonly held: Held;
  readonly coming: OrderedMap<Ground>;
  readonly going: OrderedMap<Ground>;
}

const NONE: OrderedMap<Ground> = OrderedMap.empty();

/**
 * Finds the leases whose ground may meet a region, without looking at all of them. Immutable.
 * It never changes an answer: what it leaves out shares nothing with the region. Patterns are
 * looked at when it is first asked; a replay, which asks nothing, does not pay for them.
 */
export class GroundIndex {
  /** Replaced by an equal one in which nothing is left to do: who asks sees no difference. */
  #content: Content;

  private constructor(content: Content) {
    this.#content = content;
  }

  /** Makes an index of nothing, for regions of one folding. */
  static empty(isCaseless: boolean): GroundIndex {
    return new GroundIndex({
      folding: isCaseless ? CASELESS : EXACT,
      grounds: NONE,
      alone: OrderedMap.empty(),
      held: { writing: HeldPatterns.empty(), sharing: HeldPatterns.empty() },
      coming: NONE,
      going: NONE,
    });
  }

  /** The index with a lease; its id must not be in it. */
  add({ id, mode, region, alone }: Pick<Lease, "id" | "mode" | "region" | "alone">): GroundIndex {
    const content = this.#content;
    ok(!content.grounds.has(id), "a lease is in the index once");
    const ground = { mode, region };
    return new GroundIndex({
      ...content,
      grounds: content.grounds.set(id, ground),
      alone: alone ? content.alone.set(id, true) : content.alone,
      coming: content.coming.set(id, ground),
    });
  }

  /** The index without the lease of an id; the same when it is not in it. */
  remove({ id }: Pick<Lease, "id">): GroundIndex {
    const content = this.#content;
    const ground = content.grounds.get(id);
    if (ground === undefined) return this;
    const isHeld = !content.coming.has(id);
    return new GroundIndex({
      ...content,
      grounds: content.grounds.delete(id),
      alone: content.alone.delete(id),
      coming: content.coming.delete(id),
      going: isHeld ? content.going.set(id, ground) : content.going,
    });
  }

  /**
   * Ids of the leases that may be in the way of a lease of a region, each once: those whose
   * ground may meet it, save shared ones where it is to be shared. Their order follows from the
   * leases and the region alone, and so does the work. Lazy: the first come without looking for the
   * last. Throws `EffortSpent` where it has an effort, and that is used up before the last.
   */
  *candidates(
    region: Region,
    asks: LeaseMode,
    effort?: Effort,
  ): Generator<string, void, undefined> {
    const { folding } = this.#content;
    ok(region.folding === folding, "regions of one fleet fold alike");
    const { writing, sharing } = this.#held();
    const parts = asks === "shared" ? [writing] : [writing, sharing];
    const quest = { queries: region.includes, leftOut: region.excludes, folding, effort };
    yield* once(meetAll(parts, quest));
  }

  /**
   * Ids of the leases whose region has a resource, each once, whatever their mode. Throws
   * `EffortSpent` where it has an effort, and that is used up before the last.
   */
  *covering(resource: Resource, effort?: Effort): Generator<string, void, undefined> {
    const { folding, grounds } = this.#content;
    for (const { length } of resource.segments) spend(effort, 1 + length);
    const query = literalPattern(resource.namespace, resource.segments, folding);
    const { writing, sharing } = this.#held();
    const met = meetAll([writing, sharing], { queries: [query], leftOut: [], folding, effort });
    for (const id of once(met)) {
      spend(effort, COST_OF_LEASE);
      const parsed = parseOnce(grounds.get(id)?.region ?? [], folding === CASELESS);
      if (!parsed.ok || hasResource(parsed.region, resource, effort)) yield id;
    }
  }

  /** Ids of the leases whose lane runs alone. */
  alone(): Iterable<string> {
    return this.#content.alone.keys();
  }

  #held(): Held {
    const { folding, coming, going } = this.#content;
    if (coming.size === 0 && going.size === 0) return this.#content.held;
    let { writing, sharing } = this.#content.held;
    const change = (id: string, { mode, region }: Ground, how: "add" | "remove"): void => {
      for (const pattern of includesOf(region, folding))
        if (mode === "shared") sharing = sharing[how](pattern, id);
        else writing = writing[how](pattern, id);
    };
    // A lease whose ground was narrowed goes and comes.
    for (const [id, ground] of going) change(id, ground, "remove");
    for (const [id, ground] of coming) change(id, ground, "add");
    const held = { writing, sharing };
    this.#content = { ...this.#content, held, coming: NONE, going: NONE };
    return held;
  }
}

function includesOf(patterns: readonly string[], folding: Folding): readonly Pattern[] {
  const parsed = parseOnce(patterns, folding === CASELESS);
  // One that only older rules could read is in everybody's way, until it ends.
  return parsed.ok ? parsed.region.includes : parsePattern(EVERYTHING, folding);
}

function* meetAll(
  parts: readonly HeldPatterns[],
  {
    queries,
    ...quest
  }: Omit<Quest, "query"> & {
    readonly queries: readonly Pattern[];
  },
): Generator<string, void, undefined> {
  for (const part of parts) for (const query of queries) yield* part.meet({ ...quest, query });
}

function* once(ids: Iterable<string>): Generator<string, void, undefined> {
  const found = new Set<string>();
  for (const id of ids) {
    if (found.has(id)) continue;
    found.add(id);
    yield id;
  }
}
