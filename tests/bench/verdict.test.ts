import { expect, test } from "vitest";
import { describeTarget, median, summarise, type Target } from "../../bench/report/verdict.ts";

const AT_LEAST_HALF: Target = { ratio: 0.5, better: "higher" };
const AT_MOST_TWICE: Target = { ratio: 2, better: "lower" };
const QUIET = 0.02;

/** Rounds over a floor of 100, so that a measure of 50 is a ratio of 0.5. */
function roundsOf(...measures: readonly number[]) {
  return measures.map((measured) => ({ floor: 100, measured }));
}

function verdictOf(target: Target, measures: readonly number[], othersShare = QUIET) {
  return summarise(roundsOf(...measures), { target, othersShare }).verdict;
}

test.each<[readonly number[], number]>([
  [[3], 3],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
])("the median of %j is %f", (figures, middle) => {
  expect(median(figures)).toBe(middle);
});

test("the ratio is the median of the rounds' ratios, not that of the medians", () => {
  const rounds = [
    { floor: 100, measured: 100 },
    { floor: 10, measured: 40 },
    { floor: 50, measured: 100 },
  ];
  const summary = summarise(rounds, { target: AT_LEAST_HALF, othersShare: QUIET });
  expect(summary).toMatchObject({ floor: 50, measured: 100, ratio: 2, spread: 1.5 });
});

test("the spread of a plain figure is that of the figure, whatever its floor does", () => {
  const rounds = [
    { floor: 1, measured: 90 },
    { floor: 50, measured: 100 },
    { floor: 9, measured: 110 },
  ];
  const summary = summarise(rounds, { target: { atLeast: 80 }, othersShare: QUIET });
  expect(summary).toMatchObject({ spread: 0.2, verdict: "met" });
});

test.each<[string, { readonly target: Target; readonly measures: readonly number[] }, string]>([
  ["at a floor's share", { target: AT_LEAST_HALF, measures: [50, 50, 50] }, "met"],
  ["below it", { target: AT_LEAST_HALF, measures: [49, 49, 49] }, "missed"],
  ["at a multiple of a floor", { target: AT_MOST_TWICE, measures: [200, 200, 200] }, "met"],
  ["above it", { target: AT_MOST_TWICE, measures: [201, 201, 201] }, "missed"],
  ["at a plain figure", { target: { atLeast: 70 }, measures: [70, 70, 70] }, "met"],
  ["below that", { target: { atLeast: 70 }, measures: [69, 69, 69] }, "missed"],
])("a target is met at its very bound: %s", (_, { target, measures }, verdict) => {
  expect(verdictOf(target, measures)).toBe(verdict);
});

test("rounds that lie on both sides of a target are too noisy to tell", () => {
  expect(verdictOf(AT_LEAST_HALF, [40, 55, 60])).toBe("too noisy to tell");
  expect(verdictOf(AT_LEAST_HALF, [40, 45, 60])).toBe("too noisy to tell");
});

test("rounds that agree within a tenth are told by their median", () => {
  expect(verdictOf(AT_LEAST_HALF, [49, 50, 52])).toBe("met");
  expect(verdictOf(AT_LEAST_HALF, [48, 49, 51])).toBe("missed");
});

test("however far apart, rounds on one side of a target are enough", () => {
  expect(verdictOf(AT_LEAST_HALF, [60, 90, 300])).toBe("met");
  expect(verdictOf(AT_MOST_TWICE, [210, 500, 900])).toBe("missed");
});

test("on a machine that others use nothing is called missed", () => {
  expect(verdictOf(AT_LEAST_HALF, [30, 30, 30], 0.1)).toBe("missed");
  expect(verdictOf(AT_LEAST_HALF, [30, 30, 30], 0.11)).toBe("too noisy to tell");
});

test.each<[string, { readonly target: Target; readonly near: number; readonly far: number }]>([
  ["a floor's share", { target: AT_LEAST_HALF, near: 64, far: 66 }],
  ["a multiple of a floor", { target: AT_MOST_TWICE, near: 141, far: 139 }],
  ["a plain figure", { target: { atLeast: 100 }, near: 129, far: 131 }],
])("nor met that is within three tenths of %s", (_, { target, near, far }) => {
  expect(verdictOf(target, [near, near, near])).toBe("met");
  expect(verdictOf(target, [near, near, near], 0.11)).toBe("too noisy to tell");
  expect(verdictOf(target, [far, far, far], 0.11)).toBe("met");
});

test("of less than three rounds nothing is told: they have no spread", () => {
  expect(verdictOf(AT_LEAST_HALF, [90])).toBe("too few rounds");
  expect(verdictOf(AT_LEAST_HALF, [10, 10])).toBe("too few rounds");
  expect(verdictOf(AT_LEAST_HALF, [90, 90, 90])).toBe("met");
});

test("a target is described with its direction", () => {
  expect(describeTarget(AT_LEAST_HALF)).toBe("≥ 0.5 ×");
  expect(describeTarget(AT_MOST_TWICE)).toBe("≤ 2 ×");
  expect(describeTarget({ atLeast: 200_000 })).toBe("≥ 200,000");
});
