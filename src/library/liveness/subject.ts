import { heldAt, leasesOf } from "../../kernel/lease/book.ts";
import { holderKey, isHeldAt, nameOf, type Lease } from "../../kernel/lease/lease.ts";
import type { Standing } from "../../kernel/progress/evidence.ts";
import { isLive, type State, type Worker } from "../../kernel/state.ts";

/** Somebody who is judged: a live worker, or an outside party that holds a lease. */
export interface Subject {
  /** The same for the same holder: `holderKey`. */
  readonly key: string;
  /** A worker's id, or the name of an outside party. */
  readonly holder: string;
  /** Null for an outside party. */
  readonly worker: Worker | null;
  /** Its leases that give a right, in the order of their grants. */
  readonly leases: readonly Lease[];
}

/** All that can be judged: live workers by id, then outside parties by their oldest lease. */
export function listSubjects(state: State, atMs: number): readonly Subject[] {
  const workers = [...state.workers.values()].filter(isLive);
  return [...workers.map((worker) => ofWorker(state, worker, atMs)), ...listOutside(state, atMs)];
}

/** The subject that a worker's id or an outside party's name means; undefined for nobody. */
export function findSubject(state: State, reference: string, atMs: number): Subject | undefined {
  const worker = state.workers.get(reference);
  if (worker !== undefined && isLive(worker)) return ofWorker(state, worker, atMs);
  return listOutside(state, atMs).find(({ holder }) => holder === reference);
}

function ofWorker(state: State, worker: Worker, atMs: number): Subject {
  const { id: holder } = worker;
  const leases = [...leasesOf(state.book, { worker: holder })].filter((one) => isHeldAt(one, atMs));
  return { key: holderKey({ worker: holder }), holder, worker, leases: inOrder(leases) };
}

function listOutside(state: State, atMs: number): readonly Subject[] {
  const found = new Map<string, Lease[]>();
  for (const lease of inOrder([...heldAt(state.book, atMs)])) {
    if ("worker" in lease.holder) continue;
    const key = holderKey(lease.holder);
    const known = found.get(key);
    if (known === undefined) found.set(key, [lease]);
    else known.push(lease);
  }
  return [...found].map(([key, leases]) => {
    const [first] = leases;
    return { key, holder: first === undefined ? "" : nameOf(first.holder), worker: null, leases };
  });
}

function inOrder(leases: readonly Lease[]): readonly Lease[] {
  return leases.toSorted((one, other) => Number(one.id.slice(2)) - Number(other.id.slice(2)));
}

/** Since when a holder has had a lease: a handing over is a grant to whoever it goes to. */
export function heldSinceMs({ granted_at_ms, taken_over }: Lease): number {
  return taken_over?.at_ms ?? granted_at_ms;
}

/**
 * Since when somebody could get anywhere: a worker since it runs, an outside party since its oldest
 * live lease. What was before is another's, or another day's.
 */
export function beganAtMs({ worker, leases }: Subject): number | null {
  if (worker !== null) return worker.registered_at_ms;
  return leases.reduce<number | null>((least, lease) => {
    const sinceMs = heldSinceMs(lease);
    return least === null || sinceMs < least ? sinceMs : least;
  }, null);
}

/** Where somebody is in its life. */
export function standingOf({ worker }: Subject): Standing {
  if (worker === null) return "outside";
  if (worker.quarantine !== null) return "quarantined";
  // Those that have stopped are not judged.
  return worker.status === "stopped" ? "stopping" : worker.status;
}
