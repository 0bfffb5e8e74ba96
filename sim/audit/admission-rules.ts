import type { EventMap } from "../../src/kernel/event.ts";
import { hashContract } from "../../src/kernel/fleet/fleet.ts";
import { NETWORKS, type Manifest } from "../../src/kernel/worker/manifest.ts";
import { liveRows, rowsDrawingOn, type Books, type Problem } from "./books.ts";
import { isWithin } from "./grounds.ts";
import { flatAmounts, type FlatAmounts, type Row } from "./row.ts";

/** What is wrong with an admission, by the books alone: I3 to I6 and what AD17 names. */
export function admissionProblems(books: Books, manifest: Manifest, atMs: number): Problem[] {
  const { contract } = books;
  if (contract === null) return [{ rule: "I4", message: "admitted before a contract" }];
  const parent = manifest.parent === null ? null : (books.rows.get(manifest.parent) ?? undefined);
  if (parent === undefined)
    return [{ rule: "I6", message: `parent ${manifest.parent} was never admitted` }];
  const live = liveRows(books).length;
  const isAllowed: readonly (readonly [boolean, string, string])[] = [
    [books.killedSeq === null, "I3", "the fleet was killed"],
    [!books.isPaused, "SM2", "the fleet is paused"],
    [!books.rows.has(manifest.instance), "SM2", "the instance id was used before"],
    [live < contract.max_replicas, "I4", `${live} live of ${contract.max_replicas}`],
    [books.rows.size < contract.max_total, "I4", `${books.rows.size} of ${contract.max_total}`],
    [manifest.depth === (parent?.depth ?? -1) + 1, "I6", `depth ${manifest.depth}`],
    [manifest.depth <= contract.max_depth, "I6", `depth ${manifest.depth} is beyond max_depth`],
    [manifest.key_id === books.keyId, "SM2", `sealed with the key ${manifest.key_id}`],
    [manifest.contract_hash === hashContract(contract), "SM2", "names another contract"],
    [manifest.issued_at_ms === atMs, "I11", `issued at ${manifest.issued_at_ms}, it is ${atMs}`],
    [manifest.expires_at_ms <= atMs + contract.lifetime_ms, "I5", "outlives the contract"],
    [manifest.register_by_ms <= manifest.expires_at_ms, "I8", "may register after its life"],
  ];
  return [
    ...isAllowed.filter(([holds]) => !holds).map(([, rule, message]) => ({ rule, message })),
    ...rootProblems(manifest, contract.budget, parent),
    ...(parent === null ? [] : parentProblems(books, { manifest, parent, atMs })),
  ].map(({ rule, message }) => ({ rule, message: `${manifest.instance} admitted: ${message}` }));
}

function rootProblems(
  { budget }: Manifest,
  bounds: Manifest["budget"],
  parent: Row | null,
): Problem[] {
  if (parent !== null) return [];
  return above(flatAmounts(budget), flatAmounts(bounds), "the contract allows a root");
}

function parentProblems(
  books: Books,
  so: { readonly manifest: Manifest; readonly parent: Row; readonly atMs: number },
): Problem[] {
  const { manifest, parent, atMs } = so;
  const sinceMs = atMs - (parent.lastAdmissionAtMs ?? -Infinity);
  const isAllowed: readonly (readonly [boolean, string, string])[] = [
    [parent.status === "running", "I3", `its parent is ${parent.status}`],
    [parent.quarantinedUntilMs === null, "SM2", "its parent is in quarantine"],
    [!parent.isStale, "SM2", "its parent is stale"],
    [sinceMs >= (books.contract?.cooldown_ms ?? 0), "SM2", `${sinceMs} ms after the one before`],
    [manifest.expires_at_ms <= parent.expiresAtMs, "I5", "outlives its parent"],
    [rank(manifest.network) <= rank(parent.network), "I5", `network ${manifest.network}`],
    [isInside(books, manifest, parent), "I5", `regions ${manifest.regions.join(" ")}`],
  ];
  return [
    ...isAllowed.filter(([holds]) => !holds).map(([, rule, message]) => ({ rule, message })),
    ...above(flatAmounts(manifest.budget), freeOf(books, parent), "its parent has free"),
  ];
}

/** What is wrong with taking a worker over: it must fit below whom it is put. */
export function adoptionProblems(
  books: Books,
  { manifest, parent: keeper }: EventMap["worker.adopted"],
): Problem[] {
  const broken = (rule: string, message: string): Problem => {
    return { rule, message: `${manifest.instance} adopted: ${message}` };
  };
  const row = books.rows.get(manifest.instance);
  if (row !== undefined) {
    const isTaken = row.status === "admitted" && keeper === row.keeper;
    return isTaken ? [] : [broken("I10", `it is ${row.status} in what was kept`)];
  }
  const parent = keeper === null ? undefined : books.rows.get(keeper);
  if (parent === undefined) return keeper === null ? [] : [broken("I6", `no parent ${keeper}`)];
  const isAllowed: readonly (readonly [boolean, string, string])[] = [
    [parent.status === "running" || parent.status === "stopping", "I3", "its parent is not alive"],
    [manifest.depth === parent.depth + 1, "I6", `depth ${manifest.depth}`],
    [manifest.expires_at_ms <= parent.expiresAtMs, "I5", "outlives its parent"],
    [rank(manifest.network) <= rank(parent.network), "I5", `network ${manifest.network}`],
    [isInside(books, manifest, parent), "I5", `regions ${manifest.regions.join(" ")}`],
  ];
  const own = flatAmounts(manifest.budget);
  return [
    ...isAllowed.filter(([holds]) => !holds).map(([, rule, message]) => broken(rule, message)),
    ...above(own, freeOf(books, parent), "its parent has free").map(({ rule, message }) =>
      broken(rule, message),
    ),
  ];
}

function isInside({ ground: { foldsCase } }: Books, { regions }: Manifest, parent: Row): boolean {
  return isWithin({ patterns: regions, foldsCase }, { patterns: parent.regions, foldsCase });
}

function rank(network: string): number {
  return (NETWORKS as readonly string[]).indexOf(network);
}

/** What a worker can still give, at most: its grant less what was used and what others hold. */
function freeOf(books: Books, parent: Row): FlatAmounts {
  const drawing = rowsDrawingOn(books, parent.id);
  const free = Object.entries(parent.granted).map(([key, granted]) => {
    const gone = drawing.reduce((sum, row) => {
      return sum + ((row.status === "stopped" ? row.used[key] : row.granted[key]) ?? 0);
    }, parent.used[key] ?? 0);
    // More may have been used than was given. The admission itself costs one spawn.
    const cost = key === "spawns" ? 1 : 0;
    return [key, Math.max(0, granted - gone) - cost] as const;
  });
  return Object.fromEntries(free);
}

function above(asked: FlatAmounts, bounds: FlatAmounts, whose: string): Problem[] {
  return Object.entries(bounds)
    .filter(([key, bound]) => (asked[key] ?? Infinity) > bound)
    .map(([key, bound]) => {
      const message = `${key} ${asked[key] ?? "unlimited"} is above ${bound}, which ${whose}`;
      return { rule: "I5", message };
    });
}
