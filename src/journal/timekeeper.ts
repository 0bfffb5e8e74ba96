import { LIMITS } from "../kernel/limits.ts";
import type { Clock, ClockReading } from "../ports/clock.ts";
import { Fault } from "../ports/fault.ts";
import type { AppendOptions } from "../ports/journal.ts";
import { journalTime, type JournalTime, type TiedTime } from "./journal-time.ts";

/** How far the wall clock may be off until the contract says otherwise, ms. */
const TOLERANCE_MS = 5_000;

/** How often one append may decide anew because its decision grew too old. */
const DECISIONS_MAX = 5;

/** What every adapter takes to tell the time. */
export interface TimeOptions {
  readonly clock: Clock;
}

/** Journal time at one reading of the clock. */
export interface Instant extends TiedTime {
  readonly reading: ClockReading;
}

/** Turns readings of a host's clocks into journal time, and says when a decision is too old. */
export class Timekeeper {
  readonly #clock: Clock;
  #toleranceMs = TOLERANCE_MS;

  constructor(options: TimeOptions) {
    this.#clock = options.clock;
  }

  /** Takes over the tolerance of the contract in force, ms. */
  tolerate(toleranceMs: number): void {
    this.#toleranceMs = toleranceMs;
  }

  /** Reads the clock; throws `Fault` `clock_skew` when journal time cannot follow it. */
  read(last: JournalTime | null, { acceptsClock = false }: AppendOptions = {}): Instant {
    const reading = this.#clock.read();
    const rule = { toleranceMs: this.#toleranceMs, isAccepted: acceptsClock };
    return { ...journalTime(last, reading, rule), reading };
  }

  /**
   * Whether a decision taken at `instant` is too old to be committed now.
   *
   * The instant between this reading and the commit itself stays open: no process can close it
   * from inside. It makes the entry's rights end early, never late, as they count from `at_ms`.
   */
  isAged({ reading }: Instant): boolean {
    const now = this.#clock.read();
    const ageMs = now.bootMs - reading.bootMs;
    return now.bootId !== reading.bootId || ageMs < 0 || ageMs > LIMITS.decisionAgeMsMax;
  }
}

/** Runs `decide` until it answers something else than `aged`, a few times. */
export async function whileAged<T>(decide: () => Promise<T | "aged"> | T | "aged"): Promise<T> {
  for (let count = 0; count < DECISIONS_MAX; count += 1) {
    const outcome = await decide();
    if (outcome !== "aged") return outcome;
  }
  throw new Fault(
    "storage_busy",
    `a decision must be committed within ${LIMITS.decisionAgeMsMax} ms, ` +
      `${DECISIONS_MAX} in a row took longer`,
    { retryable: true },
  );
}
