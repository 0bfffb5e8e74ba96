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
