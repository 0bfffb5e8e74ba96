import { closeSync, openSync, readSync } from "node:fs";
import canonicalize from "canonicalize";
import { LIMITS } from "../kernel/limits.ts";
import { Fault } from "../ports/fault.ts";
import type { Head, Journal, StoredEntry } from "../ports/journal.ts";

// The export of a journal: a line per entry, a last line that says that it is whole.
//
//     {"entry":{…canonical form…},"hash":"…"}
//     {"end":{"hash":"…","seq":2}}
//
// Hashes are over the canonical form of `entry`, so a file that was formatted anew still imports.

/** The most characters that a line may have: an entry, formatted anew, and what is around it. */
const LINE_CHARS_MAX = 2 * LIMITS.entryBytesMax;
const CHUNK_BYTES = 64 * 1_024;
const NEWLINE = 0x0a;

/**
 * The lines of a journal's export, each with its newline, up to the head it has at the start, or up
 * to an entry before that.
 */
export async function* exportLines(journal: Journal, until?: Head): AsyncGenerator<string> {
  const head = until ?? (await journal.head());
  let seq = 0;
  while (seq < head.seq) {
    const page = await journal.readStored(seq, Math.min(head.seq - seq, LIMITS.readEntriesMax));
    if (page.length === 0) {
      const message = `entries must be there up to ${head.seq}, none follows ${seq}`;
      throw new Fault("journal_corrupt", message);
    }
    for (const stored of page) {
      // What was appended since, beyond a gap, may come along.
      if (stored.seq > head.seq) break;
      yield `{"entry":${stored.text},"hash":"${stored.hash}"}\n`;
    }
    seq = page.at(-1)?.seq ?? head.seq;
  }
  yield `{"end":{"hash":"${head.hash}","seq":${head.seq}}}\n`;
}

/** What to import. */
export interface ImportOptions {
  /** The file to read. */
  readonly path: string;
  /** Takes what a file that breaks off has; otherwise nothing of it is imported. */
  readonly acceptIncomplete?: boolean;
}

/** What an import took over. */
export interface Imported {
  readonly head: Head;
  /** The line at which the file breaks off, if it does; the entries before it were imported. */
  readonly incompleteLine?: number;
}

/**
 * Imports an export into an empty journal, hashes intact, all or nothing.
 *
 * Throws `Fault` `journal_truncated`, naming file and line, when the file breaks off: in the middle
 * of a line, or before the line that ends it. A line that is broken otherwise is `journal_corrupt`.
 */
export async function importFile(journal: Journal, options: ImportOptions): Promise<Imported> {
  const descriptor = openExport(options.path);
  const reader = new ExportReader(descriptor, options);
  try {
    const head = await journal.load(reader.entries());
    const line = reader.incompleteLine;
    return line === undefined ? { head } : { head, incompleteLine: line };
  } catch (error) {
    if (!(error instanceof Fault) || error.message.startsWith(options.path)) throw error;
    // Found by the journal while it took the line over.
    const message = `${options.path} line ${reader.line}: ${error.message}`;
    throw new Fault(error.code, message, { retryable: error.retryable, cause: error });
  } finally {
    closeSync(descriptor);
  }
}

function openExport(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault("storage_failed", `the export must be readable, got: ${reason}`, {
      cause: error,
    });
  }
}

/** A line of an export, parsed. */
type Line =
  | { readonly kind: "entry"; readonly stored: StoredEntry; readonly seq: unknown }
  | { readonly kind: "end"; readonly head: Head };

/** Reads the entries of an export one after another. */
class ExportReader {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #acceptIncomplete: boolean;
  /** The line being read, from 1. */
  line = 0;
  incompleteLine: number | undefined;

  constructor(descriptor: number, { path, acceptIncomplete = false }: ImportOptions) {
    this.#descriptor = descriptor;
    this.#path = path;
    this.#acceptIncomplete = acceptIncomplete;
  }

  *entries(): Generator<StoredEntry> {
    let end: Head | undefined;
    let last: Head = { seq: 0, hash: "0".repeat(64) };
    for (const { text, isEnded } of readLines(this.#descriptor)) {
      this.line += 1;
      if (text.length > LINE_CHARS_MAX) {
        throw this.#fault("corrupt", `a line may have ${LINE_CHARS_MAX} characters, got more`);
      }
      if (end !== undefined) throw this.#fault("corrupt", "nothing may follow the end");
      const line = parseLine(text);
      if (line === undefined) {
        if (isEnded) throw this.#fault("corrupt", `a line must be an entry, got ${start(text)}`);
        return this.#breakOff("a line must end with a newline, it breaks off");
      }
      if (line.kind === "end") end = line.head;
      else {
        yield line.stored;
        // The journal has verified the entry, so its seq is one.
        last = { seq: Number(line.seq), hash: line.stored.hash };
      }
    }
    if (end === undefined) {
      this.line += 1;
      return this.#breakOff("the line that ends the export must follow, there is none");
    }
    if (end.seq === last.seq && end.hash === last.hash) return undefined;
    throw this.#fault("corrupt", `the export must end at entry ${end.seq}, it ends at ${last.seq}`);
  }

  #breakOff(message: string): undefined {
    if (!this.#acceptIncomplete) throw this.#fault("truncated", message);
    this.incompleteLine = this.line;
    return undefined;
  }

  #fault(what: "corrupt" | "truncated", message: string): Fault {
    return new Fault(`journal_${what}`, `${this.#path} line ${this.line}: ${message}`);
  }
}

function parseLine(text: string): Line | undefined {
  try {
    // Parsed from outside: the journal verifies the entry by its hash.
    const line = JSON.parse(text) as {
      entry?: { seq?: unknown };
      hash?: unknown;
      end?: Partial<Head>;
    };
    if (typeof line.end?.seq === "number" && typeof line.end.hash === "string") {
      return { kind: "end", head: { seq: line.end.seq, hash: line.end.hash } };
    }
    const canonical = canonicalize(line.entry);
    if (canonical === undefined || typeof line.hash !== "string") return undefined;
    return { kind: "entry", stored: { text: canonical, hash: line.hash }, seq: line.entry?.seq };
  } catch {
    // Not JSON, null, or not to be canonicalized: no line of an export.
    return undefined;
  }
}

/**
 * The lines of a file without their newlines; `isEnded` is false for a last one that has none.
 * A line that is longer than any may be is handed out as far as it was read.
 */
function* readLines(
  descriptor: number,
): Generator<{ readonly text: string; readonly isEnded: boolean }> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  for (;;) {
    const size = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
    if (size === 0) break;
    rest = Buffer.concat([rest, chunk.subarray(0, size)]);
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      yield { text: rest.toString("utf8", 0, at), isEnded: true };
      rest = rest.subarray(at + 1);
    }
    // In bytes, so that any text of this many characters is whole.
    if (rest.length > LINE_CHARS_MAX * 4) break;
  }
  if (rest.length > 0) yield { text: rest.toString("utf8"), isEnded: false };
}

function start(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
