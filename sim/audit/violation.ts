/** A rule that a simulated world has broken: what was found, and where. */
export interface Violation {
  /** The invariant (`I1` to `I11`) or the simulator's own rule that is broken. */
  readonly rule: string;
  readonly message: string;
  /** The newest entry of the journal when it was found. */
  readonly seq: number;
}
