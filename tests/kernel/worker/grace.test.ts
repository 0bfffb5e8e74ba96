import { describe, expect, test } from "vitest";
import {
  after,
  create,
  given,
  idOf,
  kill,
  self,
  start,
  START_MS,
  stop,
} from "../../support/scenario.ts";

describe("the grace of a stop", () => {
  test("[LF18] it is said to everybody of a tree, and kept until the end", () => {
    const play = given(create(), start("a"), start("b", { under: "a" }))
      .when(stop("a", { tree: true, grace_ms: 7_000 }))
      .happens(
        { kind: "worker.stopping", data: { worker: idOf("a"), grace_ms: 7_000 } },
        { kind: "worker.stopping", data: { worker: idOf("b"), grace_ms: 7_000 } },
      );
    const told = { reason: "requested", at_ms: START_MS, grace_ms: 7_000 };
    expect(play.worker("a").stopping).toStrictEqual(told);
    expect(play.worker("b").stopping).toStrictEqual(told);
  });

  test("[LF18] without one nothing is said of it", () => {
    const play = given(create(), start("a")).when(stop("a")).happens("worker.stopping");
    expect(play.worker("a").stopping).toStrictEqual({ reason: "requested", at_ms: START_MS });
  });

  test.each([
    [0, 7_000],
    [2_999, 7_000],
    [3_001, 6_999],
    [9_999, 1],
  ])("[LF19] %i ms into a life of 10 000 a grace of 7 000 is %i", (waitMs, grace_ms) => {
    given(create({ lifetime_ms: 10_000, register_within_ms: 1_000 }), start("a"), after(waitMs))
      .when(stop("a", { grace_ms: 7_000 }))
      .happens({ kind: "worker.stopping", data: { grace_ms } });
  });

  test("[LF19] a worker gives itself none", () => {
    const play = given(create(), start("a"))
      .when(stop("a", { grace_ms: 600_000, by: self("a") }))
      .happens("worker.stopping");
    expect(play.worker("a").stopping).not.toHaveProperty("grace_ms");
  });

  test("[LF19] a kill ends it", () => {
    const play = given(create(), start("a"), stop("a", { grace_ms: 600_000 }))
      .when(kill)
      .happens("fleet.killed");
    expect(play.worker("a").stopping).toStrictEqual({
      reason: "requested",
      at_ms: START_MS,
      grace_ms: 0,
    });
  });
});
