import { describe, expect, test } from "vitest";
import {
  checkCondition,
  checkLeaseCondition,
  evaluateLeaseCondition,
} from "../../../src/kernel/condition/condition.ts";
import type { LeaseContext } from "../../../src/kernel/condition/context/lease.ts";
import { DEFAULT_CONTRACT, wholeContract } from "../../../src/kernel/fleet/contract.ts";
import { acquire, enactLanes } from "../../support/lease-scenario.ts";
import { create, enact, given, start, type Step } from "../../support/scenario.ts";

/** What a condition says when an outside party asks for a region, with what a test changes. */
function answerOf(source: string, changes: Partial<LeaseContext> = {}): boolean | string {
  const verdict = evaluateLeaseCondition(source, {
    holder: { kind: "outside", name: "ci run", id: "", depth: 0 },
    worker: null,
    mode: "exclusive",
    lane: "",
    region: ["src/**", "!src/gen/**"],
    ttl_ms: 300_000,
    key: "",
    run_id: "",
    also_held: [],
    active_leases: 3,
    held: 1,
    active_count: 2,
    contract: DEFAULT_CONTRACT,
    ...changes,
  });
  return "error" in verdict ? verdict.error : verdict.triggered;
}

function problemOf(source: string): string {
  const checked = checkLeaseCondition(source);
  return checked.ok ? "none" : checked.problem;
}

describe("[LC1] a condition on leases uses the names of leases, by their types", () => {
  test.each([
    'holder.kind == "worker" && holder.id != "" && holder.depth > 1',
    'holder.name.startsWith("ci")',
    'worker != null && worker.children_count > 0 && worker.name == "x"',
    'mode == "shared" || lane in ["api", "web"]',
    'region.exists(pattern, pattern.startsWith("src/"))',
    'also_held.exists(other, "src/**" in other)',
    "ttl_ms > 60000 && active_leases + held >= active_count",
    'key == "" && run_id != ""',
    "contract.max_replicas > 5 && size(contract.lease_deny_when) > 0",
  ])("%s", (source) => {
    expect(problemOf(source)).toBe("none");
    expect(typeof answerOf(source)).toBe("boolean");
  });

  test.each([
    ["depth > 1", 'unknown name "depth"'],
    ["parent == null", 'unknown name "parent"'],
    ["holder.age > 1", 'unknown name "age"'],
    ["worker.deth > 1", 'unknown name "deth"'],
    ["contract.max_deep > 1", 'unknown name "max_deep"'],
    ["lane == 1", "no such overload: string == int"],
    ["held", "condition must be bool, got int"],
    ["also_held.exists(r, r.exists(p, true))", "one level of macros"],
    ["region.exists(held, true)", 'a new name for each element; got "held"'],
  ])("%s is refused", (source, problem) => {
    expect(problemOf(source)).toContain(problem);
    expect(answerOf(source)).toBe(problemOf(source));
  });

  test("what is of leases is unknown to a stop condition, whichever was checked first", () => {
    for (const source of ["held > 1", "active_count > 1"])
      expect(checkLeaseCondition(source).ok).toBe(true);
    expect(checkCondition("held > 1")).toMatchObject({ ok: false });
    expect(checkCondition("depth > 1").ok).toBe(true);
    expect(checkLeaseCondition("depth > 1")).toMatchObject({ ok: false });
  });
});

describe("[LC2] what a condition on leases says", () => {
  test.each([
    ["held >= 1", {}, true],
    ["held >= 1", { held: 0 }, false],
    ['holder.depth > 0 || holder.id != ""', {}, false],
    ['lane == "" && key == ""', {}, true],
    ['"!src/gen/**" in region', {}, true],
    ["size(also_held) == 0", {}, true],
    ['also_held.exists(other, "a" in other)', { also_held: [["b"], ["a"]] }, true],
    ["worker == null", {}, true],
  ])("%s with %j: %s", (source, changes, answer) => {
    expect(answerOf(source, changes)).toBe(answer);
  });

  test("nothing but a field of nobody's worker fails, and failing is an error", () => {
    expect(answerOf('worker.name == "x"')).toBe('field "name" must be read from a map, got null');
    expect(answerOf('worker != null && worker.name == "x"')).toBe(false);
  });
});

describe("[LC3] conditions on leases are checked when they are enacted", () => {
  const broken = { lease_deny_when: [{ name: "odd", when: "depth > 1" }] };

  test("with a new fleet", () => {
    given().when(create(broken)).refused("contract_invalid", { condition: "odd" });
  });

  test("with another contract, whose stop conditions are told by their own noun", () => {
    const refused = given(create()).when(enact(broken));
    refused.refused("contract_invalid", { condition: "odd", when: "depth > 1" });
    expect(refused.decision.refusal?.message).toMatch(/^condition on leases "odd": /);
    const stop = given(create()).when(enact({ stop: [{ name: "odd", when: "held > 1" }] }));
    expect(stop.decision.refusal?.message).toMatch(/^stop condition "odd": /);
  });
});

describe("[LC4] what a condition on leases is asked about", () => {
  const api = { name: "api", region: ["src/api/**"], aliases: ["http"] };
  const fleet: readonly Step[] = [create(), enactLanes([api]), ...start("p")];
  const kids = [...fleet, ...start("k", { under: "p" })];

  /** Whether a condition of this source is what refuses a step. */
  function denies(when: string, steps: readonly Step[], step: Step): boolean {
    const play = given(...steps, enact({ lease_deny_when: [{ name: "one", when }] }));
    const code = play.play.take(step)?.refusal?.code;
    if (code !== undefined && code !== "lease_condition") throw new Error(`got ${code}`);
    return code !== undefined;
  }

  test("the fleet before the lease counts, and of the holder's own what is live", () => {
    const two = [...kids, acquire("@k", "a"), acquire("bob", "b")];
    const ask = acquire("@k", "c");
    expect(denies("active_leases != 2 || held != 1 || active_count != 2", two, ask)).toBe(false);
  });

  test("a worker by name, id and depth, with its parent's view of it", () => {
    const is = 'holder.kind == "worker" && holder.name == "k" && holder.depth == 1';
    const same = "worker.id == holder.id && worker.depth == 1";
    expect(denies(`${is} && ${same}`, kids, acquire("@k", "a"))).toBe(true);
    expect(denies(is, kids, acquire("@p", "a"))).toBe(false);
  });

  test("an outside party by the name that it gave", () => {
    const is = 'holder.kind == "outside" && holder.name == "bob" && worker == null';
    expect(denies(is, kids, acquire("bob", "a"))).toBe(true);
  });

  test("a lane by its own name, its region, and the mode that would be granted", () => {
    const is = 'lane == "api" && region == ["src/api/**"] && mode == "exclusive"';
    expect(denies(is, kids, acquire("bob", { lanes: ["http"] }))).toBe(true);
    expect(denies(`!(${is})`, kids, acquire("bob", { lanes: ["http"] }))).toBe(false);
  });

  test("ttl, key, run and what counts as held, as they were given", () => {
    const is = 'ttl_ms == 5000 && key == "k" && run_id == "r" && also_held == [["x/**"]]';
    const more = { ttl_ms: 5_000, key: "k", run_id: "r", also_held: [["x/**"]] };
    expect(denies(is, kids, acquire("bob", "a", more))).toBe(true);
    expect(denies(is, kids, acquire("bob", "a"))).toBe(false);
  });
});

test("[LC5] a contract that was journaled before there were such conditions has none", () => {
  const { lease_deny_when: _, ...older } = DEFAULT_CONTRACT;
  expect(wholeContract(older as typeof DEFAULT_CONTRACT)).toStrictEqual(DEFAULT_CONTRACT);
  const asked = create();
  const step: Step = (play) => {
    const { command, by } = asked(play);
    const data = { ...command.data, contract: older };
    return { by, command: { ...command, data } as unknown as typeof command };
  };
  const { play } = given(step, acquire("ann", "a"));
  expect(play.state.contract).toStrictEqual(DEFAULT_CONTRACT);
});
