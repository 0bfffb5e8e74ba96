import type { CharSet } from "./char-set.ts";

/** `.` as a set: no segment of a path is one of them alone, or two. */
export const DOT: CharSet = [0x2e, 0x2e];

/** How a segment stands after some characters: not begun, `.`, `..`, or a name, which may end. */
export const NAMING = { begun: 0, dot: 1, dots: 2, name: 3 } as const;

/** How many ways there are for a segment to stand. */
export const NAMINGS = 4;

/** How a segment stands after one more dot: one is `.`, two are `..`, three are a name. */
export function afterDot(naming: number): number {
  if (naming === NAMING.begun) return NAMING.dot;
  return naming === NAMING.dot ? NAMING.dots : NAMING.name;
}
