import type { Entry } from "../../kernel/entry.ts";
import { holderKey, leaseIdAt, nameOf } from "../../kernel/lease/lease.ts";
import type { Mark, ProgressKind } from "../../kernel/progress/evidence.ts";
import { canonicalText } from "../../runtime/canonical.ts";
import { beganAtMs, type Subject } from "./subject.ts";

/** A mark as it is found; a grant is progress only where it is not the holder's first. */
interface Found extends Mark {
  readonly isGrant: boolean;
}

/**
 * The own progress of holders by their keys, as entries tell it that come in their order, each
 * once. A renewal is none: it is a sign of life. Whose a lease was is known by its grant: an event
 * about one whose grant is not among the entries is nobody's, and never that of who holds its
 * ground today.
 */
export function readMarks(entries: Iterable<Entry>): ReadonlyMap<string, readonly Found[]> {
  const reader = new MarkReader();
  for (const entry of entries) reader.add(entry);
  return reader.found;
}

class MarkReader {
  readonly found = new Map<string, Found[]>();
  readonly #owners = new Map<string, string>();
  readonly #states = new Map<string, string>();

  add(entry: Entry): void {
    switch (entry.kind) {
      case "worker.admitted":
        this.#states.set(entry.data.manifest.instance, canonicalText(entry.data.manifest.state));
        return;
      case "worker.checkpointed":
        return this.#checkpoint(entry);
      case "budget.charged":
        return this.#charge(entry);
      case "lease.granted":
        return this.#grant(entry);
      case "lease.narrowed":
        return this.#mark(this.#owners.get(entry.data.lease), entry, [
          "lease_narrowed",
          entry.data.lease,
        ]);
      case "lease.released": {
        const { lease, cause } = entry.data;
        // What a worker gives back by ending is no progress of anybody's.
        if (cause === "holder")
          this.#mark(this.#owners.get(lease), entry, ["lease_released", lease]);
        return;
      }
      case "lease.handed_over":
        return this.#handOver(entry);
      default:
        return;
    }
  }

  /** The same state recorded again is a sign of life at most. */
  #checkpoint(entry: Entry<"worker.checkpointed">): void {
    const { worker, state } = entry.data;
    const text = canonicalText(state);
    const before = this.#states.get(worker);
    this.#states.set(worker, text);
    if (before !== undefined && before !== text)
      this.#mark(holderKey({ worker }), entry, ["checkpoint", "another state"]);
  }

  #charge(entry: Entry<"budget.charged">): void {
    const { worker, amounts } = entry.data;
    const units = Object.entries(amounts.units ?? {}).filter(([, amount]) => amount > 0);
    if (units.length === 0) return;
    const what = units.map(([unit, amount]) => `${unit} ${amount}`).join(", ");
    this.#mark(holderKey({ worker }), entry, ["units", what]);
  }

  #grant(entry: Entry<"lease.granted">): void {
    const { holder, lender } = entry.data;
    const id = leaseIdAt(entry.seq);
    const key = holderKey(holder);
    this.#owners.set(id, key);
    this.#mark(key, entry, ["lease_granted", id, true]);
    if (lender !== undefined)
      this.#mark(this.#owners.get(lender), entry, ["lease_lent", `${id} of ${lender}`]);
  }

  #handOver(entry: Entry<"lease.handed_over">): void {
    const { lease, to, orphan } = entry.data;
    const key = holderKey(to);
    const from = this.#owners.get(lease);
    this.#owners.set(lease, key);
    const what = `${lease} to ${nameOf(to)}`;
    if (!orphan && from !== key) this.#mark(from, entry, ["lease_handed_over", what]);
    this.#mark(key, entry, ["lease_handed_over", what, true]);
  }

  #mark(
    key: string | undefined,
    { at_ms, seq }: Entry,
    [kind, what, isGrant = false]: readonly [ProgressKind, string, boolean?],
  ): void {
    if (key === undefined) return;
    const mark = { kind, at_ms, seq, what, isGrant };
    const known = this.found.get(key);
    if (known === undefined) this.found.set(key, [mark]);
    else known.push(mark);
  }
}

/**
 * The marks that count for a holder: those since it began, without the grant that it began with.
 * The first grant of one that has lived for `withinMs` without is not where it began.
 */
export function ownMarks(
  subject: Subject,
  found: readonly Found[] = [],
  withinMs: number,
): readonly Mark[] {
  const sinceMs = beganAtMs(subject);
  if (sinceMs === null) return [];
  const own = found.filter(({ at_ms }) => at_ms >= sinceMs);
  const first = own.find(({ isGrant }) => isGrant);
  const isLate =
    subject.worker !== null && first !== undefined && first.at_ms - sinceMs >= withinMs;
  const marks = own.filter((mark) => mark !== first || isLate);
  return marks.map(({ kind, at_ms, seq, what }) => ({ kind, at_ms, seq, what }));
}
