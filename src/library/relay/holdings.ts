import type { WorkerSignal } from "../../ports/worker-door.ts";
import type { Loss } from "../lease/line.ts";
import type { LostBy } from "../lease/lost.ts";

/** A lease under the fence that it is held by. */
export interface Held {
  readonly id: string;
  readonly fence: number;
}

type Leases = Extract<WorkerSignal, { readonly kind: "leases" }>;

/** A fence counts its epoch above this, and below it the entry of the grant. */
const epochUnit = 2 ** 40;

/** The leases that handles of a joined process hold, and who is told when one is lost. */
export class Holdings {
  readonly #held = new Map<object, Held & { readonly onLost: (loss: Loss) => void }>();
  #said: Leases | undefined;

  /** Adds a lease that is held from now on. Returns how to stop following it. */
  add({ id, fence }: Held, onLost: (loss: Loss) => void): () => void {
    const key = {};
    this.#held.set(key, { id, fence, onLost });
    // It may have been lost between its grant and now.
    if (this.#said !== undefined) this.#compare(this.#said);
    return () => void this.#held.delete(key);
  }

  /** Hears which leases this worker holds. */
  hear(said: Leases): void {
    this.#said = said;
    this.#compare(said);
  }

  /** Tells everybody that his lease is lost. */
  loseAll(by: LostBy): void {
    for (const { onLost } of this.#held.values()) onLost({ by });
  }

  /** What was granted after a saying is not among what it says. */
  #compare({ at_seq, held }: Leases): void {
    const fences = new Map(held.map(({ lease, fence }) => [lease, fence]));
    for (const { id, fence, onLost } of this.#held.values())
      if (fence % epochUnit <= at_seq && fences.get(id) !== fence) onLost({ by: "ended" });
  }
}
