import { describe, expect, test } from "vitest";
import type { RefusalCode } from "../../../src/kernel/refusal.ts";
import { failCondition, HOGS, measuresOf, trip, tripFleet } from "../../support/measures.ts";
import {
  admit,
  after,
  create,
  enact,
  exited,
  given,
  idOf,
  kill,
  OPERATOR,
  pause,
  quarantine,
  self,
  start,
  stop,
  SYSTEM,
  unquarantine,
  type Ask,
  type Step,
} from "../../support/scenario.ts";

const watched = [create({ kill_when: HOGS }), start("a")] as const;
const hot = measuresOf({ worker: { memory_bytes: 2_000 } });

describe("[KW3] a trip and what its action does are one piece, with the measures", () => {
  const tripped = { condition: "hog", worker: idOf("a"), measures: hot, held_ms: 1_000 };

  test("quarantine, with the measures as evidence", () => {
    const play = given(...watched)
      .when(trip("a"))
      .happens(
        {
          kind: "condition.tripped",
          data: { ...tripped, when: HOGS[0]?.when, for_ms: 1_000, action: "quarantine" },
        },
        {
          kind: "worker.quarantined",
          data: {
            worker: idOf("a"),
            source: "kill_when",
            severity: "high",
            reason: 'kill condition "hog" held for 1000 ms',
            evidence: { condition: "hog", measures: hot },
          },
        },
      );
    expect(play.worker("a").quarantine?.source).toBe("kill_when");
  });

  test("stop, as tripped, and its descendants are left to what is said of orphans", () => {
    const play = given(...watched, start("k", { under: "a" }))
      .when(trip("a", { condition: "hog-stop" }))
      .happens("condition.tripped", {
        kind: "worker.stopping",
        data: { worker: idOf("a"), reason: "tripped" },
      });
    expect(play.worker("k").status).toBe("running");
  });

  test.each([
    ["hog-pause", "fleet.paused", "paused"],
    ["hog-kill", "fleet.killed", "killed"],
  ] as const)(
    "%s is about the fleet, also where a worker was asked about",
    (condition, kind, is) => {
      const play = given(...watched)
        .when(trip("a", { condition }))
        .happens("condition.tripped", kind);
      expect(play.state.status).toBe(is);
    },
  );

  test("one that is about the fleet names no worker", () => {
    given(...watched)
      .when(tripFleet("storm", { refusals_per_minute: 10 }))
      .happens(
        { kind: "condition.tripped", data: { condition: "storm", action: "pause" } },
        { kind: "fleet.paused", data: { reason: 'kill condition "storm" held for 1000 ms' } },
      );
  });
});

describe("[KW4] only a supervisor may say what it measured, and it must be enough", () => {
  test.each([OPERATOR, SYSTEM, self("a"), self("b")])("not $kind $id", (by) => {
    given(...watched)
      .when(trip("a", { by }))
      .refused("not_authorised");
  });

  const cold = measuresOf({ worker: { memory_bytes: 1_000 } });
  const other = measuresOf({ worker: { id: idOf("b"), memory_bytes: 2_000 } });

  test.each<[string, Ask]>([
    ["a condition that is not in force", trip("a", { condition: "hoax" })],
    ["a time that is one too short", trip("a", { held_ms: 999 })],
    ["measures of which it is false", trip("a", { measures: cold })],
    ["measures of which it fails", trip("a", { measures: measuresOf({ worker: {} }) })],
    ["measures of another worker", trip("a", { measures: other })],
    ["no measures of a worker", trip("a", { measures: measuresOf() })],
    ["no worker", tripFleet("hog", {}, { measures: hot })],
    ["a worker, though it is about the fleet", trip("a", { condition: "crowd" })],
    ["the fleet too small", tripFleet("crowd", { active_count: 2 })],
  ])("%s", (_, step) => {
    given(...watched)
      .when(step)
      .refused("condition_unmet");
  });

  test("a condition that was replaced is not in force any more", () => {
    given(...watched, enact({ kill_when: HOGS.slice(1) }))
      .when(trip("a"))
      .refused("condition_unmet", { condition: "hog" });
  });

  test("the time at its bound is enough", () => {
    given(...watched)
      .when(trip("a", { held_ms: 1_000 }))
      .happens("condition.tripped", "worker.quarantined");
    given(...watched)
      .when(tripFleet("storm", { refusals_per_minute: 10 }, { held_ms: 0 }))
      .happens("condition.tripped", "fleet.paused");
  });
});

describe("[KW5] the checks of a trip have one order", () => {
  // Each obstacle comes with all that stand after it.
  const obstacles: readonly (readonly [RefusalCode, readonly Step[], Ask])[] = [
    ["not_authorised", [quarantine("a"), kill], trip("nobody", { by: OPERATOR, held_ms: 0 })],
    ["fleet_killed", [quarantine("a"), kill], trip("nobody", { held_ms: 0 })],
    ["condition_unmet", [quarantine("a")], trip("nobody", { held_ms: 0 })],
    ["worker_unknown", [quarantine("a")], trip("nobody")],
    ["worker_ended", [exited("a")], trip("a", { ended: idOf("a") })],
    ["worker_expired", [after(86_400_000)], trip("a")],
    ["worker_not_running", [quarantine("a"), stop("a")], trip("a")],
    ["worker_quarantined", [quarantine("a")], trip("a")],
  ];

  test.each(obstacles)("%s", (code, before, step) => {
    given(...watched, ...before)
      .when(step)
      .refused(code);
  });

  test("a reservation does not run", () => {
    given(create({ kill_when: HOGS }), admit("a"))
      .when(trip("a"))
      .refused("worker_not_running");
  });

  test.each(["hog", "hog-stop", "hog-pause", "hog-kill"])(
    "in quarantine nothing is concluded by %s, and again once it is lifted",
    (condition) => {
      const { play } = given(...watched, quarantine("a"));
      expect(play.take(trip("a", { condition }))?.refusal?.code).toBe("worker_quarantined");
      expect(play.take(unquarantine("a"))?.refusal).toBeNull();
      expect(play.take(trip("a", { condition }))?.events[0]?.kind).toBe("condition.tripped");
    },
  );
});

test("[KW6] a trip that would change nothing writes nothing", () => {
  given(...watched, pause)
    .when(trip("a", { condition: "hog-pause" }))
    .happens();
});

test("[KW9] a condition that could not be decided is on record, and stops nobody", () => {
  const play = given(...watched)
    .when(failCondition("hog"))
    .happens({ kind: "condition.failed", data: { condition: "hog", problem: "no gauge" } });
  expect(play.worker("a").status).toBe("running");
  expect(play.state.status).toBe("open");
});
