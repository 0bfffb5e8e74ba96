import { describe, expect, test } from "vitest";
import {
  checkCondition,
  checkKillCondition,
  checkLeaseCondition,
  evaluateKillCondition,
  isAboutWorkers,
} from "../../../src/kernel/condition/condition.ts";
import { MEASURE_TYPES } from "../../../src/kernel/condition/context/measure.ts";
import { KILL_ACTIONS, type KillCondition } from "../../../src/kernel/fleet/contract.ts";
import { wholeContract, DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";
import { HOGS, measuresOf } from "../../support/measures.ts";
import { create, enact, given } from "../../support/scenario.ts";

const condition = (when: string, action: KillCondition["action"] = "kill"): KillCondition => ({
  name: "one",
  when,
  for_ms: 0,
  action,
});

const problemOf = (when: string, action?: KillCondition["action"]): string => {
  const checked = checkKillCondition(condition(when, action));
  return checked.ok ? "" : checked.problem;
};

describe("[KW1] a kill condition uses the names of the measures, by their types", () => {
  const fields = Object.entries(MEASURE_TYPES).flatMap(([record, types]) =>
    Object.keys(types).map((field) => `${record}.${field}`),
  );

  test.each(fields)("%s is one", (name) => {
    expect(problemOf(`dyn(${name}) == null`)).toBe("");
  });

  test.each(["depth == 1", "active_count > 1", "holder.depth == 1", "contract.max_depth == 1"])(
    "%s is of another vocabulary",
    (source) => expect(problemOf(source)).toContain("unknown name"),
  );

  test("an unknown field, a wrong type and a non-bool are refused", () => {
    expect(problemOf("worker.memory > 1")).toContain('unknown name "memory"');
    expect(problemOf('worker.memory_bytes > "1GiB"')).toContain("valid CEL");
    expect(problemOf("worker.memory_bytes")).toContain("must be bool");
    expect(problemOf("worker.stale")).toBe("");
  });

  test("no other condition sees a measure", () => {
    expect(checkCondition("fleet.active_count > 1").ok).toBe(false);
    expect(checkLeaseCondition("worker.memory_bytes > 1").ok).toBe(false);
  });
});

describe("[KW2] kill conditions are checked when they are enacted", () => {
  test.each(KILL_ACTIONS)("%s", (action) => {
    const isOfWorker = action === "quarantine" || action === "stop";
    expect(problemOf("fleet.active_count > 1", action)).toBe(
      isOfWorker ? `condition must name worker for the action "${action}", got none in it` : "",
    );
    expect(problemOf("fleet.active_count > 1 && worker.depth > 0", action)).toBe("");
  });

  test("a broken one is contract_invalid, by its name", () => {
    const kill_when = [...HOGS, condition("worker.size > 1")];
    const facts = { condition: "one", when: "worker.size > 1" };
    given().when(create({ kill_when })).refused("contract_invalid", facts);
    given(create()).when(enact({ kill_when })).refused("contract_invalid", facts);
    given(create())
      .when(enact({ kill_when: HOGS }))
      .happens("contract.enacted");
  });

  test.each([
    ["worker.depth > 0", true],
    ["fleet.active_count > 0", false],
    ['fleet.units.exists(u, u == "worker")', false],
    ["has(worker.memory_bytes)", true],
    ["fleet.active_count > 0 ? [1, worker.depth].size() > 1 : false", true],
    ["[1].exists(n, n == worker.depth)", true],
    ["!(fleet.active_count > -worker.depth)", true],
    ["worker", false],
  ])("%s names a worker: %s", (source, isOne) => {
    expect(isAboutWorkers(source)).toBe(isOne);
  });
});

describe("[KW9] what was not measured is absent, and a condition on it fails", () => {
  const absent = measuresOf({ worker: {} });

  test("unless it asks whether it is there", () => {
    expect(evaluateKillCondition("worker.memory_bytes > 1", absent)).toEqual({
      error: 'field "memory_bytes" must be present, got nothing',
    });
    const guarded = "has(worker.memory_bytes) && worker.memory_bytes > 1";
    expect(evaluateKillCondition(guarded, absent)).toEqual({ triggered: false });
    const present = measuresOf({ worker: { memory_bytes: 2 } });
    expect(evaluateKillCondition(guarded, present)).toEqual({ triggered: true });
  });

  test("and what an operator counts is read by unit", () => {
    const measures = measuresOf({ worker: { units: { errors: 3 } } });
    const many = "has(worker.units.errors) && worker.units.errors >= 3";
    expect(evaluateKillCondition(many, measures)).toEqual({ triggered: true });
    expect(evaluateKillCondition(many, absent)).toEqual({ triggered: false });
  });
});

test("[KW7] a contract that was journaled before there were kill conditions has none", () => {
  const { kill_when: _, ...older } = DEFAULT_CONTRACT;
  expect(wholeContract(older as typeof DEFAULT_CONTRACT).kill_when).toEqual([]);
});
