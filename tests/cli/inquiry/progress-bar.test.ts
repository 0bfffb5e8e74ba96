import { expect, test } from "vitest";
import { ProgressBar } from "../../../src/cli/record/progress-bar.ts";

function rig(isTerminal = true) {
  const written: string[] = [];
  const interrupt = new AbortController();
  let nowMs = 0;
  const bar = new ProgressBar(
    { isTerminal, signal: interrupt.signal },
    { doing: "deciding", endCount: 2_000, write: (text) => written.push(text), nowMs: () => nowMs },
  );
  const tell = (count: number, laterMs = 100): void => {
    nowMs += laterMs;
    bar.tell(count);
  };
  return { bar, tell, written, interrupt };
}

test("[WI9] progress is one line that is drawn over, and is gone at the end", () => {
  const { bar, tell, written } = rig();
  tell(0);
  tell(500);
  tell(600, 99);
  tell(2_000);
  bar.end();
  bar.end();
  const [first, second, last, gone, ...others] = written;
  expect(first).toBe(`\rdeciding [${".".repeat(24)}]   0 % of 2,000`);
  expect(second).toBe(`\rdeciding [${"#".repeat(6)}${".".repeat(18)}]  25 % of 2,000`);
  expect(last).toBe(`\rdeciding [${"#".repeat(24)}] 100 % of 2,000`);
  expect(gone).toBe(`\r${" ".repeat(String(last).length - 1)}\r`);
  expect(others).toEqual([]);
});

test("[WI9] where nobody sits at a terminal there is none", () => {
  const { bar, tell, written } = rig(false);
  tell(500);
  bar.end();
  expect(written).toEqual([]);
});

test("[WI9] an interrupt ends what it is about", () => {
  const { tell, interrupt } = rig();
  interrupt.abort(new Error("enough"));
  expect(() => tell(1)).toThrow("enough");
});
