/** Who stands where: an id and the id above it. */
interface Placed {
  readonly id: string;
  readonly parent: string | null;
}

/** One of a list in the order of its tree, and how far below the top of the list it stands. */
export interface Indented<T> {
  readonly item: T;
  readonly level: number;
}

/**
 * Orders a list as a tree: parents before their children, each family together, in the order
 * given. One whose parent is not in the list stands at the top.
 */
export function inTreeOrder<T>(
  items: readonly T[],
  placeOf: (item: T) => Placed,
): readonly Indented<T>[] {
  const known = new Set(items.map((item) => placeOf(item).id));
  const children = Map.groupBy(items, (item) => {
    const { parent } = placeOf(item);
    return parent !== null && known.has(parent) ? parent : null;
  });
  const ordered: Indented<T>[] = [];
  // A stack, not a recursion: a lineage may be as deep as a contract allows, and wide.
  const stack: Indented<T>[] = [];
  const push = (parent: string | null, level: number): void => {
    for (const item of (children.get(parent) ?? []).toReversed()) stack.push({ item, level });
  };
  push(null, 0);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    ordered.push(next);
    push(placeOf(next.item).id, next.level + 1);
  }
  return ordered;
}
