import { expect, test } from "vitest";
import { JudgeMissing, theJudge } from "../../../src/kernel/rules/judge.ts";

test("[CD5] without a judge there is no verdict, and with one there is", async () => {
  expect(() => theJudge()).toThrow(JudgeMissing);
  await import("../../../src/kernel/condition/condition.ts");
  expect(theJudge().checkCondition("true")).toEqual({ ok: true });
});
