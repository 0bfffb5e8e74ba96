import { describe, expect, test } from "vitest";
import { REFUSAL_CODES } from "../../../src/kernel/refusal.ts";
import { PROBLEMS } from "../../../src/protocol/problem.ts";
import { expectFirst, nameOf, pairsOf, type Obstacle } from "../../support/precedence.ts";
import {
  admit,
  ask,
  create,
  enact,
  given,
  idOf,
  kill,
  observe,
  pause,
  quarantine,
  register,
  start,
  stop,
} from "../../support/scenario.ts";

type Request = Parameters<typeof admit>[1] & object;

const base = [
  create({ cooldown_ms: 0 }),
  ...start("r"),
  ...start("p", { under: "r", budget: { cpu_milli: 100 } }),
  admit("c", { under: "p", budget: { cpu_milli: 10 } }),
  register("c"),
];

/** In the order in which they are checked: AD17. */
const order: readonly Obstacle<Request>[] = [
  { code: "fleet_killed", stage: 3, steps: [kill], not: ["fleet_paused"] },
  { code: "fleet_paused", stage: 3, steps: [pause] },
  {
    code: "parent_unknown",
    request: { under: "nobody" },
    not: ["parent_not_running", "parent_quarantined", "parent_stale"],
  },
  {
    code: "parent_not_running",
    stage: 2,
    steps: [stop("p")],
    not: ["parent_quarantined", "parent_stale"],
  },
  { code: "parent_quarantined", stage: 2, steps: [quarantine("p")], not: ["parent_stale"] },
  { code: "parent_stale", stage: 2, steps: [observe("p", { silent_ms: 30_000 })] },
  { code: "max_replicas", steps: [enact({ max_replicas: 3 })] },
  { code: "max_total", steps: [enact({ max_total: 3 })] },
  { code: "cooldown", steps: [enact({ cooldown_ms: 1_000 })] },
  { code: "depth_mismatch", request: { depth: 7 } },
  { code: "max_depth", steps: [enact({ max_depth: 1 })] },
  { code: "containment_too_weak", request: { degraded: ["same_user"] } },
  { code: "rights_exceeded", request: { network: "open" } },
  { code: "region_invalid", request: { regions: ["a//b"] }, not: ["region_too_large"] },
  { code: "region_too_large", request: { regions: ["{a,b}".repeat(11)] } },
  { code: "budget_exceeded", request: { budget: { cpu_milli: 91 } } },
  { code: "stop_condition", steps: [enact({ stop: [{ name: "never", when: "true" }] })] },
  { code: "instance_taken", request: { instance: idOf("c") } },
];

const play = {
  base,
  command: (request: Partial<Request>) =>
    admit("x", { under: "p", budget: { cpu_milli: 1 }, ...request }),
};

describe("[AD17] the checks of an admission have one order", () => {
  test("without an obstacle it is granted", () => {
    given(...base)
      .when(play.command({}))
      .happens("worker.admitted");
  });

  test.each(order.map((obstacle) => ({ name: nameOf(obstacle), obstacle })))(
    "$name alone refuses",
    ({ obstacle }) => {
      expectFirst([obstacle], play);
    },
  );

  test.each(
    pairsOf(order).map(({ first, second }) => ({
      earlier: nameOf(first),
      later: nameOf(second),
      first,
      second,
    })),
  )("$earlier comes before $later", ({ first, second }) => {
    expectFirst([first, second], play);
  });

  test("[AD17] the table has every code of an admission whose actor may ask", () => {
    const given = new Set(order.map(({ code }) => code));
    const can = REFUSAL_CODES.filter((code) => {
      const { by, commands } = PROBLEMS[code];
      return by === "kernel" && commands.includes("worker.admit");
    });
    expect(new Set(can).difference(given)).toStrictEqual(
      new Set(["not_authorised", "fleet_unknown"]),
    );
    expect(given.difference(new Set(can))).toStrictEqual(new Set());
  });

  test("[AD17] who may not ask is told so before anything else of the fleet", () => {
    const by = { kind: "worker", id: idOf("c"), via: "socket" } as const;
    given(...base, kill)
      .when(admit("x", { under: "p", by }))
      .refused("not_authorised");
    given(...base, kill)
      .when(ask("fleet.resume", { reason: "play" }, { by }))
      .refused("not_authorised");
  });
});
