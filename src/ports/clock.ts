/** One reading of a host's clocks. */
export interface ClockReading {
  /** Wall time, ms since 1970; may step either way. */
  readonly wallMs: number;
  /** Time since boot including suspend, ms; never steps while `bootId` is the same. */
  readonly bootMs: number;
  /** Which boot `bootMs` counts from. */
  readonly bootId: string;
}

/** The host's clocks. Only journal adapters turn readings into journal time. */
export interface Clock {
  /** Reads all clocks at one instant, to whole milliseconds. */
  read(): ClockReading;
  /** A monotonic time in ms, for watchers; its zero has no meaning. */
  monotonicMs(): number;
}
