import type { CharSet } from "./char-set.ts";

/** Any run of characters within a segment, none included. */
export const RUN = "*";

/** Any number of whole segments, none included. */
export const DEEP = "**";

/** One step within a segment: a character of a set, or a run. */
export type Item = CharSet | typeof RUN;

/** What one segment of a path must look like. */
export interface Segment {
  /** As it is written in a canonical pattern. */
  readonly text: string;
  /** The only text that it matches, folded like its region; undefined where it is not one. */
  readonly literal: string | undefined;
  readonly items: readonly Item[];
}

/** One step of a pattern. */
export type Step = Segment | typeof DEEP;

/**
 * A set of resources: those of a namespace whose path has the steps' form. Without braces, which
 * parsing has written out.
 */
export interface Pattern {
  /** `file`, `port`, …; `*` for every one. */
  readonly namespace: string;
  readonly steps: readonly Step[];
  /** As it is written: `file:` left out, so that it parses back to this very pattern. */
  readonly text: string;
}

/** A pattern that matches all there is in every namespace is written like this. */
export const EVERYTHING = "*:**";

/** The namespace of patterns that name none. */
export const DEFAULT_NAMESPACE = "file";

/** Every namespace at once. */
export const ANY_NAMESPACE = "*";

/** What a text begins with that names its namespace; the name is its group. */
export const NAMESPACE = /^(\*|[a-z][a-z0-9-]*):/;

/** A pattern that cannot be meant, or is too large to be decided; parsing regions catches it. */
export class PatternError extends Error {
  override readonly name = "PatternError";
  /** What had to be there, completing "a pattern must have …". */
  readonly expected: string;
  readonly got: string;
  readonly isTooLarge: boolean;

  constructor(expected: string, got: string, isTooLarge = false) {
    super(`expected ${expected}, got ${got}`);
    this.expected = expected;
    this.got = got;
    this.isTooLarge = isTooLarge;
  }
}
