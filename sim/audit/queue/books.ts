import type { Entry } from "../../../src/kernel/entry.ts";
import type { Event } from "../../../src/kernel/event.ts";
import type { Holder } from "../../../src/kernel/lease/lease.ts";
import type { PlaceAsk } from "../../../src/kernel/queue/place.ts";
import { isSameHolder, type Stake } from "../lease/books.ts";

/** One place in the queue, as the ledger has it; rows are never dropped. */
export interface PlaceRow {
  readonly id: string;
  /** The seq of the entry that took it: who has the lower one came first. */
  readonly rank: number;
  readonly holder: Holder;
  readonly ask: PlaceAsk;
  /** Any of them will do. */
  readonly stakes: readonly Stake[];
  readonly worktree: string | null;
  readonly queuedAtMs: number;
  readonly deadlineMs: number;
  /** From this instant on it is nobody's. */
  untilMs: number;
  /** Why an operator has ended the waiting; null where none has. */
  cancelled: string | null;
  /** Whether an entry has taken it away. */
  isGone: boolean;
}

/** Who waits, as the ledger has it. */
export interface QueueBooks {
  /** Every place that anybody ever took, the first taken first. */
  readonly rows: ReadonlyMap<string, PlaceRow>;
}

/** Keeps the books of those who wait, from events alone. */
export class PlaceLedger implements QueueBooks {
  readonly rows = new Map<string, PlaceRow>();

  /** Books an entry; those about other things change nothing. */
  book(entry: Entry): void {
    switch (entry.kind) {
      case "place.queued":
        this.#queue(entry.data, entry);
        return;
      case "place.kept":
        return this.#change(entry.data.place, { untilMs: entry.data.until_ms });
      case "place.lapsed":
        return this.#change(entry.data.place, { isGone: true });
      case "place.left": {
        const { place, cause, reason = "" } = entry.data;
        const isEnded = cause === "operator";
        const ended = { untilMs: entry.at_ms, cancelled: reason };
        return this.#change(place, isEnded ? ended : { isGone: true });
      }
      case "lease.granted":
        if (entry.data.place !== undefined) this.#change(entry.data.place, { isGone: true });
        return;
      case "worker.stopping":
      case "worker.stopped":
        return this.#clear(entry.data);
      case "fleet.killed":
        for (const row of this.rows.values()) row.isGone = true;
        return;
      default:
    }
  }

  #queue(data: Event<"place.queued">["data"], { seq, at_ms }: Entry): void {
    const id = `q-${seq}`;
    this.rows.set(id, {
      id,
      rank: seq,
      holder: data.holder,
      ask: data.ask,
      stakes: data.grounds,
      worktree: data.worktree ?? null,
      queuedAtMs: at_ms,
      deadlineMs: data.deadline_ms,
      untilMs: data.until_ms,
      cancelled: null,
      isGone: false,
    });
  }

  #clear({ worker }: { readonly worker: string }): void {
    for (const row of this.rows.values())
      if (isSameHolder(row.holder, { worker })) row.isGone = true;
  }

  #change(id: string, fields: Partial<PlaceRow>): void {
    const row = this.rows.get(id);
    if (row !== undefined) Object.assign(row, fields);
  }
}

/** The places that no entry has taken away, over or not, the first taken first. */
export function standing({ rows }: QueueBooks): readonly PlaceRow[] {
  return [...rows.values()].filter(({ isGone }) => !isGone);
}

/** The places that are somebody's at an instant, the first taken first. */
export function waitingAt(books: QueueBooks, atMs: number): readonly PlaceRow[] {
  return standing(books).filter((row) => isWaitingAt(row, atMs));
}

/** Whether a place is somebody's at an instant. */
export function isWaitingAt({ isGone, untilMs }: PlaceRow, atMs: number): boolean {
  return !isGone && untilMs > atMs;
}

/** Why a place that is over is over. */
export function causeOf({
  cancelled,
  untilMs,
  deadlineMs,
}: PlaceRow): "cancelled" | "unkept" | "deadline" {
  if (cancelled !== null) return "cancelled";
  return untilMs === deadlineMs ? "deadline" : "unkept";
}
