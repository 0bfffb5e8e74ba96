/** What is asked for: a ratio of measure to floor and which way is better, or a plain figure. */
export type Target =
  { readonly ratio: number; readonly better: "higher" | "lower" } | { readonly atLeast: number };

/** A floor and a measure that were taken one right after the other. */
export interface Round {
  readonly floor: number;
  readonly measured: number;
}

/** What is said about a target; one of the latter two where neither of the others is certain. */
export type Verdict = "met" | "missed" | "too few rounds" | "too noisy to tell";

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

/** Fewer rounds than these have no spread to speak of: they would always agree. */
const ROUNDS_MIN = 3;

/** What others may use of the machine's cores before a verdict may be their doing. */
const OTHERS_SHARE_MAX = 0.1;

/** How far from its target, in parts of it, a figure must be on a busy machine to be called met. */
const BUSY_MARGIN = 0.3;

/**
 * Sums up rounds, of which there is at least one. `othersShare` is how much of all cores was used
 * by what is not the bench, 0 to 1.
 *
 * A target between the rounds is too close to call unless they agree within a tenth. A floor that
 * waits for the disk and a measure that computes do not suffer alike from others: on a busy
 * machine nothing is called missed, and nothing met that is within three tenths of its target.
 */
export function summarise(
  rounds: readonly Round[],
  { target, othersShare }: { readonly target: Target; readonly othersShare: number },
): Summary {
  const ratios = rounds.map(({ floor, measured }) => measured / floor);
  const measures = rounds.map(({ measured }) => measured);
  const compared = "atLeast" in target ? measures : ratios;
  const middle = median(compared);
  const spread = (Math.max(...compared) - Math.min(...compared)) / middle;
  const isMet = meets(target, middle);
  const agreed = compared.every((one) => meets(target, one) === isMet) || spread <= SPREAD_MAX;
  const isBusy = othersShare > OTHERS_SHARE_MAX;
  const isCertain = agreed && (!isBusy || (isMet && distance(target, middle) > BUSY_MARGIN));
  return {
    floor: median(rounds.map(({ floor }) => floor)),
    measured: median(measures),
    ratio: median(ratios),
    spread,
    verdict: verdictOf({ isEnough: rounds.length >= ROUNDS_MIN, isCertain, isMet }),
  };
}

function verdictOf(so: {
  readonly isEnough: boolean;
  readonly isCertain: boolean;
  readonly isMet: boolean;
}): Verdict {
  if (!so.isEnough) return "too few rounds";
  if (!so.isCertain) return "too noisy to tell";
  return so.isMet ? "met" : "missed";
}

/** How far a figure is from its target, in parts of the target. */
function distance(target: Target, compared: number): number {
  const aim = "atLeast" in target ? target.atLeast : target.ratio;
  return Math.abs(compared - aim) / aim;
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
