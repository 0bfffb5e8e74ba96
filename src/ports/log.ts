/** A place for messages to the operator of a process; never part of the record. */
export interface Log {
  /** Something an operator should look at; `facts` are plain values. */
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  /** Something that happened, for those who follow along. */
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** A log that drops everything. */
export const SILENT: Log = { warn: () => undefined, info: () => undefined };
