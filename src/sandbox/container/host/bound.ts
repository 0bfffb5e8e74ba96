// The engine binds folders by their paths, a while after they were planned. Covers, and what is
// shown in them, lie below folders that workers may rename: a link put there in between would have
// it bind anything. So what is to be bound is held first, and what a container has is compared.

import type { Cover } from "../../folder/hidden.ts";
import { type Check, Held, seenBy, unfit } from "../../folder/held.ts";
import type { Bind, MountPlan } from "../mounts.ts";

/** What one container is to have bound, held until {@link close}. */
export class Bound {
  readonly #plan: MountPlan;
  readonly #held: (Pick<Bind, "target"> & { readonly source: Held })[] = [];

  /** Holds what was planned, once all of it is there. Throws `Fault` `sandbox_failed`. */
  constructor(plan: MountPlan) {
    this.#plan = plan;
    try {
      for (const bind of plan.binds) this.#hold(bind);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Demands that a container has what was planned, by its first process, and that what is hidden
   * is covered. Throws `Fault` `sandbox_failed` otherwise.
   */
  demandHolds(pid: number, cover: Cover): void {
    const also = this.#held.flatMap(({ source, target }): readonly Check[] => [
      () => source.demandInPlace("when it was planned to be bound"),
      () => demandBound(source, pid, target),
    ]);
    const { covered } = this.#plan;
    cover.demandHolds(pid, { isInView: (path) => covered.includes(path), also });
  }

  close(): void {
    for (const { source } of this.#held.splice(0)) source.close();
  }

  #hold({ source, target }: Bind): void {
    const held = Held.any(source);
    if (held === undefined) throw unfit(source, "be there to be bound", "it is not");
    this.#held.push({ source: held, target });
    if (held.path !== source) throw unfit(source, "be bound from where it lies", held.path);
  }
}

function demandBound(source: Held, pid: number, target: string): void {
  const seen = seenBy(pid, target);
  if (source.isSame(seen)) return;
  const got = seen === undefined ? "it cannot be looked at" : "another is";
  throw unfit(source.path, `be what a container has at ${target}`, got);
}
