// A lease that lapses in a decision is dropped from the state before its command is judged, and
// whoever looked before the decision still found it there: found by the simulator.
import { describe, expect, test } from "vitest";
import { acquire, holder, TTL_MS } from "../../support/lease-scenario.ts";
import {
  admit,
  after,
  ask,
  create,
  exited,
  given,
  idOf,
  start,
  type Step,
} from "../../support/scenario.ts";

const base: readonly Step[] = [
  create({ register_within_ms: TTL_MS, on_orphan: "keep" }),
  ...start("a"),
  ...start("b"),
  exited("b"),
  acquire("@a", "src/**"),
  after(TTL_MS),
];

describe("a lease that lapses in the very decision about it", () => {
  test("[LS34] it has ended, it is not unknown, also to one who ended long before", () => {
    const data = { lease: "l-7", claim: holder("@a") };
    const over = ask("lease.hand_over", { ...data, to: holder("@b") }, { ended: idOf("b") });
    const lent = { ...data, region: ["src/**"], to: idOf("b"), ttl_ms: TTL_MS };
    for (const step of [over, ask("lease.split", lent, { ended: idOf("b") })]) {
      const outcome = given(base).when(step);
      expect(outcome.decision.events[0]?.kind).toBe("lease.lapsed");
      outcome.refused("lease_ended", { lease_id: "l-7" });
    }
  });

  test("[LS34] what ended before it counts before what lapses with it", () => {
    const steps: readonly Step[] = [
      create({ register_within_ms: TTL_MS }),
      ...start("a"),
      admit("b"),
      after(TTL_MS),
    ];
    const data = { lease: "l-2", claim: holder("@a"), to: holder("@b") };
    const outcome = given(steps).when(ask("lease.hand_over", data, { ended: "l-2" }));
    expect(outcome.decision.events[0]?.kind).toBe("worker.lapsed");
    outcome.refused("lease_ended", { lease_id: "l-2" });
  });
});
