/** How often a pipe is told how far a bench has come, ms. */
const PIPE_EVERY_MS = 10_000;

/** Tells on stderr what is being measured: in place on a terminal, now and then in a pipe. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #what = "";
  #toldAtMs = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Begins with another bench. */
  begin(what: string): void {
    this.#what = what;
    this.#toldAtMs = performance.now();
    if (!this.#stream.isTTY) this.#stream.write(`measuring ${what} …\n`);
  }

  /** Says how far it is. */
  tell(how: string): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\u001b[Kmeasuring ${this.#what}: ${how}`);
      return;
    }
    if (performance.now() - this.#toldAtMs < PIPE_EVERY_MS) return;
    this.#toldAtMs = performance.now();
    this.#stream.write(`measuring ${this.#what}: ${how} …\n`);
  }

  /** Leaves the line to others. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\u001b[K");
  }
}
