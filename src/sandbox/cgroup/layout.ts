/** A file of a group: in which of its folders, by their order, and its name there. */
export interface Spot {
  readonly index: number;
  readonly name: string;
}

/**
 * Where the groups of a fleet have what. They are made alike: what was looked for in one of them,
 * in every hierarchy and by the names of both versions, is looked for there first in the others.
 * One for a whole tree; a hint only.
 */
export type Layout = Map<string, Spot>;
