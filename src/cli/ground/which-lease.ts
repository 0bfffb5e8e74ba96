import { resolveLanes } from "../../kernel/lane/resolve.ts";
import { heldAt } from "../../kernel/lease/book.ts";
import { nameOf, type Claim, type Lease } from "../../kernel/lease/lease.ts";
import type { Desk } from "../../library/desk/desk.ts";
import { leaseIn } from "../../library/lease/view.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call } from "../call.ts";
import type { Given } from "../verb.ts";
import { leaseIdText } from "./asked.ts";

/** The lease that a verb is about, as it was typed: by its id or by its lane. */
export interface TypedLease {
  readonly id: string | undefined;
  readonly lane: string | undefined;
}

/** Reads which lease was typed. Throws an InputError unless it is exactly one of both. */
export function typedLease({ parameters, options }: Given): TypedLease {
  const [id] = parameters;
  const { lane } = options as { readonly lane?: string };
  if ((id === undefined) === (lane === undefined)) {
    const got = id === undefined ? "nothing" : "both";
    throw new InputError("usage", [
      { path: "the lease", expected: "named by ID or by --lane, one of them", got },
    ]);
  }
  return { id: id === undefined ? undefined : leaseIdText(id), lane };
}

/**
 * The id of the lease that is meant. Of a lane it is the one that whoever claims it holds; where he
 * holds none the one that somebody else does, and then the rules refuse him, on record. Throws
 * `Refused` `lane_unknown` and `lease_unknown`, and an InputError when it means several.
 */
export async function findLeaseId(
  call: Call,
  { id, lane }: TypedLease,
  so: { readonly claim: Claim; readonly desk: Pick<Desk, "self"> },
): Promise<string> {
  if (id !== undefined) return id;
  const name = lane ?? "";
  const held = so.desk.self === null ? await onLane(call, name) : await ofSelf(call, name);
  const own = held.filter((lease) => isClaimed(lease, so.claim));
  const meant = own.length > 0 ? own : held;
  const [first, ...others] = meant;
  if (first === undefined) throw unheld(name);
  if (others.length === 0) return first.id;
  const ids = meant.map((lease) => lease.id).join(", ");
  throw new InputError("usage", [
    {
      path: "--lane",
      expected: "a lane of which one lease is meant (name it by its ID)",
      got: `${describeValue(name)}, of which ${ids} are held`,
    },
  ]);
}

/** What is compared with a claim. */
interface OnLane {
  readonly id: string;
  readonly holder: string;
  readonly tokenHash: string | null;
}

async function onLane(call: Call, name: string): Promise<readonly OnLane[]> {
  const { state, nowMs } = await call.read();
  const resolved = resolveLanes(state.book, [name]);
  if (!resolved.ok) throw new Refused(refusedAnswer(resolved.refusal).refusal);
  const [lane] = resolved.lanes;
  const isOf = (lease: Lease): boolean => lease.lane === lane?.name;
  return [...heldAt(state.book, Math.max(nowMs, state.at_ms))].filter(isOf).map((lease) => ({
    id: lease.id,
    holder: nameOf(lease.holder),
    tokenHash: "worker" in lease.holder ? null : lease.holder.token_hash,
  }));
}

/** A worker sees what it holds itself; by a lane's own name, for aliases are not told to it. */
async function ofSelf(call: Call, name: string): Promise<readonly OnLane[]> {
  const { ownLeases } = await import("./own-leases.ts");
  const leases = (await ownLeases(call)).map(leaseIn);
  return leases
    .filter(({ lane }) => lane === name)
    .map(({ id, holder }) => ({ id, holder, tokenHash: null }));
}

function isClaimed({ holder, tokenHash }: OnLane, claim: Claim): boolean {
  if ("worker" in claim) return tokenHash === null && holder === claim.worker;
  if (claim.name !== undefined && claim.name !== holder) return false;
  return claim.token_hash === undefined ? claim.name !== undefined : claim.token_hash === tokenHash;
}

function unheld(lane: string): Refused {
  const message = `lane ${JSON.stringify(lane)} must be held, no live lease is on it`;
  return new Refused({ code: "lease_unknown", message, facts: { lane } });
}
