import { describe, expect, test } from "vitest";
import type { Budget } from "../../../src/kernel/budget/budget.ts";
import {
  admit,
  after,
  charge,
  create,
  exited,
  given,
  idOf,
  self,
  start,
  SUPERVISOR,
  type Step,
} from "../../support/scenario.ts";

const DAY_MS = 86_400_000;

function root(budget: Budget): readonly Step[] {
  return start("p", { budget });
}

describe("capacity", () => {
  test("[BG1] capacity is carved from what the parent has free (replication A12)", () => {
    const line = [
      create(),
      ...root({ cpu_milli: 500, memory_bytes: 100, processes: 8 }),
      ...start("a", { under: "p", budget: { cpu_milli: 300, memory_bytes: 40, processes: 3 } }),
    ];
    given(line)
      .when(admit("b", { under: "p", budget: { cpu_milli: 200, memory_bytes: 60, processes: 5 } }))
      .happens("worker.admitted");
    for (const [key, amount, free] of [
      ["cpu_milli", 201, 200],
      ["memory_bytes", 61, 60],
      ["processes", 6, 5],
    ] as const)
      given(line)
        .when(admit("b", { under: "p", budget: { [key]: amount } }))
        .refused("budget_exceeded", { key, asked: amount, free });
  });

  test("[BG1] it returns whole with the worker's end, however much was used", () => {
    const play = given(create(), root({ cpu_milli: 500 }), start("a", { under: "p" }), exited("a"))
      .when(admit("b", { under: "p", budget: { cpu_milli: 500 } }))
      .happens("worker.admitted");
    expect(play.worker("p").spent).toStrictEqual({});
  });

  test("[BG1] a parent half a core wide has no child of 512 cores (replication A12)", () => {
    given(create(), root({ cpu_milli: 500, memory_bytes: 256 }))
      .when(admit("a", { under: "p", budget: { cpu_milli: 512_000, memory_bytes: 10 ** 13 } }))
      .refused("budget_exceeded", { key: "cpu_milli" });
  });

  test("[BG2] what is not asked for is half of what the parent has free, rounded down", () => {
    const { play } = given(
      create(),
      root({ cpu_milli: 101, spawns: 12, units: { tokens: 9 } }),
      start("a", { under: "p" }),
      start("b", { under: "p" }),
    );
    expect(play.worker("a").granted).toMatchObject({
      cpu_milli: 50,
      spawns: 5,
      units: { tokens: 4 },
    });
    expect(play.worker("b").granted).toMatchObject({
      cpu_milli: 25,
      spawns: 2,
      units: { tokens: 2 },
    });
  });

  test("[BG3] nobody is given a capacity of nothing", () => {
    given(create(), root({ cpu_milli: 2 }))
      .when(admit("a", { under: "p" }))
      .happens("worker.admitted");
    given(create(), root({ cpu_milli: 1 }))
      .when(admit("a", { under: "p" }))
      .refused("budget_exceeded", { key: "cpu_milli", asked: 0, free: 1 });
    given(create(), root({ cpu_milli: 1 }))
      .when(admit("a", { under: "p", budget: { cpu_milli: 1 } }))
      .happens("worker.admitted");
  });

  test("[BG4] the contract's default for children comes first, and is not cut down either", () => {
    const contract = create({ default_child: { cpu_milli: 30, units: { tokens: 5 } } });
    const { play } = given(contract, root({ cpu_milli: 100 }), start("a", { under: "p" }));
    expect(play.worker("a").granted).toMatchObject({ cpu_milli: 30, units: { tokens: 5 } });
    given(contract, root({ cpu_milli: 29 }))
      .when(admit("a", { under: "p" }))
      .refused("budget_exceeded", { key: "cpu_milli", asked: 30, free: 29 });
  });

  test("[BG5] a root is given what it asks for of the contract's budget, or all of it", () => {
    const contract = create({ budget: { cpu_milli: 100, units: { tokens: 7 } } });
    const { play } = given(contract, start("a"), start("b", { budget: { cpu_milli: 100 } }));
    expect(play.worker("a").granted).toMatchObject({ cpu_milli: 100, units: { tokens: 7 } });
    given(contract)
      .when(admit("c", { budget: { cpu_milli: 101 } }))
      .refused("budget_exceeded", { free: 100 });
    given(contract)
      .when(admit("c", { budget: { units: { tokens: 8 } } }))
      .refused("budget_exceeded", { key: "units.tokens", free: 7 });
  });

  test("[BG6] what nothing bounds is unlimited, until somebody asks for a bound", () => {
    const { play } = given(
      create(),
      root({}),
      start("a", { under: "p", budget: { cpu_milli: 10 ** 9, units: { tokens: 5 } } }),
      charge("p", { units: { tokens: 10 ** 9 }, cpu_ms: 10 ** 9 }),
    );
    expect(play.worker("p")).toMatchObject({ status: "running", reserved: {}, spent: {} });
    expect(play.worker("a").granted).toMatchObject({ cpu_milli: 10 ** 9, units: { tokens: 5 } });
    play.take(exited("a"));
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: {} });
  });
});

describe("bounds", () => {
  test.each(["lifetime_ms", "wall_ms"] as const)(
    "[BG7] a child's %s is at most its parent's",
    (key) => {
      given(create(), root({ [key]: 50_000 }))
        .when(admit("a", { under: "p", budget: { [key]: 50_000 } }))
        .happens("worker.admitted");
      given(create(), root({ [key]: 50_000 }))
        .when(admit("a", { under: "p", budget: { [key]: 50_001 } }))
        .refused("budget_exceeded", { key, asked: 50_001, free: 50_000 });
    },
  );

  test("[BG7] a default is cut to the parent's bound, a lifetime to the contract's", () => {
    const { play } = given(
      create({ default_child: { lifetime_ms: 70_000 } }),
      root({ lifetime_ms: 50_000 }),
      start("a", { under: "p" }),
      start("b"),
    );
    expect(play.worker("a").granted.lifetime_ms).toBe(50_000);
    expect(play.worker("b").granted).toStrictEqual({ lifetime_ms: DAY_MS });
    given(create())
      .when(admit("c", { budget: { lifetime_ms: DAY_MS + 1 } }))
      .refused("budget_exceeded", { key: "lifetime_ms" });
  });
});

describe("spawns", () => {
  test("[BG8] every admission costs its parent one spawn, for good", () => {
    const line = [
      create(),
      ...root({ spawns: 2 }),
      ...start("a", { under: "p", budget: { spawns: 0 } }),
    ];
    given(line, exited("a"))
      .when(admit("b", { under: "p", budget: { spawns: 0 } }))
      .happens("worker.admitted");
    given(line, exited("a"), start("b", { under: "p", budget: { spawns: 0 } }), exited("b"))
      .when(admit("c", { under: "p", budget: { spawns: 0 } }))
      .refused("budget_exceeded", { key: "spawns", free: 0 });
  });

  test("[BG8] without a spawn left nobody is admitted, asked for or by default", () => {
    for (const budget of [{}, { spawns: 0 }])
      given(create(), root({ spawns: 0 }))
        .when(admit("a", { under: "p", budget }))
        .refused("budget_exceeded", { key: "spawns", free: 0 });
  });

  test("[BG8] what a child may spawn comes out of its parent's, and one for itself", () => {
    given(create(), root({ spawns: 5 }))
      .when(admit("a", { under: "p", budget: { spawns: 4 } }))
      .happens("worker.admitted");
    given(create(), root({ spawns: 5 }))
      .when(admit("a", { under: "p", budget: { spawns: 5 } }))
      .refused("budget_exceeded", { key: "spawns", asked: 5, free: 4 });
  });

  test("[BG8] unused spawns return with the dead, used ones do not", () => {
    const { play } = given(
      create(),
      root({ spawns: 10 }),
      start("a", { under: "p", budget: { spawns: 6 } }),
      start("b", { under: "a", budget: { spawns: 0 } }),
      exited("b"),
      exited("a"),
    );
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: { spawns: 2 } });
  });
});

describe("consumables", () => {
  const tokens = (amount: number) => ({ units: { tokens: amount } });
  const line = [create(), ...root(tokens(100)), ...start("a", { under: "p", budget: tokens(40) })];

  test("[BG9] measured outside, only what is unspent returns to the parent", () => {
    const { play } = given(line, charge("a", tokens(15)), charge("a", tokens(10)), exited("a"));
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: { "units.tokens": 25 } });
    expect(play.take(admit("b", { under: "p", budget: tokens(76) }))?.refusal?.facts).toMatchObject(
      {
        free: 75,
      },
    );
  });

  test("[BG10] a unit that nothing outside measures counts as wholly spent at the end", () => {
    const { play } = given(line, exited("a"));
    expect(play.worker("p").spent).toStrictEqual({ "units.tokens": 40 });
  });

  test("[BG11] a worker's own charge is claimed: it adds and measures nothing", () => {
    const play = given(line)
      .when(charge("a", tokens(5), self("a")))
      .happens({ kind: "budget.charged", data: { claimed: true } });
    expect(play.worker("a")).toMatchObject({ spent: { "units.tokens": 5 }, metered: [] });
    play.take(exited("a"));
    expect(play.worker("p").spent).toStrictEqual({ "units.tokens": 40 });
    given(line)
      .when(charge("a", tokens(5), SUPERVISOR))
      .happens({ kind: "budget.charged", data: { claimed: false } });
    given(line)
      .when(charge("a", tokens(5), self("p")))
      .refused("not_authorised");
  });

  test("[BG12] one that used more than it was given is told to stop, all of it counted", () => {
    const play = given(line, charge("a", tokens(40)))
      .when(charge("a", tokens(1)))
      .happens("budget.charged", { kind: "worker.stopping", data: { reason: "budget_spent" } });
    expect(play.worker("a").spent).toStrictEqual({ "units.tokens": 41 });
    play.take(exited("a"));
    expect(play.worker("p").spent).toStrictEqual({ "units.tokens": 41 });
    given(line)
      .when(charge("a", tokens(40)))
      .happens("budget.charged");
  });

  test("[BG12] what it claims to have used beyond what it was given is counted too", () => {
    const { play } = given(line, charge("a", tokens(41), self("a")), exited("a"));
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: { "units.tokens": 41 } });
  });

  test("[BG12] what it has given its children it cannot use itself", () => {
    given(line)
      .when(charge("p", tokens(60)))
      .happens("budget.charged");
    given(line)
      .when(charge("p", tokens(61)))
      .happens("budget.charged", { kind: "worker.stopping", data: { worker: idOf("p") } });
  });

  test("[BG13] what a dead worker's living children hold stays carved, level by level", () => {
    const { play } = given(
      create({ on_orphan: "keep" }),
      root(tokens(100)),
      start("a", { under: "p", budget: tokens(40) }),
      start("b", { under: "a", budget: tokens(30) }),
      charge("a", tokens(4)),
      charge("b", tokens(3)),
      exited("a"),
    );
    expect(play.worker("p")).toMatchObject({
      reserved: { "units.tokens": 30 },
      spent: { "units.tokens": 4 },
    });
    play.take(exited("b"));
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: { "units.tokens": 7 } });
  });

  test("[BG14] measured cpu time counts at the end, beside what descendants used", () => {
    const { play } = given(
      create(),
      root({ cpu_ms: 1_000 }),
      start("a", { under: "p", budget: { cpu_ms: 500 } }),
      start("b", { under: "a", budget: { cpu_ms: 200 } }),
      exited("b", { exit_code: 0, cpu_ms: 80 }),
    );
    expect(play.worker("a")).toMatchObject({ reserved: {}, spent: { cpu_ms: 80 } });
    play.take(charge("a", { cpu_ms: 60 }));
    play.take(exited("a", { exit_code: 0, cpu_ms: 100 }));
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: { cpu_ms: 180 } });
  });

  test("[BG14] a measure below what was charged takes nothing back", () => {
    const { play } = given(
      create(),
      root({ cpu_ms: 1_000 }),
      start("a", { under: "p", budget: { cpu_ms: 500 } }),
      charge("a", { cpu_ms: 60 }),
      exited("a", { exit_code: 0, cpu_ms: 10 }),
    );
    expect(play.worker("p").spent).toStrictEqual({ cpu_ms: 60 });
  });

  test("[BG10] a reservation that lapsed has used nothing", () => {
    const { play } = given(
      create(),
      root(tokens(100)),
      admit("a", { under: "p", budget: tokens(40) }),
      after(30_000),
    );
    play.take(charge("p", tokens(1)));
    expect(play.worker("p")).toMatchObject({ reserved: {}, spent: { "units.tokens": 1 } });
  });
});
