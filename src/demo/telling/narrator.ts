/** How far the demo has come, for whoever watches it. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** What is waited for, the oldest first. */
  readonly awaited: readonly string[];
  /** Live workers, by the journal. */
  readonly workerCount: number;
}

/** Tells the demo to somebody. */
export interface Narrator {
  /** Tells lines of the story, in a tone. */
  tell(text: string, tone?: Tone): void;
  /** Shows the progress from now on, where there is a place for it; `look` is asked for it. */
  follow(look: () => Progress): void;
  /** Leaves the place as it was found; safe to call twice. */
  close(): void;
}

/** What a line is: plain, good, bad, or of lesser interest. */
export type Tone = "plain" | "good" | "bad" | "dim";

/** A narrator that writes plain lines, one after the other, with no more to it. */
export function plainNarrator(write: (text: string) => void): Narrator {
  return {
    tell: (text) => write(`${text}\n`),
    follow: () => undefined,
    close: () => undefined,
  };
}
