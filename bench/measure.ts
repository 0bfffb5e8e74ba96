/** One thing that is measured, against a floor taken in the same run where there is one. */
export interface Bench {
  readonly name: string;
  /** What the figures count, e.g. `pairs/s`. */
  readonly unit: string;
  /** What the floor is, in a few words. */
  readonly floorName: string;
  /** What is asked for: a ratio of measure to floor and which way is better, or a plain figure. */
  readonly target:
    { readonly ratio: number; readonly better: "higher" | "lower" } | { readonly atLeast: number };
  /** How often floor and measure are taken, in turn. */
  readonly rounds: number;
  /** Prepares one pair of trials; `close` gives everything back. */
  prepare(): Promise<Trials>;
}

/** A floor and a measure; each call is one trial and answers a figure in the bench's unit. */
export interface Trials {
  floor(): Promise<number>;
  measure(): Promise<number>;
  close(): Promise<void>;
}

/** What a bench found. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly floor_name: string;
  readonly floor: number;
  readonly measured: number;
  readonly ratio: number;
  readonly target: string;
  readonly met: boolean;
  /** (highest - lowest) / median of the ratios of the rounds. */
  readonly spread: number;
  /** Whether the rounds differed so much that the verdict could be chance. */
  readonly noisy: boolean;
}

/** Beyond this spread of the rounds' ratios a verdict near the target says little. */
const NOISY_SPREAD = 0.5;

/** Runs a bench: floor and measure in turn, medians of both, the median of the rounds' ratios. */
export async function run(bench: Bench): Promise<Result> {
  const trials = await bench.prepare();
  const floors: number[] = [];
  const measures: number[] = [];
  try {
    // The first round only warms up.
    await trials.floor();
    await trials.measure();
    for (let round = 0; round < bench.rounds; round += 1) {
      floors.push(await trials.floor());
      measures.push(await trials.measure());
    }
  } finally {
    await trials.close();
  }
  return summarise(bench, floors, measures);
}

function summarise(bench: Bench, floors: readonly number[], measures: readonly number[]): Result {
  const ratios = measures.map((measure, round) => measure / (floors[round] ?? Number.NaN));
  const ratio = median(ratios);
  const spread = (Math.max(...ratios) - Math.min(...ratios)) / ratio;
  const verdict = judge(bench.target, ratio, median(measures));
  return {
    name: bench.name,
    unit: bench.unit,
    floor_name: bench.floorName,
    floor: median(floors),
    measured: median(measures),
    ratio,
    ...verdict,
    spread,
    noisy: spread > NOISY_SPREAD,
  };
}

function judge(
  target: Bench["target"],
  ratio: number,
  measured: number,
): Pick<Result, "target" | "met"> {
  if ("atLeast" in target)
    return {
      target: `≥ ${target.atLeast.toLocaleString("en-US")}`,
      met: measured >= target.atLeast,
    };
  return target.better === "higher"
    ? { target: `≥ ${target.ratio} ×`, met: ratio >= target.ratio }
    : { target: `≤ ${target.ratio} ×`, met: ratio <= target.ratio };
}

/** The middle of some figures; of an even count, the mean of the middle two. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
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
