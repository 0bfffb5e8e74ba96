/** The signs of life of one worker, as the store counted them. */
export interface PulseRow {
  readonly worker: string;
  /** Beats received in this generation of the store; only ever grows within it. */
  readonly count: number;
  /** When the store received the last one: wall time of the receiver, for display only. */
  readonly receivedAtMs: number;
  /** The worker's own progress counter, as it said. */
  readonly progress?: number;
}

/** All rows of a pulse store. An emptied or replaced store has a new generation. */
export interface PulseReading {
  readonly generation: string;
  readonly rows: readonly PulseRow[];
}

/**
 * The store of beats. Beats are not decisions: they are counted, never journaled, and may be lost;
 * a missing row means unknown, never stale.
 */
export interface Pulse {
  /** Counts a beat of a worker. */
  beat(worker: string, progress?: number): Promise<void>;
  /** All rows and the store's generation, read together. */
  read(): Promise<PulseReading>;
  /** Drops the row of a worker that is dead. */
  forget(worker: string): Promise<void>;
  /** Releases the store; safe to call twice. */
  close(): Promise<void>;
}
