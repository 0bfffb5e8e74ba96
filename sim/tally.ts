/** What a simulated world can count, by group. */
export const GROUPS = [
  "commands",
  "answers",
  "events",
  "refusals",
  "faults",
  "mishaps",
  "happenings",
  "checks",
  "waits",
] as const;

/** A group of counts. */
export type Group = (typeof GROUPS)[number];

/** Counts of what actually happened; a simulator that never does something checks nothing. */
export class Tally {
  readonly #counts: Readonly<Record<Group, Map<string, number>>> = {
    commands: new Map(),
    answers: new Map(),
    events: new Map(),
    refusals: new Map(),
    faults: new Map(),
    mishaps: new Map(),
    happenings: new Map(),
    checks: new Map(),
    waits: new Map(),
  };

  /** Counts one more, or several. */
  count(group: Group, name: string, by = 1): void {
    const counts = this.#counts[group];
    counts.set(name, (counts.get(name) ?? 0) + by);
  }

  /** How often something was counted. */
  of(group: Group, name: string): number {
    return this.#counts[group].get(name) ?? 0;
  }

  /** Adds all counts of another tally. */
  add(other: Tally): void {
    for (const group of GROUPS)
      for (const [name, count] of other.#counts[group]) this.count(group, name, count);
  }

  /** All counts, by group and name, names in order. */
  toJson(): Readonly<Record<Group, Readonly<Record<string, number>>>> {
    const groups = GROUPS.map((group) => {
      const named = [...this.#counts[group]].toSorted(([left], [right]) => (left < right ? -1 : 1));
      return [group, Object.fromEntries(named)] as const;
    });
    return Object.fromEntries(groups) as Record<Group, Record<string, number>>;
  }
}
