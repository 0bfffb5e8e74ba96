import type { Call } from "../call.ts";

/** How often it is drawn at most, ms: more is not seen, and takes time. */
const drawnEveryMs = 100;

const barChars = 24;

/** What is drawn, and where to. */
export interface ProgressBarOptions {
  /** What is being done, e.g. `deciding`. */
  readonly doing: string;
  /** The count at which it is done. */
  readonly endCount: number;
  /** Default: stderr of this process. */
  readonly write?: (text: string) => void;
  /** Now, ms on any clock that only goes forward. */
  readonly nowMs?: () => number;
}

/**
 * Shows how far long work has come, in one line of stderr that is drawn over, and ends it when the
 * call is interrupted. Where no person sits at a terminal it shows nothing.
 */
export class ProgressBar {
  readonly #call: Pick<Call, "isTerminal" | "signal">;
  readonly #so: Required<ProgressBarOptions>;
  #drawnAtMs = -Infinity;
  #widest = 0;

  constructor(call: Pick<Call, "isTerminal" | "signal">, options: ProgressBarOptions) {
    this.#call = call;
    this.#so = {
      write: (text) => void process.stderr.write(text),
      nowMs: () => performance.now(),
      ...options,
    };
  }

  /** Tells how far it has come. Throws the signal's reason once the call is interrupted. */
  tell(count: number): void {
    this.#call.signal.throwIfAborted();
    const { doing, endCount, nowMs, write } = this.#so;
    const now = nowMs();
    if (!this.#call.isTerminal || now - this.#drawnAtMs < drawnEveryMs) return;
    this.#drawnAtMs = now;
    const share = endCount <= 0 ? 1 : Math.min(1, Math.max(0, count / endCount));
    const full = Math.round(share * barChars);
    const bar = `[${"#".repeat(full)}${".".repeat(barChars - full)}]`;
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    const line = `${doing} ${bar} ${percent} of ${endCount.toLocaleString("en-US")}`;
    // Not by a sequence that clears the line: not every terminal knows one.
    write(`\r${line.padEnd(this.#widest)}`);
    this.#widest = Math.max(this.#widest, line.length);
  }

  /** Takes it away again; what is written next begins at the left. */
  end(): void {
    if (this.#widest > 0) this.#so.write(`\r${" ".repeat(this.#widest)}\r`);
    this.#widest = 0;
  }
}
