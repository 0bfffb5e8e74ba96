import { createHash } from "node:crypto";

/** What happened in a simulated world, line by line; equal seeds give equal traces. */
export class Trace {
  readonly #lines: string[] = [];
  readonly #digest = createHash("sha256");

  /** Adds a line. */
  note(line: string): void {
    this.#lines.push(line);
    this.#digest.update(`${line}\n`);
  }

  /** Every line so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** SHA-256 over all lines so far, lowercase hex. */
  digest(): string {
    return this.#digest.copy().digest("hex");
  }
}
