import { theJudge } from "../rules/judge.ts";
import type { LeaseContext } from "./context/lease.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { State } from "../state.ts";
import { relativeOf } from "../worker/admission.ts";
import { heldCountAt, leasesOf } from "../lease/book.ts";
import { isHeldAt, nameOf, type Holder, type LeaseMode } from "../lease/lease.ts";

/** What conditions on leases are asked about. */
interface Asked {
  readonly holder: Holder;
  readonly ttl_ms: number;
  readonly key?: string;
  readonly run_id?: string;
  readonly also_held?: readonly (readonly string[])[];
  readonly mode: LeaseMode;
  readonly lane: string | null;
  /** Canonical patterns. */
  readonly region: readonly string[];
}

/** The first condition on leases, in the contract's order, that holds or fails; both refuse. */
export function checkLeaseConditions(state: State, asked: Asked, atMs: number): Refusal | null {
  const { lease_deny_when } = state.contract;
  if (lease_deny_when.length === 0) return null;
  const context = leaseContext(state, asked, atMs);
  for (const { name, when } of lease_deny_when) {
    const verdict = theJudge().evaluateLeaseCondition(when, context);
    if ("triggered" in verdict && !verdict.triggered) continue;
    const error = "error" in verdict ? verdict.error : null;
    return refuse(
      "lease_condition",
      `condition on leases "${name}" must be false, got ${error ?? "true"}`,
      { condition: name, when, ...(error === null ? {} : { error }) },
    );
  }
  return null;
}

function leaseContext(state: State, asked: Asked, atMs: number): LeaseContext {
  const { holder, ttl_ms, key = "", run_id = "", also_held = [] } = asked;
  const { mode, lane, region } = asked;
  const worker = "worker" in holder ? (state.workers.get(holder.worker) ?? null) : null;
  return {
    holder: {
      kind: "worker" in holder ? "worker" : "outside",
      name: worker?.name ?? nameOf(holder),
      id: worker?.id ?? "",
      depth: worker?.depth ?? 0,
    },
    worker: worker === null ? null : relativeOf(worker),
    mode,
    lane: lane ?? "",
    region,
    ttl_ms,
    key,
    run_id,
    also_held,
    active_leases: heldCountAt(state.book, atMs),
    held: [...leasesOf(state.book, holder)].filter((lease) => isHeldAt(lease, atMs)).length,
    active_count: state.live_count,
    contract: state.contract,
  };
}
