// Leases that are over and not yet recorded as lapsed. A decision records a limited number of them
// first, those whose end was earliest; a crowd of others keeps that number busy here.
import { describe, expect, test } from "vitest";
import type { EventKind } from "../../../src/kernel/event.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import {
  acquire,
  act,
  enactLanes,
  leaseOf,
  renew,
  revoke,
  TTL_MS,
} from "../../support/lease-scenario.ts";
import {
  after,
  create,
  enact,
  given,
  idOf,
  start,
  START_MS,
  type Step,
} from "../../support/scenario.ts";

const CROWD_MS = 1_000;
/** As long as what is overdue in these plays was granted for. */
const SHORT_MS = 2_000;
const short = { ttl_ms: SHORT_MS };

/** As many leases as one decision records as lapsed. */
const CROWD = Array.from({ length: LIMITS.leaseLapsesPerDecisionMax }, (_, index) =>
  acquire(`crowd-${index}`, `crowd/${index}`, { ttl_ms: CROWD_MS }),
);

/** What of all that happened is not of the crowd. */
function kindsOf(step: Step, ...before: readonly (Step | readonly Step[])[]): readonly EventKind[] {
  const { play } = given(...before, CROWD, after(SHORT_MS));
  const overdue = [...play.state.book.leases.keys()];
  const decision = play.take(step);
  const events = decision?.events ?? [];
  const lapses = events.slice(0, LIMITS.leaseLapsesPerDecisionMax);
  expect(lapses.every(({ kind }) => kind === "lease.lapsed")).toBe(true);
  expect(overdue.length).toBeGreaterThan(lapses.length);
  const code = decision?.refusal?.code;
  if (code !== undefined) throw new Error(`the step must be granted, got ${code}`);
  return events.slice(lapses.length).map(({ kind }) => kind);
}

describe("what is over and not yet recorded", () => {
  test("[LS7] is not the answer for who asks for it again, by its key or without", () => {
    const again = acquire("ann", "src/**");
    expect(kindsOf(again, create(), acquire("ann", "src/**", short))).toEqual(["lease.granted"]);
    const keyed = acquire("ann", "docs/**", { key: "k" });
    const before = acquire("ann", "src/**", { ...short, key: "k" });
    expect(kindsOf(keyed, create(), before)).toEqual(["lease.granted"]);
  });

  const release = { lanes: ["release"] };
  const lanes = enactLanes([{ name: "release", region: ["dist/**"], alone: true }]);

  test("[LS7] is in the way of no lane that runs alone", () => {
    const held = acquire("ann", "src/**", short);
    expect(kindsOf(acquire("bob", release), create(), lanes, held)).toEqual(["lease.granted"]);
  });

  test("[LS7] takes no slot of its lane", () => {
    const web = enactLanes([{ name: "web", region: ["web/**"], slots: 1 }]);
    const slot = { lanes: ["web"] };
    const held = acquire("ann", { ...slot, ...short });
    expect(kindsOf(acquire("bob", slot), create(), web, held)).toEqual(["lease.granted"]);
  });

  test("[LC4] does not count for a condition on leases", () => {
    const lease_deny_when = [{ name: "some", when: "active_leases > 0 || held > 0" }];
    const steps = [create(), acquire("ann", "src/**", short)];
    const play = given(...steps, CROWD, enact({ lease_deny_when }), after(SHORT_MS));
    const { events } = play.when(acquire("ann", "docs/**")).decision;
    expect(events.at(-1)?.kind).toBe("lease.granted");
  });

  test("[LS34] is not renewed", () => {
    const { play } = given(create(), acquire("ann", "src/**", short), CROWD, after(SHORT_MS));
    expect(play.take(renew("ann"))?.refusal?.code).toBe("lease_ended");
    expect(leaseOf(play, "ann").expires_at_ms).toBe(START_MS + SHORT_MS);
  });
});

describe("what is lent", () => {
  const family = [
    create(),
    start("a"),
    start("b", { under: "a" }),
    start("c"),
    acquire("@a", "src/**"),
  ] as const;

  const lend = (ttl_ms: number) =>
    act(["lease.split", "@a"], { region: ["src/x/**"], to: idOf("b"), ttl_ms }, { as: "@a" });

  test("[LS54] and is over is not revoked with its lender, recorded or not", () => {
    expect(kindsOf(revoke("@a"), ...family, lend(SHORT_MS))).toEqual(["lease.revoked"]);
  });

  test("[LS53] is not bound by a lender that is over, recorded or not", () => {
    const data = { to: { worker: idOf("c") }, ttl_ms: SHORT_MS };
    const over = act(["lease.hand_over", "@a"], data);
    const { play } = given(...family, lend(TTL_MS), over, CROWD, after(TTL_MS / 2));
    const events = play.take(renew("@b"))?.events ?? [];
    expect(events.at(-1)).toMatchObject({
      kind: "lease.renewed",
      data: { expires_at_ms: START_MS + TTL_MS / 2 + TTL_MS },
    });
  });
});
