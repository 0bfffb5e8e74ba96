import type { Entry } from "../../../src/kernel/entry.ts";
import type { Event, EventKind } from "../../../src/kernel/event.ts";
import { DEFAULT_GROUND_RULES, type GroundRules } from "../../../src/kernel/lane/lane.ts";
import type { Holder, LeaseMode } from "../../../src/kernel/lease/lease.ts";
import { overlap } from "../grounds.ts";

type Data<K extends EventKind> = Event<K>["data"];

/** One lease in the ledger; rows are never dropped. */
export interface LeaseRow {
  readonly id: string;
  readonly mode: LeaseMode;
  readonly lane: string | null;
  readonly alone: boolean;
  /** What it is a lent part of. */
  readonly lender: string | null;
  readonly worktree: string | null;
  fence: number;
  region: readonly string[];
  holder: Holder;
  ttlMs: number;
  expiresAtMs: number;
  key: string | null;
  /** The place in the queue that it was waited for in. */
  readonly place: string | null;
  /** Whether an entry has said that it ended. */
  isEnded: boolean;
}

/** What a sandbox has mounted, as the ledger has it. */
export interface MountRow {
  readonly lease: string;
  readonly worker: string;
  readonly region: readonly string[];
  readonly mode: LeaseMode;
  readonly lane: string | null;
}

/** Leases and lanes as the ledger has them. */
export interface LeaseBooks {
  /** Every lease that was ever granted. */
  readonly rows: ReadonlyMap<string, LeaseRow>;
  /** What sandboxes have mounted, by the lease that it was mounted for. */
  readonly mounts: ReadonlyMap<string, MountRow>;
  readonly rules: GroundRules;
  readonly foldsCase: boolean;
}

/** Keeps the books of leases, from events alone. */
export class LeaseLedger implements LeaseBooks {
  readonly rows = new Map<string, LeaseRow>();
  readonly mounts = new Map<string, MountRow>();
  rules: GroundRules = DEFAULT_GROUND_RULES;
  foldsCase = false;
  #epoch = 0;

  /** Books an entry; those about other things change nothing. */
  book(entry: Entry): void {
    switch (entry.kind) {
      case "fleet.created":
        this.foldsCase = entry.data.fold_case ?? false;
        return;
      case "fleet.recovered":
        this.#epoch = entry.data.epoch;
        return;
      case "lanes.enacted":
        this.rules = entry.data;
        return;
      case "lease.granted":
        this.#grant(entry.data, entry.seq);
        return;
      case "lease.renewed":
        return this.#change(entry.data.lease, { expiresAtMs: entry.data.expires_at_ms });
      case "lease.narrowed":
        return this.#change(entry.data.lease, { region: entry.data.region });
      case "lease.handed_over": {
        const { lease, to: holder, ttl_ms: ttlMs, expires_at_ms: expiresAtMs } = entry.data;
        const fence = this.#fenceAt(entry.seq);
        return this.#change(lease, { holder, ttlMs, expiresAtMs, fence, key: null });
      }
      case "lease.released":
      case "lease.revoked":
      case "lease.lapsed":
        return this.#change(entry.data.lease, { isEnded: true });
      case "lease.mounted": {
        const row = this.rows.get(entry.data.lease);
        const { mode = "exclusive", lane = null } = row ?? {};
        this.mounts.set(entry.data.lease, { ...entry.data, mode, lane });
        return;
      }
      case "lease.fenced":
        this.mounts.delete(entry.data.lease);
        return;
      case "worker.stopped":
        for (const { lease, worker } of this.mounts.values())
          if (worker === entry.data.worker) this.mounts.delete(lease);
        return;
      default:
    }
  }

  #grant(data: Data<"lease.granted">, seq: number): void {
    const id = `l-${seq}`;
    this.rows.set(id, {
      id,
      mode: data.mode,
      lane: data.lane ?? null,
      alone: data.alone ?? false,
      lender: data.lender ?? null,
      worktree: data.worktree ?? null,
      fence: this.#fenceAt(seq),
      region: data.region,
      holder: data.holder,
      ttlMs: data.ttl_ms,
      expiresAtMs: data.expires_at_ms,
      key: data.key ?? null,
      place: data.place ?? null,
      isEnded: false,
    });
  }

  #change(id: string, fields: Partial<LeaseRow>): void {
    const row = this.rows.get(id);
    if (row !== undefined) Object.assign(row, fields);
  }

  #fenceAt(seq: number): number {
    return this.#epoch * 1_099_511_627_776 + seq;
  }
}

/** The leases that give their right at an instant. */
export function liveAt({ rows }: LeaseBooks, atMs: number): readonly LeaseRow[] {
  return [...rows.values()].filter((row) => isLiveAt(row, atMs));
}

/** Whether a lease gives its right at an instant. */
export function isLiveAt({ isEnded, expiresAtMs }: LeaseRow, atMs: number): boolean {
  return !isEnded && expiresAtMs > atMs;
}

/** Whether two are one holder: the same worker, or outside parties of the very same name. */
export function isSameHolder(one: Holder, other: Holder): boolean {
  if ("worker" in one || "worker" in other)
    return "worker" in one && "worker" in other && one.worker === other.worker;
  return one.name === other.name;
}

/** Everything that a lease is a lent part of, the nearest first. */
export function lendersOf({ rows }: LeaseBooks, row: LeaseRow): readonly LeaseRow[] {
  const found: LeaseRow[] = [];
  for (let at = row.lender; at !== null;) {
    const lender = rows.get(at);
    if (lender === undefined) break;
    found.push(lender);
    at = lender.lender;
  }
  return found;
}

/** The lease that answers for a lent one now: the nearest of its lenders that has not ended. */
export function lenderOf(books: LeaseBooks, row: LeaseRow): string | null {
  return lendersOf(books, row).find(({ isEnded }) => !isEnded)?.id ?? null;
}

/** What a lease is that is there or asked for, as far as others are in its way. */
export type Stake = Pick<LeaseRow, "mode" | "lane" | "alone" | "region">;

/** What is wrong with two stakes of unrelated leases being live: null where nothing is. */
export function clashOf(foldsCase: boolean, one: Stake, other: Stake): "alone" | "ground" | null {
  if (one.alone || other.alone) return "alone";
  if (one.mode === "shared" && other.mode === "shared") return null;
  if (one.mode === "slot" && other.mode === "slot" && one.lane === other.lane) return null;
  const [left, right] = [one.region, other.region].map((patterns) => ({ patterns, foldsCase }));
  return left !== undefined && right !== undefined && overlap(left, right) ? "ground" : null;
}
