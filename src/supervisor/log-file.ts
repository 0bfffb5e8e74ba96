import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { pino } from "pino";
import type { Log } from "../ports/log.ts";

/** What a log and its predecessor may grow to together, bytes. */
const LOG_BYTES_MAX = 4 * 2 ** 20;

/** A log in a file. */
export interface LogFile extends Log {
  /** Closes the file; safe to call twice. */
  close(): void;
}

/**
 * Opens a log of JSON lines in a file, mode 0600, by pino. At half of `bytesMax` the file is
 * renamed to `<file>.1`, replacing an older one, and begun anew. Never throws while logging: what a
 * full disk does not take is lost.
 */
export function openLogFile(file: string, options: { readonly bytesMax?: number } = {}): LogFile {
  const rotating = new RotatingFile(file, Math.floor((options.bytesMax ?? LOG_BYTES_MAX) / 2));
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => rotating.write(line) },
  );
  return {
    warn: (message, facts = {}) => logger.warn(plain(facts), message),
    info: (message, facts = {}) => logger.info(plain(facts), message),
    close: () => rotating.close(),
  };
}

/** What pino writes into every line by itself. */
const OWN_FIELDS = ["level", "time", "pid", "msg"];

/**
 * Errors as their texts, for an Error has no fields of its own for JSON to show; and no field that
 * every line has already, for a name that is there twice means what its reader takes it for.
 */
function plain(facts: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, fact]) => {
      if (name === "pid" && fact === process.pid) return [];
      const text = fact instanceof Error ? (fact.stack ?? fact.message) : fact;
      return [[OWN_FIELDS.includes(name) ? `fact_${name}` : name, text]];
    }),
  );
}

/** A file that is written line by line and begun anew when it is full. */
class RotatingFile {
  readonly #file: string;
  readonly #bytesMax: number;
  #descriptor: number | undefined;
  #bytes = 0;

  constructor(file: string, bytesMax: number) {
    this.#file = file;
    this.#bytesMax = bytesMax;
    this.#open();
  }

  write(line: string): void {
    if (this.#descriptor === undefined) return;
    try {
      if (this.#bytes >= this.#bytesMax) this.#rotate();
      this.#bytes += writeSync(this.#descriptor, line);
    } catch {
      // A full disk: the line is lost, and nobody fails for it.
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): void {
    this.#descriptor = openSync(this.#file, "a", 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
  }

  #rotate(): void {
    this.close();
    try {
      renameSync(this.#file, `${this.#file}.1`);
    } finally {
      this.#open();
    }
  }
}
