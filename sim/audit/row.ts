import type { Budget } from "../../src/kernel/budget/budget.ts";

/** Amounts by key: `cpu_milli`, `units.tokens`. */
export type FlatAmounts = Readonly<Record<string, number>>;

/** One worker in the ledger; rows are never dropped. */
export interface Row {
  readonly id: string;
  readonly name: string;
  /** The parent that it was admitted under. */
  readonly bornTo: string | null;
  /** The parent that answers for it now. */
  keeper: string | null;
  readonly depth: number;
  readonly network: string;
  readonly regions: readonly string[];
  status: "admitted" | "running" | "stopping" | "stopped";
  /** Whether its manifest was taken up; until then it is a reservation, stopped or not. */
  isRegistered: boolean;
  isStale: boolean;
  quarantinedUntilMs: number | null;
  readonly registerByMs: number;
  readonly expiresAtMs: number;
  /** What it holds. */
  granted: FlatAmounts;
  /** What was used by itself of what it is bounded in; its own admissions count as `spawns`. */
  used: FlatAmounts;
  lastAdmissionAtMs: number | null;
}

/** The keys that are carved from a parent and come back whole. */
export const CAPACITY = ["cpu_milli", "memory_bytes", "processes"] as const;

/** The amounts of a budget or a charge by key, without its bounds on time. */
export function flatAmounts(budget: Budget): FlatAmounts {
  const { lifetime_ms: _, wall_ms: __, units = {}, ...rest } = budget;
  const named = Object.entries(units).map(([unit, amount]) => [`units.${unit}`, amount]);
  return { ...rest, ...(Object.fromEntries(named) as FlatAmounts) };
}

/** Adds to those keys of `left` that it has: what is not bounded is not counted. */
export function addBounded(left: FlatAmounts, right: FlatAmounts, sign: 1 | -1): FlatAmounts {
  const sum: Record<string, number> = { ...left };
  for (const [key, amount] of Object.entries(right))
    if (sum[key] !== undefined) sum[key] += sign * amount;
  return sum;
}
