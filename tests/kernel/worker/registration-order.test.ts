import { describe, expect, test } from "vitest";
import { REFUSAL_CODES } from "../../../src/kernel/refusal.ts";
import type { Manifest } from "../../../src/kernel/worker/manifest.ts";
import { PROBLEMS } from "../../../src/protocol/problem.ts";
import { expectFirst, nameOf, pairsOf, type Obstacle } from "../../support/precedence.ts";
import {
  admit,
  after,
  create,
  enact,
  given,
  idOf,
  kill,
  pause,
  quarantine,
  register,
  self,
  start,
  stop,
  type Step,
} from "../../support/scenario.ts";

type Request = Partial<Manifest> & { readonly malformed?: boolean };

/** In the order in which they are checked: RG1. */
const order: readonly Obstacle<Request>[] = [
  { code: "manifest_invalid", name: "a malformed envelope", request: { malformed: true } },
  { code: "manifest_invalid", name: "another key", request: { key_id: "k0" } },
  { code: "manifest_foreign", request: { fleet: "f-other" } },
  {
    code: "manifest_invalid",
    name: "another content",
    request: { depth: 2 },
    not: ["manifest_expired", "manifest_used"],
  },
  { code: "manifest_expired", stage: 2, steps: [after(30_000)] },
  { code: "manifest_used", stage: 1, steps: [register("c")] },
  { code: "fleet_killed", stage: 3, steps: [kill], not: ["fleet_paused"] },
  { code: "fleet_paused", stage: 3, steps: [pause] },
  { code: "parent_not_running", stage: 2, steps: [stop("p")], not: ["parent_quarantined"] },
  { code: "parent_quarantined", stage: 2, steps: [quarantine("p")] },
  { code: "max_replicas", steps: [enact({ max_replicas: 1 })] },
  { code: "max_total", steps: [enact({ max_total: 1 })] },
  { code: "max_depth", steps: [enact({ max_depth: 0 })] },
  { code: "stop_condition", steps: [enact({ stop: [{ name: "never", when: "true" }] })] },
  { code: "manifest_used", name: "a withdrawn reservation", stage: 1, steps: [stop("c")] },
];

const base = [create(), ...start("p"), admit("c", { under: "p" })];

const play = {
  base,
  command: ({ malformed, ...changes }: Request): Step =>
    malformed === true
      ? () => ({
          command: { kind: "worker.register", data: { manifest: null, envelope: "form" } },
          by: self("c"),
        })
      : register("c", changes),
};

describe("[RG1] the checks of a registration have one order", () => {
  test("without an obstacle it is granted", () => {
    given(...base)
      .when(play.command({}))
      .happens("worker.registered");
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

  test("[RG1] the table has every code of a registration whose actor may ask", () => {
    const given = new Set(order.map(({ code }) => code));
    const can = REFUSAL_CODES.filter((code) => {
      const { by, commands } = PROBLEMS[code];
      return by === "kernel" && commands.includes("worker.register");
    });
    expect(new Set(can).difference(given)).toStrictEqual(
      new Set(["not_authorised", "fleet_unknown"]),
    );
    expect(given.difference(new Set(can))).toStrictEqual(new Set());
  });

  test("[RG1] who presents the manifest of another is told so before it is looked at", () => {
    given(...base)
      .when(register("c", { fleet: "f-other" }, { by: self("p") }))
      .refused("not_authorised", { expected: ["operator", "supervisor", `worker ${idOf("c")}`] });
  });
});
