import { isDeepStrictEqual } from "node:util";
import type { Lease } from "../../../src/kernel/lease/lease.ts";
import type { Queue } from "../../../src/kernel/queue/queue.ts";
import type { State } from "../../../src/kernel/state.ts";
import type { Problem } from "../books.ts";
import { lenderOf, type LeaseBooks, type LeaseRow } from "./books.ts";

/** Where the true state and the ledger of leases, kept from events alone, do not agree. */
export function leaseStateProblems(books: LeaseBooks, { book }: State): Problem[] {
  const { rows } = books;
  const problems: Problem[] = [];
  const broken = (rule: string, message: string): void => void problems.push({ rule, message });
  const standing = [...rows.values()].filter(({ isEnded }) => !isEnded);
  if (book.leases.size !== standing.length)
    broken("I8", `${standing.length} leases stand, the state has ${book.leases.size}`);
  for (const row of standing) {
    const lease = book.leases.get(row.id);
    if (lease === undefined) {
      broken("I8", `${row.id} stands, the state does not have it`);
      continue;
    }
    if (lease.fence !== row.fence)
      broken("I2", `the fence of ${row.id} is ${row.fence}, the state has ${lease.fence}`);
    const known = knownOf(row, lenderOf(books, row));
    const said = saidOf(lease);
    if (!isDeepStrictEqual(said, known))
      broken("SM2", `${row.id} is ${JSON.stringify(known)}, the state has ${JSON.stringify(said)}`);
  }
  const [kept, had] = [[...books.mounts.values()], [...book.mounts.values()]];
  const told = had.map(({ lease, worker, region, mode, lane }) => {
    return { lease, worker, region, mode, lane };
  });
  const byLease = (rows: readonly { readonly lease: string }[]): readonly unknown[] =>
    rows.toSorted((one, other) => (one.lease < other.lease ? -1 : 1));
  if (!isDeepStrictEqual(byLease(told), byLease(kept)))
    broken("I8", `${JSON.stringify(kept)} is mounted, the state has ${JSON.stringify(told)}`);
  return problems;
}

/** All of a row but its fence; a lender that has ended leaves what it lent to its own. */
function knownOf(row: LeaseRow, lender: string | null): object {
  const { fence: _, isEnded: __, ...known } = row;
  return { ...known, lender };
}

function saidOf(lease: Lease): object {
  const { id, mode, lane, alone, worktree, region, holder, key, lender, place } = lease;
  const { ttl_ms: ttlMs, expires_at_ms: expiresAtMs } = lease;
  return {
    id,
    mode,
    lane,
    alone,
    worktree,
    region,
    holder,
    ttlMs,
    expiresAtMs,
    key,
    lender,
    place,
  };
}

/**
 * Whether two states know the same of leases and lanes, and find them alike: seen without the form
 * that states are written in, which might leave something out of both.
 */
export function isSameBook({ book: one }: State, { book: other }: State): boolean {
  const plain = ({ leases, rules, foldsCase, queue, ...found }: State["book"]): unknown => ({
    rules,
    foldsCase,
    leases: [...leases.values()],
    lanes: [...found.lanes],
    keys: [found.holders, found.ends, found.slots, found.lent].map((map) => [...map.keys()]),
    alone: [...found.index.alone()],
    mounts: [...found.mounts.values()],
    waiting: plainQueue(queue),
  });
  return isDeepStrictEqual(plain(one), plain(other));
}

function plainQueue({ places, holders, ends, slots, index, ...others }: Queue): unknown {
  const keys = [holders, ends, slots].map((map) => [...map.keys()]);
  return { places: [...places], keys, alone: [...index.alone()], others };
}
