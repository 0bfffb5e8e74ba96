/** A file of a group: in which of its folders, by their order, and its name there. */
export interface Spot {
  readonly index: number;
  readonly name: string;
}

/**
 * Where the groups of a fleet have what. They are all made alike: what was looked for in one of
 * them, in every hierarchy and by the names of both versions, is looked for there first in the
 * others. One for a whole tree; a hint only.
 */
export type Layout = Map<string, Spot>;

/** What is looked for in a group. */
export interface Sought {
  /** What it is remembered as. */
  readonly what: string;
  readonly folders: readonly string[];
  /** The names of files that may have it, best first. */
  readonly names: readonly string[];
}

/** The first answer that `look` gives for a file of a group, the one that is known first. */
export function seek<T>(
  layout: Layout,
  { what, folders, names }: Sought,
  look: (spot: Spot) => T | undefined,
): T | undefined {
  const known = layout.get(what);
  const first = known && look(known);
  if (first !== undefined) return first;
  for (const index of folders.keys())
    for (const name of names) {
      const found = look({ index, name });
      if (found === undefined) continue;
      layout.set(what, { index, name });
      return found;
    }
  return undefined;
}
