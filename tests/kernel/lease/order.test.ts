import { describe, test } from "vitest";
import type { CommandMap } from "../../../src/kernel/command.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { acquire, enactLanes, TTL_MS } from "../../support/lease-scenario.ts";
import { expectFirst, nameOf, pairsOf, type Obstacle } from "../../support/precedence.ts";
import {
  ask,
  create,
  enact,
  idOf,
  kill,
  observe,
  pause,
  quarantine,
  start,
  stop,
  type Step,
} from "../../support/scenario.ts";

type Request = CommandMap["lease.acquire"];

const LANES = [
  { name: "one", region: ["one/**"], slots: 1 },
  { name: "two", region: ["two/**"] },
];

const BASE: readonly Step[] = [
  create(),
  enactLanes(LANES),
  ...start("a", { regions: ["src/**", "one/**", "two/**"] }),
];

const MANY = Array.from({ length: LIMITS.regionAlternativesMax + 1 }, (_, index) => `src/${index}`);

/** A worker asks for a region, unless an obstacle is of lanes. */
function wish(request: Partial<Request>): Step {
  const { lanes, region, ...others } = request;
  const ground = lanes === undefined ? { region: region ?? ["src/a"] } : { lanes };
  const data = { holder: { worker: idOf("a") }, ttl_ms: TTL_MS, ...ground, ...others };
  return ask("lease.acquire", data);
}

const OF_HOLDER = ["holder_ended", "holder_quarantined", "holder_stale"];
const OF_REGION = ["region_invalid", "region_too_large", "rights_exceeded"];

const TABLE: readonly Obstacle<Partial<Request>>[] = [
  { code: "fleet_killed", stage: 3, steps: [kill], not: ["fleet_paused"] },
  { code: "fleet_paused", stage: 3, steps: [pause] },
  { code: "holder_ended", stage: 2, steps: [stop("a")], not: OF_HOLDER },
  { code: "holder_quarantined", stage: 2, steps: [quarantine("a")], not: OF_HOLDER },
  { code: "holder_stale", stage: 2, steps: [observe("a", { silent_ms: 60_000 })] },
  {
    code: "region_invalid",
    request: { region: ["src/["] },
    not: [
      ...OF_REGION,
      "lane_unknown",
      "limit_exceeded",
      "lease_condition",
      "conflict",
      "slots_full",
    ],
  },
  {
    code: "region_too_large",
    request: { region: MANY },
    not: [
      ...OF_REGION,
      "lane_unknown",
      "limit_exceeded",
      "lease_condition",
      "conflict",
      "slots_full",
    ],
  },
  { code: "rights_exceeded", request: { region: ["docs/a"] }, not: ["lane_unknown", "slots_full"] },
  {
    code: "lane_unknown",
    request: { lanes: ["three"] },
    not: ["limit_exceeded", "lease_condition", "conflict", "slots_full"],
  },
  {
    code: "limit_exceeded",
    steps: Array.from({ length: LIMITS.leasesPerHolderMax }, (_, index) =>
      acquire("@a", `src/f/${index}`),
    ),
  },
  {
    code: "lease_condition",
    stage: 2,
    steps: [enact({ lease_deny_when: [{ name: "no", when: "true" }] })],
  },
  { code: "conflict", steps: [acquire("bob", "src/a")], not: ["slots_full"] },
  { code: "slots_full", steps: [acquire("bob", { lanes: ["one"] })], request: { lanes: ["one"] } },
];

describe("[LS2] the checks of an acquisition have one order", () => {
  test.each(TABLE.map((one) => ({ name: nameOf(one), one })))("$name", ({ one }) => {
    expectFirst<Partial<Request>>([one], { base: BASE, command: wish });
  });
  test.each(
    pairsOf(TABLE).map(({ first, second }) => ({
      pair: `${nameOf(first)} before ${nameOf(second)}`,
      first,
      second,
    })),
  )("$pair", ({ first, second }) => {
    expectFirst<Partial<Request>>([first, second], { base: BASE, command: wish });
  });
});
