import { boundedKeys, freeOf } from "../budget/allowance.ts";
import type { Budget } from "../budget/budget.ts";
import type { CommandMap } from "../command.ts";
import type { Contract } from "../fleet/contract.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { Worker } from "../state.ts";
import { NETWORKS, type Network } from "./manifest.ts";

type Request = CommandMap["worker.admit"];

/** Refuses a sandbox that is weaker, in what matters to this worker, than the contract allows. */
export function checkContainment(
  contract: Contract,
  parent: Worker | null,
  request: Request,
): Refusal | null {
  const allowed: readonly string[] = contract.allow_degraded;
  const weaknesses = weaknessesFor(contract, parent, request);
  const missing = [...new Set(weaknesses)].filter((weakness) => !allowed.includes(weakness));
  const [degraded, ...others] = missing;
  if (degraded === undefined) return null;
  const named = [degraded, ...others].map((weakness) => `"${weakness}"`).join(" and ");
  return refuse(
    "containment_too_weak",
    `allow_degraded must name ${named} for this sandbox, it names ${JSON.stringify(allowed)}`,
    { degraded, missing, allowed },
  );
}

/** The budget keys whose enforcement a weakness takes away. */
const HELD_BY = { memory: "memory_bytes", cpu: "cpu_milli", processes: "processes" } as const;

/**
 * Of what a sandbox does not hold, what matters to this worker: a limit only where it would have
 * one, the network only where it is not open, leases only where they are enforced. Whatever else
 * is named always matters.
 */
export function weaknessesFor(
  contract: Contract,
  parent: Worker | null,
  request: Request,
): readonly string[] {
  const { degraded = [] } = request;
  if (degraded.length === 0) return degraded;
  const bounded = boundedKeys(parent, request.budget, contract);
  return degraded.filter((weakness) => {
    if (weakness === "leases") return contract.sandbox.leases === "enforced";
    if (weakness === "network") return networkOf(parent, request.network) !== "open";
    if (!Object.hasOwn(HELD_BY, weakness)) return true;
    return bounded.has(HELD_BY[weakness as keyof typeof HELD_BY]);
  });
}

/**
 * Refuses to carve from a parent what it is using: a limit below present use would have the host
 * kill it, and capacity that is in use is not free.
 */
export function checkUse(
  parent: Worker | null,
  granted: Budget,
  use: Request["parent_use"] = {},
): Refusal | null {
  if (parent === null) return null;
  for (const key of ["memory_bytes", "processes"] as const) {
    const [used, asked, free] = [use[key], granted[key], freeOf(parent, key)];
    if (used === undefined || asked === undefined || free === undefined) continue;
    const remaining = free - asked;
    if (used <= remaining) continue;
    const message =
      `${key} of the parent ${parent.id} must stay at least its present use of ${used}, ` +
      `${remaining} would remain after ${asked}`;
    const facts = { key, asked, free, use: used, remaining };
    return refuse("budget_exceeded", message, facts);
  }
  return null;
}

/** Absent network: `controller`, or the parent's where that is narrower. */
export function networkOf(parent: Worker | null, asked: Network | undefined): Network {
  const wanted = asked ?? "controller";
  if (parent === null || NETWORKS.indexOf(wanted) <= NETWORKS.indexOf(parent.network))
    return wanted;
  return parent.network;
}
