/*
 * The invariants of ARCHITECTURE.md, as far as they can be seen in one step of the fold. They are
 * worked out anew from the whole state and share no code with the rules that are to keep them: what
 * is wrong there must not be wrong here in the same way.
 *
 *   standing.ts     what holds in every state: counts, indexes, budgets (I5)
 *   transition.ts   what holds between two states: order, time, lives (I3, I5, I10, I11)
 *   entrance.ts     what holds for an entry that lets somebody in or on (I3, I4, I6, I8, I9)
 *   leases.ts       what may happen to leases (I2, I3, I5, I8, I9): lease-grants.ts to new ones,
 *                   ground.ts where they meet (I1), lease-book.ts to what finds them
 *   mounts.ts       what may happen to ground that sandboxes have mounted (I1, I8)
 *   queue.ts        what may happen to those who wait for ground (I8, I12)
 *   roster.ts       what may happen to the roll and to access tokens (I13, I14)
 *
 * I7 needs the entry decided again, which is for who has the rules.
 */
import type { Happening } from "../evolve.ts";
import type { State } from "../state.ts";
import { entranceViolations } from "./entrance.ts";
import { leaseViolations } from "./leases.ts";
import { mountViolations } from "./mounts.ts";
import { queueViolations } from "./queue.ts";
import { serviceViolations } from "./roster.ts";
import { standingViolations } from "./standing.ts";
import { transitionViolations } from "./transition.ts";

/**
 * Everything that an entry broke: `before` is the state it was decided on, `after` the fold of it.
 * Empty when all holds. Each violation is a sentence that begins with the invariant's id. The cost
 * grows with the count of workers and leases in the state, not with history.
 */
export function findViolations(
  before: State,
  happening: Happening,
  after: State,
): readonly string[] {
  return [
    ...transitionViolations(before, happening, after),
    ...entranceViolations(before, happening, after),
    ...standingViolations(after),
    ...leaseViolations(before, happening, after),
    ...mountViolations(before, happening, after),
    ...queueViolations(before, happening, after),
    ...serviceViolations(before, happening, after),
  ];
}
