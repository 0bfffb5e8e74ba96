import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

const NEWLINE = 0x0a;

/** How git tells binary content: a NUL byte among the first 8 000. */
const BINARY_PROBE_BYTES = 8_000;

/** How much of a file is read at a time: a file may be larger than the memory of its reader. */
const PIECE_BYTES = 262_144;

/** How long files are read before other work of this process, such as its beats, has its turn. */
const TURN_MS_MAX = 20;

/** What a file holds. */
export interface FileCounts {
  readonly bytes: number;
  /** As a reader counts them, an unterminated last one too. Binary files have none. */
  readonly lines: number;
}

/**
 * Counts files, one after the other. Each is read at once, for asking the system in the background
 * takes longer than most files do; now and then it lets other work have its turn.
 */
export class FileCounter {
  readonly #buffer = Buffer.allocUnsafe(PIECE_BYTES);
  #turnAtMs = performance.now();

  /** Counts the bytes and lines of a file. Rejects as the file system does. */
  async count(path: string | Buffer): Promise<FileCounts> {
    const file = openSync(path, "r");
    try {
      const counter = new LineCounter();
      for (;;) {
        const readBytes = readSync(file, this.#buffer, 0, PIECE_BYTES, null);
        if (readBytes === 0) return { bytes: counter.bytes, lines: counter.lines };
        counter.add(this.#buffer.subarray(0, readBytes));
        if (performance.now() - this.#turnAtMs > TURN_MS_MAX) await this.#giveTurn();
      }
    } finally {
      closeSync(file);
    }
  }

  async #giveTurn(): Promise<void> {
    await nextTurn();
    this.#turnAtMs = performance.now();
  }
}

/** Lines of a content as a reader counts them; see {@link FileCounts}. */
export function countLines(content: Uint8Array): number {
  const counter = new LineCounter();
  counter.add(content);
  return counter.lines;
}

/** Counts what it is given piece by piece. */
class LineCounter {
  bytes = 0;
  #newlines = 0;
  #isBinary = false;
  #last = NEWLINE;

  get lines(): number {
    if (this.#isBinary) return 0;
    return this.#last === NEWLINE ? this.#newlines : this.#newlines + 1;
  }

  add(piece: Uint8Array): void {
    const probe = piece.subarray(0, Math.max(0, BINARY_PROBE_BYTES - this.bytes));
    this.#isBinary ||= probe.includes(0);
    this.bytes += piece.length;
    this.#last = piece.at(-1) ?? this.#last;
    if (this.#isBinary) return;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1))
      this.#newlines += 1;
  }
}
