/** One thing that had to happen, and whether it was seen. */
export interface Check {
  readonly what: string;
  readonly seen: boolean;
  /** What was seen instead, or the figures that show it. */
  readonly detail: string;
}

/** What the demo has seen from outside; it succeeds only if all of it is so. */
export class Checklist {
  readonly #checks: Check[] = [];
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** Notes whether something happened, and says so. */
  note(what: string, seen: boolean, detail: string): void {
    this.#checks.push({ what, seen, detail });
    this.#tell(`${seen ? "✓" : "✗"} ${what}: ${detail}`);
  }

  /** Everything noted so far. */
  get checks(): readonly Check[] {
    return this.#checks;
  }

  /** Whether everything that was noted was seen, and something was noted. */
  get passed(): boolean {
    return this.#checks.length > 0 && this.#checks.every(({ seen }) => seen);
  }
}
