/** A part of a list, in the list's order. */
export interface Page<T> {
  readonly items: readonly T[];
  /** What `after` is to be for the next part; null at the end. */
  readonly next: string | null;
  /** The newest entry that the items include. */
  readonly seq: number;
}
