import { dirname } from "node:path";
import type { Gift } from "../../../ports/sandbox.ts";
import { isBelow } from "../../folder/paths.ts";

/**
 * What a path of a gift has a mount of its own for: it is not given (`left`) or stays as it is
 * (`kept`), and cannot be written to; or it lies on the way to what is one of these, and is made
 * for it (`made`) or not (`way`).
 */
export type FixedKind = "left" | "kept" | "made" | "way";

/** A path of a gift that nobody inside can rename or remove, absolute. */
export interface Fixed {
  readonly kind: FixedKind;
  readonly path: string;
}

/** What is fixed of a gift, the outer before the inner; `isOff` says what need not be. */
export function fixedIn(gift: Gift, isOff: (path: string) => boolean): readonly Fixed[] {
  const { folder } = gift;
  const ends = new Map<string, FixedKind>();
  for (const kind of ["kept", "left"] as const)
    for (const path of gift[kind]) if (isBelow(path, folder) && !isOff(path)) ends.set(path, kind);
  const paths = [...ends.keys()];
  // What lies in what cannot be written to is in it.
  const outer = paths.filter((path) => !paths.some((other) => isBelow(path, other)));
  const ways = new Map<string, FixedKind>();
  for (const end of outer) {
    const kind = ends.get(end) === "left" ? "made" : "way";
    for (let path = dirname(end); isBelow(path, folder); path = dirname(path))
      if (ways.get(path) !== "made") ways.set(path, kind);
  }
  const all = [...ways, ...outer.map((path) => [path, ends.get(path) ?? "kept"] as const)];
  return all
    .map(([path, kind]): Fixed => ({ path, kind }))
    .toSorted((one, other) => one.path.length - other.path.length);
}
