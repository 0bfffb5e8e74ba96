// What the tests of the ground index stand on: leases of any region, and the scan that it replaces.
import { array, boolean, constantFrom, oneof, record, tuple, type Arbitrary } from "fast-check";
import type { Lease, LeaseMode } from "../../../src/kernel/lease/lease.ts";
import { meetPatterns } from "../../../src/kernel/region/meeting.ts";
import { parseRegion, type Region } from "../../../src/kernel/region/region.ts";

/** A lease of some ground, live and of no other interest. */
export function leaseOf(
  id: string,
  region: readonly string[],
  so: { readonly mode?: LeaseMode; readonly alone?: boolean } = {},
): Lease {
  return {
    id,
    fence: 1,
    mode: so.mode ?? "exclusive",
    region,
    lane: null,
    worktree: null,
    alone: so.alone ?? false,
    holder: { worker: "w-aaaa" },
    ttl_ms: 1_000,
    granted_at_ms: 0,
    expires_at_ms: 1_000,
    key: null,
    run_id: null,
    lender: null,
    taken_over: null,
    place: null,
  };
}

/** Parses what a test means to be right, folded or not. */
export function parsed(patterns: readonly string[], isCaseless: boolean): Region {
  const found = parseRegion(patterns, isCaseless);
  if (!found.ok) throw new Error(`${patterns.join(" ")}: ${found.problem.expected}`);
  return found.region;
}

/** Whether what two regions include shares something, whatever they leave out. */
export function includesMeet(left: Region, right: Region): boolean {
  return left.includes.some((one) =>
    right.includes.some((other) => meetPatterns(one, other, left) !== undefined),
  );
}

const NAMES = "a b ab ba abc A aB é É é😀 a.md b.md .md md";
const WILD = "* a* *a *b a*b ab* *c *.md a*.md ?.md ? ?b a? [ab] [!a]* *é É* *😀 {a,b}* **";

const segment = oneof(constantFrom(...NAMES.split(" ")), constantFrom(...WILD.split(" ")));

const pattern = tuple(
  constantFrom("", "", "", "file:", "port:", "branch:", "*:"),
  array(segment, { minLength: 1, maxLength: 4 }),
).map(([namespace, steps]) => namespace + steps.join("/"));

/** Folders, as they are left out most often. */
const folder = tuple(
  constantFrom("", "", "port:", "*:"),
  array(constantFrom("a", "b", "ab", "A"), { minLength: 1, maxLength: 2 }),
).map(([namespace, names]) => `${namespace}${names.join("/")}/**`);

/** Patterns of several namespaces, over an alphabet that is small enough to meet often. */
export const anyPatterns: Arbitrary<readonly string[]> = tuple(
  array(pattern, { minLength: 1, maxLength: 3 }),
  array(oneof(pattern, folder), { maxLength: 2 }),
).map(([includes, excludes]) => [...includes, ...excludes.map((text) => `!${text}`)]);

/** One path of the same alphabet, with its namespace. */
export const anyPath: Arbitrary<string> = tuple(
  constantFrom("", "port:", "other:"),
  array(constantFrom(...NAMES.split(" ")), { minLength: 1, maxLength: 4 }),
).map(([namespace, names]) => namespace + names.join("/"));

/** Grounds to be leased, each in some mode, and which of them are given back. */
export const anyGrounds: Arbitrary<
  readonly {
    readonly patterns: readonly string[];
    readonly mode: LeaseMode;
    readonly alone: boolean;
    readonly isGivenBack: boolean;
  }[]
> = array(
  record({
    patterns: anyPatterns,
    mode: constantFrom<LeaseMode>("exclusive", "shared", "slot"),
    alone: boolean(),
    isGivenBack: boolean(),
  }),
  { maxLength: 12 },
);
