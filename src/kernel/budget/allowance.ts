import type { Budget, Charge } from "./budget.ts";
import type { Contract } from "../fleet/contract.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { Amounts, Worker } from "../state.ts";

/** Flat keys that are carved from the parent and come back whole. */
export const CAPACITY_KEYS = ["cpu_milli", "memory_bytes", "processes"] as const;

const CONSUMABLE_KEYS = ["spawns", "cpu_ms"] as const;
const BOUND_KEYS = ["lifetime_ms", "wall_ms"] as const;
const UNIT = "units.";

/** A budget's capacity and consumables by flat key; bounds are left out. */
export function flatten(budget: Budget | Charge): Amounts {
  const amounts: Record<string, number> = {};
  for (const key of [...CAPACITY_KEYS, ...CONSUMABLE_KEYS]) {
    const amount = (budget as Budget)[key];
    if (amount !== undefined) amounts[key] = amount;
  }
  for (const [unit, amount] of Object.entries(budget.units ?? {})) amounts[UNIT + unit] = amount;
  return amounts;
}

/** Whether a flat key is capacity, which comes back whole. */
export function isCapacity(key: string): boolean {
  return (CAPACITY_KEYS as readonly string[]).includes(key);
}

/** What a worker has free of a flat key, or undefined where it is unlimited. */
export function freeOf(worker: Worker, key: string): number | undefined {
  const granted = flatten(worker.granted)[key];
  if (granted === undefined) return undefined;
  return Math.max(0, granted - (worker.reserved[key] ?? 0) - (worker.spent[key] ?? 0));
}

/** A worker's account, in wire form. An absent key is unlimited, in `free` too. */
export interface Account {
  readonly granted: Budget;
  /** What its children hold of it. */
  readonly reserved: Budget;
  /** What it and its dead descendants have used of its consumables. */
  readonly spent: Budget;
  /** What it has left, for itself and to be carved from; bounds are left out. */
  readonly free: Budget;
}

/** The account of a worker that lives. */
export function accountOf(worker: Worker): Account {
  const keys = Object.keys(flatten(worker.granted));
  const free = Object.fromEntries(keys.map((key) => [key, freeOf(worker, key) ?? 0]));
  return {
    granted: worker.granted,
    reserved: unflatten(worker.reserved),
    spent: unflatten(worker.spent),
    free: unflatten(free),
  };
}

/** Adds amounts key by key, zeros left out; sums stop at the greatest safe integer. */
export function add(left: Amounts, right: Amounts, sign: 1 | -1 = 1): Amounts {
  const sum: Record<string, number> = { ...left };
  let hasZero = false;
  for (const [key, amount] of Object.entries(right)) {
    const value = (sum[key] ?? 0) + sign * amount;
    hasZero ||= value === 0;
    sum[key] = Math.min(Number.MAX_SAFE_INTEGER, value);
  }
  return hasZero ? Object.fromEntries(Object.entries(sum).filter(([, one]) => one !== 0)) : sum;
}

/** What a candidate is given, or why it cannot be. */
export type Carving =
  | { readonly ok: true; readonly granted: Budget }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Carves a candidate's budget out of its parent's free part, or a root's out of the contract (I5).
 *
 * A key that the request and `default_child` leave out is unlimited where the parent is; else it
 * is half of what the parent has free, rounded down. Explicit requests are never clamped.
 */
export function carve(parent: Worker | null, request: Budget, contract: Contract): Carving {
  const asked = flatten(request);
  const fallback = flatten(parent === null ? contract.budget : contract.default_child);
  const limits = limitsFor(parent, contract);
  const granted: Record<string, number> = {};
  for (const key of boundedKeys(parent, request, contract)) {
    const free = limits.get(key);
    const amount = asked[key] ?? fallback[key] ?? Math.max(0, Math.floor((free ?? 0) / 2));
    if (free !== undefined && amount > free) return { ok: false, refusal: over(key, amount, free) };
    if (amount === 0 && isCapacity(key)) return { ok: false, refusal: none(key, free ?? 0) };
    granted[key] = amount;
  }
  return withBounds(parent, request, { contract, granted });
}

/** The flat keys that a candidate would be bounded in, whatever the amounts. */
export function boundedKeys(
  parent: Worker | null,
  request: Budget,
  contract: Contract,
): ReadonlySet<string> {
  const own = flatten(parent === null ? contract.budget : parent.granted);
  const fallback = flatten(parent === null ? contract.budget : contract.default_child);
  return new Set([...Object.keys(flatten(request)), ...Object.keys(fallback), ...Object.keys(own)]);
}

function limitsFor(parent: Worker | null, contract: Contract): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  const source = flatten(parent === null ? contract.budget : parent.granted);
  for (const [key, amount] of Object.entries(source)) {
    const free = parent === null ? amount : (freeOf(parent, key) ?? amount);
    // The admission itself costs its parent one spawn.
    limits.set(key, key === "spawns" && parent !== null ? free - 1 : free);
  }
  return limits;
}

function withBounds(
  parent: Worker | null,
  request: Budget,
  so: { readonly contract: Contract; readonly granted: Readonly<Record<string, number>> },
): Carving {
  const bounds: Record<string, number> = {};
  for (const key of BOUND_KEYS) {
    const limit = boundFor(parent, key, so.contract);
    const asked = request[key];
    if (asked !== undefined && limit !== undefined && asked > limit)
      return { ok: false, refusal: over(key, asked, limit) };
    const fallback = parent === null ? so.contract.budget[key] : so.contract.default_child[key];
    const value = asked ?? Math.min(fallback ?? Infinity, limit ?? Infinity);
    if (value !== Infinity) bounds[key] = value;
  }
  return { ok: true, granted: { ...unflatten(so.granted), ...bounds } };
}

function boundFor(
  parent: Worker | null,
  key: (typeof BOUND_KEYS)[number],
  contract: Contract,
): number | undefined {
  const own = parent === null ? contract.budget[key] : parent.granted[key];
  if (key !== "lifetime_ms") return own;
  return Math.min(contract.lifetime_ms, own ?? Infinity);
}

/** The budget of flat amounts: the inverse of {@link flatten}. */
export function unflatten(amounts: Amounts): Budget {
  const budget: Record<string, number> = {};
  const units: Record<string, number> = {};
  for (const [key, amount] of Object.entries(amounts)) {
    if (key.startsWith(UNIT)) units[key.slice(UNIT.length)] = amount;
    else budget[key] = amount;
  }
  return Object.keys(units).length === 0 ? budget : { ...budget, units };
}

function none(key: string, free: number): Refusal {
  return refuse("budget_exceeded", `${key} must be at least 1, half of the free ${free} is 0`, {
    key,
    asked: 0,
    free,
  });
}

function over(key: string, asked: number, free: number): Refusal {
  return refuse(
    "budget_exceeded",
    `${key} must be at most ${Math.max(0, free)}, the free part of what it is carved from, ` +
      `got ${asked}`,
    { key, asked, free: Math.max(0, free) },
  );
}
