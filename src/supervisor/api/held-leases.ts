import type { Entry } from "../../kernel/entry.ts";
import { leasesOf } from "../../kernel/lease/book.ts";
import type { State } from "../../kernel/state.ts";
import type { WorkerSignal } from "../../ports/worker-door.ts";

type Said = Extract<WorkerSignal, { readonly kind: "leases" }>;

/**
 * The leases of a worker, as its stream of signals has told them: whether an entry takes one away
 * is found out without looking at all that it holds.
 */
export class HeldLeases {
  readonly #worker: string;
  #fences = new Map<string, number>();

  constructor(worker: string) {
    this.#worker = worker;
  }

  /** What the worker holds by a state, to be told; this is what it knows from then on. */
  tell(state: State): Said {
    const own = [...leasesOf(state.book, { worker: this.#worker })];
    this.#fences = new Map(own.map(({ id, fence }) => [id, fence]));
    const held = own.map(({ id: lease, fence }) => ({ lease, fence }));
    return { kind: "leases", at_seq: state.seq, held };
  }

  /** Whether an entry, which the state includes, has taken a lease away that the worker held. */
  isLess({ kind, data }: Entry, state: State): boolean {
    if (kind === "lease.granted") {
      this.#learn(state, data.holder);
      return false;
    }
    if (!kind.startsWith("lease.") || !("lease" in data) || data.lease === undefined) return false;
    if (kind === "lease.handed_over") this.#learn(state, data.to);
    const fence = this.#fences.get(data.lease);
    return fence !== undefined && state.book.leases.get(data.lease)?.fence !== fence;
  }

  /** Takes in what the worker was given. */
  #learn(state: State, to: Entry<"lease.handed_over">["data"]["to"]): void {
    if (!("worker" in to) || to.worker !== this.#worker) return;
    for (const { id, fence } of leasesOf(state.book, to)) this.#fences.set(id, fence);
  }
}
