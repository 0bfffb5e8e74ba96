/** What is asked for: a ratio of measure to floor and which way is better, or a plain figure. */
export type Target =
  { readonly ratio: number; readonly better: "higher" | "lower" } | { readonly atLeast: number };

/** A floor and a measure that were taken one right after the other. */
export interface Round {
  readonly floor: number;
  readonly measured: number;
}

/** What is said about a target; `too noisy to tell` where neither of the others is certain. */
export type Verdict = "met" | "missed" | "too noisy to tell";

/** What rounds come to: medians, the median of their ratios, and the verdict. */
export interface Summary {
  readonly floor: number;
  readonly measured: number;
  /** The median of the rounds' ratios of measure to floor. */
  readonly ratio: number;
  /** (highest - lowest) / median of what is compared with the target, over the rounds. */
  readonly spread: number;
  readonly verdict: Verdict;
}

/** Rounds that differ by less than this much of their median are taken at their median's word. */
const SPREAD_MAX = 0.1;

/** What others may use of the machine's cores before a miss may be their doing. */
const OTHERS_SHARE_MAX = 0.1;

/**
 * Sums up rounds, of which there is at least one. `othersShare` is how much of all cores was used
 * by what is not the bench, 0 to 1.
 *
 * A target between the rounds is too close to call unless they agree within a tenth. On a busy
 * machine nothing is called missed: a floor that waits for the disk and a measure that computes do
 * not suffer alike.
 */
export function summarise(
  rounds: readonly Round[],
  { target, othersShare }: { readonly target: Target; readonly othersShare: number },
): Summary {
  const ratios = rounds.map(({ floor, measured }) => measured / floor);
  const measures = rounds.map(({ measured }) => measured);
  const compared = "atLeast" in target ? measures : ratios;
  const spread = (Math.max(...compared) - Math.min(...compared)) / median(compared);
  const isMet = meets(target, median(compared));
  const agreed = compared.every((one) => meets(target, one) === isMet) || spread <= SPREAD_MAX;
  const isBusy = othersShare > OTHERS_SHARE_MAX;
  return {
    floor: median(rounds.map(({ floor }) => floor)),
    measured: median(measures),
    ratio: median(ratios),
    spread,
    verdict: !agreed || (isBusy && !isMet) ? "too noisy to tell" : isMet ? "met" : "missed",
  };
}

/** Whether a figure, or a ratio where the target is one, is what is asked for. */
export function meets(target: Target, compared: number): boolean {
  if ("atLeast" in target) return compared >= target.atLeast;
  return target.better === "higher" ? compared >= target.ratio : compared <= target.ratio;
}

/** A target in words: `≥ 0.5 ×` the floor, `≤ 2 ×` the floor, `≥ 200,000`. */
export function describeTarget(target: Target): string {
  if ("atLeast" in target) return `≥ ${target.atLeast.toLocaleString("en-US")}`;
  return `${target.better === "higher" ? "≥" : "≤"} ${target.ratio} ×`;
}

/** The middle of some figures; of an even count, the mean of the middle two. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
