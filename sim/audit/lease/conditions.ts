import type { LeaseCondition } from "../../../src/kernel/fleet/contract.ts";
import type { Holder, LeaseMode } from "../../../src/kernel/lease/lease.ts";
import { isSameHolder, liveAt } from "./books.ts";
import type { Scene } from "./holders.ts";

/** What the conditions of simulated contracts are about. */
interface Weighed {
  readonly holder: Holder;
  readonly mode: LeaseMode;
  readonly ttlMs: number;
  /** The live leases of the fleet, and of the holder. */
  readonly liveCount: number;
  readonly heldCount: number;
  /** The depth of a worker that asks. */
  readonly depth: number;
}

/** Conditions on leases that simulated contracts have, and what they mean. */
export const LEASE_CONDITIONS: readonly (LeaseCondition & {
  readonly denies: (weighed: Weighed) => boolean;
})[] = [
  { name: "crowd", when: "active_leases >= 3", denies: ({ liveCount }) => liveCount >= 3 },
  { name: "greed", when: "held >= 2", denies: ({ heldCount }) => heldCount >= 2 },
  {
    name: "strangers",
    when: 'holder.kind == "outside" && mode == "exclusive"',
    denies: ({ holder, mode }) => !("worker" in holder) && mode === "exclusive",
  },
  { name: "short", when: "ttl_ms < 5000", denies: ({ ttlMs }) => ttlMs < 5_000 },
  // Of an outside party it fails, and what fails denies.
  {
    name: "deep",
    description: "fails for who is no worker",
    when: "worker.depth > 0",
    denies: ({ holder, depth }) => !("worker" in holder) || depth > 0,
  },
];

/** Whether the contract in force refuses a lease to somebody. */
export function isDenied(
  { books, atMs }: Scene,
  asked: Pick<Weighed, "holder" | "mode" | "ttlMs">,
): boolean {
  const { holder } = asked;
  const live = liveAt(books.ground, atMs);
  const weighed: Weighed = {
    ...asked,
    liveCount: live.length,
    heldCount: live.filter((row) => isSameHolder(row.holder, holder)).length,
    depth: "worker" in holder ? (books.rows.get(holder.worker)?.depth ?? 0) : 0,
  };
  return (books.contract?.lease_deny_when ?? []).some(({ name }) => {
    const known = LEASE_CONDITIONS.find((one) => one.name === name);
    if (known === undefined) throw new Error(`no simulated contract has the condition ${name}`);
    return known.denies(weighed);
  });
}
