import { DEEP, RUN, type Item, type Pattern, type Segment, type Step } from "../region/pattern.ts";

/** A way to read patterns and what they are made of: from the front, or from the back. */
export interface Reading {
  /** The step of a pattern after so many others; undefined after the last. */
  stepAt(pattern: Pattern, depth: number): Step | undefined;
  /** What every text that a segment matches has first: all of a literal one. */
  edgeOf(segment: Segment): string;
}

/** From the first segment on, and in it from the first character on. */
export const FORWARD: Reading = {
  stepAt: ({ steps }, depth) => steps[depth],
  edgeOf: ({ literal, items }) => literal ?? fixedText(items),
};

/** From the last segment back, and in it from the last character back. */
export const BACKWARD: Reading = {
  stepAt: ({ steps }, depth) => (depth < steps.length ? steps.at(-1 - depth) : undefined),
  edgeOf: ({ literal, items }) =>
    literal === undefined
      ? fixedText(items.toReversed())
      : Array.from(literal).toReversed().join(""),
};

/** The characters before the first item that stands for more than one. */
function fixedText(items: readonly Item[]): string {
  let text = "";
  for (const item of items) {
    if (item === RUN || item.length !== 2 || item[0] !== item[1]) return text;
    text += String.fromCodePoint(item[0] as number);
  }
  return text;
}

/** What the keys of steps begin with; in this order steps are found. */
export const MARKS = { end: "!", deep: "*", literal: "=", wild: "?" } as const;

/**
 * The key of a step: those of one kind lie beside each other, in the order of their edges. The
 * same step has the same key, except for the end of a pattern, which is that pattern's alone.
 */
export function keyOfStep(reading: Reading, pattern: Pattern, depth: number): string {
  const step = reading.stepAt(pattern, depth);
  if (step === undefined) return MARKS.end + pattern.text;
  if (step === DEEP) return MARKS.deep;
  const edge = reading.edgeOf(step);
  return step.literal === undefined ? `${MARKS.wild}${edge}\0${step.text}` : MARKS.literal + edge;
}

/** The edge of a wild step, by its key. */
export function edgeInKey(key: string): string {
  return key.slice(MARKS.wild.length, key.indexOf("\0"));
}
