/** What was cut of an output. */
export interface Cut {
  readonly sizeBytes: number;
  readonly droppedBytes: number;
}
