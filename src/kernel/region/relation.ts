import { ok } from "../assert.ts";
import { EffortSpent, newEffort, spend, type Effort } from "./effort.ts";
import { isPlainlyInside } from "./inside.ts";
import { meetNamespaces, meetPatterns, namesOf, writePath } from "./meeting.ts";
import { ANY_NAMESPACE, DEFAULT_NAMESPACE, type Pattern } from "./pattern.ts";
import type { Region } from "./region.ts";
import { hasResource, matchesPath, readResource, type Resource } from "./resource.ts";
import { searchPath, type Search } from "./search.ts";
import type { Terms } from "./segment.ts";

/** Whether two regions share a resource, with one that they share. */
export type Overlap =
  | { readonly kind: "apart" }
  | { readonly kind: "overlap"; readonly witness: string }
  | { readonly kind: "too_large" };

/** Whether a region lies in another, with a resource of it that does not. */
export type Containment =
  | { readonly kind: "inside" }
  | { readonly kind: "outside"; readonly witness: string }
  | { readonly kind: "too_large" };

/** That a question needs more than the effort that it was given. */
const TOO_LARGE = { kind: "too_large" } as const;

/**
 * Decides exactly whether two regions, parsed with one folding, share a resource. `too_large`
 * where that takes more than the effort, never as a guess: whoever asks must then take the two to
 * overlap. Whoever asks about many regions at once gives them one effort.
 */
export function overlapOf(left: Region, right: Region, effort = newEffort()): Overlap {
  demandOneFolding(left, right);
  return unlessSpent(effort, () => findOverlap(left, right, effort));
}

function findOverlap(left: Region, right: Region, effort: Effort): Overlap {
  const terms = { folding: left.folding, effort };
  const none = [...left.excludes, ...right.excludes];
  const doubtful: [Pattern, Pattern][] = [];
  for (const one of left.includes)
    for (const other of right.includes) {
      const witness = meetPatterns(one, other, terms);
      if (witness === undefined) continue;
      const path = pathMet(one, other);
      // Where they share one path alone, that decides, and what is left out needs no search.
      const isWitness =
        path === undefined
          ? isIn(left, witness, effort) && isIn(right, witness, effort)
          : !none.some((out) => matches(out, path, effort));
      if (isWitness) return { kind: "overlap", witness };
      const isDecided = path !== undefined || isLeftOut(one, other, { none, effort });
      if (!isDecided) doubtful.push([one, other]);
    }
  let isTooLarge = false;
  for (const all of doubtful) {
    const found = findResource({ all, none }, terms);
    if (found.kind === "found") return { kind: "overlap", witness: found.path };
    isTooLarge ||= found.kind === "too_large";
  }
  return { kind: isTooLarge ? "too_large" : "apart" };
}

/**
 * Decides exactly whether `inner` lies in `outer`, both parsed with one folding. `too_large` is
 * never a guess: whoever asks must then take it to lie outside.
 */
export function containmentOf(inner: Region, outer: Region, effort = newEffort()): Containment {
  demandOneFolding(inner, outer);
  return unlessSpent(effort, () => findEscape(inner, outer, effort));
}

function findEscape(inner: Region, outer: Region, effort: Effort): Containment {
  const terms = { folding: inner.folding, effort };
  let isTooLarge = false;
  for (const search of escapesOf(inner, outer, terms)) {
    const found = findResource(search, terms);
    if (found.kind === "found") return { kind: "outside", witness: found.path };
    isTooLarge ||= found.kind === "too_large";
  }
  return { kind: isTooLarge ? "too_large" : "inside" };
}

/** Decides whether a region has a resource at all, with one that it has. */
export function exampleIn(region: Region, effort = newEffort()): Overlap {
  return overlapOf(region, region, effort);
}

/** An answer, or that the question is too large: then the effort was used up on the way to it. */
function unlessSpent<T>(effort: Effort, answer: () => T): T | typeof TOO_LARGE {
  try {
    const found = answer();
    // A search may end in the step in which it goes beyond.
    return effort.workLeft > 0 ? found : TOO_LARGE;
  } catch (error) {
    if (error instanceof EffortSpent) return TOO_LARGE;
    throw error;
  }
}

/** Every way in which a resource of `inner` could be none of `outer`. */
function* escapesOf(inner: Region, outer: Region, terms: Terms): Generator<Search> {
  const { effort } = terms;
  for (const one of inner.includes) {
    const path = pathOf(one);
    if (path !== undefined && (isIn(outer, path, effort) || !isIn(inner, path, effort))) continue;
    if (!outer.includes.some((other) => isPlainlyInside([one], other, effort)))
      yield { all: [one], none: [...inner.excludes, ...outer.includes] };
    for (const excluded of outer.excludes)
      if (meetPatterns(one, excluded, terms) !== undefined)
        yield { all: [one, excluded], none: inner.excludes };
  }
}

/** The only path that a pattern matches; undefined where there may be others. */
function pathOf(pattern: Pattern): string | undefined {
  const names = pattern.namespace === ANY_NAMESPACE ? undefined : namesOf(pattern);
  return names === undefined ? undefined : writePath(pattern.namespace, names.join("/"));
}

/** The only path that two patterns share which meet; undefined where there may be others. */
function pathMet(one: Pattern, other: Pattern): Resource | undefined {
  const namespace = meetNamespaces(one.namespace, other.namespace);
  if (namespace === undefined || namespace === ANY_NAMESPACE) return undefined;
  const segments = namesOf(one) ?? namesOf(other);
  return segments && { namespace, segments };
}

function matches(pattern: Pattern, { namespace, segments }: Resource, effort: Effort): boolean {
  spend(effort, 1);
  if (meetNamespaces(pattern.namespace, namespace) === undefined) return false;
  return matchesPath(pattern, segments, effort);
}

/** Whether all that two patterns share is plainly left out. */
function isLeftOut(
  one: Pattern,
  other: Pattern,
  { none, effort }: { readonly none: readonly Pattern[]; readonly effort: Effort },
): boolean {
  return none.some(
    (out) =>
      isPlainlyInside([one, other], out, effort) || isPlainlyInside([other, one], out, effort),
  );
}

/** Searches in every namespace that may make a difference. */
function findResource(
  search: Search,
  { folding, effort }: Terms & { readonly effort: Effort },
): ReturnType<typeof searchPath> {
  const namespace = search.all.reduce<string | undefined>(
    (met, pattern) => (met === undefined ? undefined : meetNamespaces(met, pattern.namespace)),
    ANY_NAMESPACE,
  );
  let isTooLarge = false;
  for (const name of namespacesOf(namespace, search.none)) {
    spend(effort, search.none.length);
    const none = search.none.filter(
      (pattern) =>
        meetNamespaces(pattern.namespace, name) !== undefined &&
        search.all.every((one) => meetPatterns(one, pattern, { folding, effort }) !== undefined),
    );
    const found = searchPath({ all: search.all, none }, folding, effort);
    if (found.kind === "found") return { kind: "found", path: writePath(name, found.path) };
    isTooLarge ||= found.kind === "too_large";
  }
  return { kind: isTooLarge ? "too_large" : "none" };
}

/** The namespaces to look in: one of those that no pattern names stands for all of them. */
function namespacesOf(
  namespace: string | undefined,
  patterns: readonly Pattern[],
): readonly string[] {
  if (namespace === undefined) return [];
  if (namespace !== ANY_NAMESPACE) return [namespace];
  const named = new Set(patterns.map((pattern) => pattern.namespace));
  named.delete(ANY_NAMESPACE);
  let other = "other";
  while (named.has(other)) other += "-other";
  return [...new Set([DEFAULT_NAMESPACE, ...named, other])];
}

function isIn(region: Region, witness: string, effort: Effort | undefined): boolean {
  const resource = readResource(witness);
  return resource !== undefined && hasResource(region, resource, effort);
}

function demandOneFolding(left: Region, right: Region): void {
  ok(left.folding === right.folding, "regions of one fleet fold alike");
}
