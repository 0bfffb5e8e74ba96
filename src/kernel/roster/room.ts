import { LIMITS } from "../limits.ts";
import { expectedOf, type Roster } from "./roster.ts";

/**
 * How much room a roll has left. Whoever beats under names and instances that it makes up fills
 * what is nobody's: what the roster's names are still to have is kept free for them.
 */
export class RollRoom {
  readonly #counts = new Map<string, number>();
  #rows = 0;

  /** The room beside rows that are there. */
  static beside(rows: Iterable<{ readonly name: string }>): RollRoom {
    const room = new RollRoom();
    for (const { name } of rows) room.add(name);
    return room;
  }

  /** How many rows a name has. */
  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Takes the room of one row. */
  add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
    this.#rows += 1;
  }

  /** Gives the room of one row back. */
  remove(name: string): void {
    const count = this.count(name);
    if (count === 0) return;
    if (count === 1) this.#counts.delete(name);
    else this.#counts.set(name, count - 1);
    this.#rows -= 1;
  }

  /** How many rows are there or kept free for names of the roster. */
  taken({ expected }: Roster): number {
    let taken = this.#rows;
    for (const { name, instances } of expected) taken += Math.max(0, instances - this.count(name));
    return taken;
  }

  /** Whether one more instance of a name has room. */
  admits(roster: Roster, name: string): boolean {
    const count = this.count(name);
    if (this.#rows >= LIMITS.rollRowsMax || count >= LIMITS.rollInstancesMax) return false;
    if (count < (expectedOf(roster, name)?.instances ?? 0)) return true;
    return this.taken(roster) < LIMITS.rollRowsMax;
  }
}
