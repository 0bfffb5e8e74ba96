import { othersShare } from "./report/machine.ts";
import { describeTarget, summarise, type Round, type Summary } from "./report/verdict.ts";
import type { Target } from "./report/verdict.ts";

/** One thing that is measured, against a floor taken in the same run where there is one. */
export interface Bench {
  readonly name: string;
  /** What the figures count, e.g. `pairs/s`. */
  readonly unit: string;
  /** What the floor is, in a few words. */
  readonly floorName: string;
  readonly target: Target;
  /** How often floor and measure are taken, in turn. */
  readonly rounds: number;
  /** Prepares one pair of trials; what it has begun when it throws, it has given back. */
  prepare(course: Course): Promise<Trials>;
}

/** How a run goes on. */
export interface Course {
  /** Fires when the run is to end: what waits long listens to it. */
  readonly signal: AbortSignal;
  /** Tells how far long work has come. */
  tell(progress: string): void;
}

/** A floor and a measure; each call is one trial and answers a figure in the bench's unit. */
export interface Trials {
  floor(): Promise<number>;
  measure(): Promise<number>;
  /** Gives everything back, also after a trial that threw. */
  close(): Promise<void>;
}

interface Asked {
  readonly name: string;
  readonly unit: string;
  readonly floor_name: string;
  readonly target: string;
}

/** What a bench found, as it is printed by `--json`; or why it could not be run. */
export type Result =
  | (Asked & { readonly error: string })
  | (Asked &
      Summary & {
        readonly error: null;
        /** The share of all cores that others used before and after it, 0 to 1; the higher. */
        readonly others_share: number;
        readonly rounds: readonly Round[];
      });

/** Runs a bench: floor and measure in turn, medians of both, the median of the rounds' ratios. */
export async function run(
  bench: Bench,
  course: Course,
  roundCount = bench.rounds,
): Promise<Result> {
  const { name, unit, floorName: floor_name } = bench;
  const asked = { name, unit, floor_name, target: describeTarget(bench.target) };
  try {
    const before = await othersShare();
    const rounds = await takeRounds(bench, course, roundCount);
    const others = Math.max(before, await othersShare());
    const so = { target: bench.target, othersShare: others };
    return { ...asked, ...summarise(rounds, so), error: null, others_share: others, rounds };
  } catch (error) {
    course.signal.throwIfAborted();
    // One that cannot run here holds up no other; the reader is told why.
    return { ...asked, error: error instanceof Error ? error.message : String(error) };
  }
}

async function takeRounds(bench: Bench, course: Course, count: number): Promise<Round[]> {
  const { signal } = course;
  const rounds: Round[] = [];
  course.tell("preparing");
  const trials = await bench.prepare(course);
  try {
    for (let round = 0; round <= count; round += 1) {
      course.tell(round === 0 ? "warming up" : `round ${round} of ${count}`);
      signal.throwIfAborted();
      const floor = await trials.floor();
      signal.throwIfAborted();
      const measured = await trials.measure();
      // The first round only warms up.
      if (round > 0) rounds.push({ floor, measured });
    }
  } finally {
    course.tell("clearing up");
    await trials.close();
  }
  return rounds;
}

/** How long a piece of work takes, ms. */
export async function msOf(work: () => Promise<void> | void): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** How many of something happened per second, for a piece of work that is timed here. */
export async function perSecond(count: number, work: () => Promise<void> | void): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return count / (Number(process.hrtime.bigint() - start) / 1e9);
}
