import { describe, expect, test } from "vitest";
import {
  admit,
  after,
  ask,
  create,
  exited,
  given,
  idOf,
  kill,
  observe,
  quarantine,
  self,
  START_MS,
  start,
  stop,
  tick,
  unquarantine,
} from "../../support/scenario.ts";

const MAX_MS = 10_000;
const LIFE_MS = 4_000;

const frozen = [
  create({ quarantine_max_ms: MAX_MS, lifetime_ms: LIFE_MS, register_within_ms: 1_000 }),
  ...start("a"),
  quarantine("a"),
];

describe("quarantine", () => {
  test("[QR1] it is put on record: reason, source, severity, evidence, and until when", () => {
    const data = {
      worker: idOf("a"),
      reason: "odd writes",
      source: "watch",
      severity: "critical",
      evidence: { files: ["x"] },
    } as const;
    const play = given(create({ quarantine_max_ms: MAX_MS }), start("a"))
      .when(ask("worker.quarantine", data))
      .happens({ kind: "worker.quarantined", data: { ...data, until_ms: START_MS + MAX_MS } });
    expect(play.worker("a").quarantine).toStrictEqual({
      reason: "odd writes",
      source: "watch",
      severity: "critical",
      at_ms: START_MS,
      until_ms: START_MS + MAX_MS,
    });
  });

  test("[QR2] silence neither makes stale nor reaps in quarantine (replication D1)", () => {
    const play = given(frozen)
      .when(observe("a", { silent_ms: 10 ** 9, seen: "gone" }))
      .happens();
    expect(play.worker("a")).toMatchObject({ status: "running", stale: false });
  });

  test("[QR2] staleness from before is taken off with it", () => {
    const { play } = given(
      create(),
      start("a"),
      observe("a", { silent_ms: 200_000, seen: "alive" }),
      quarantine("a"),
    );
    expect(play.worker("a")).toMatchObject({ stale: false, flagged: false });
  });

  test("[QR3] the lifetime does not end it; its own end does, at its instant, tick or none", () => {
    given(frozen, after(LIFE_MS)).when(tick).happens();
    given(frozen, after(MAX_MS - 1))
      .when(tick)
      .happens();
    given(frozen, after(MAX_MS))
      .when(tick)
      .happens({ kind: "worker.stopping", data: { reason: "quarantine_expired" } });
    given(frozen, after(MAX_MS))
      .when(unquarantine("a"))
      .refused("worker_not_quarantined", { status: "stopping" });
  });

  test("[QR4] lifted within its lifetime the worker runs again, with the deadline it had", () => {
    const play = given(frozen, after(LIFE_MS - 1))
      .when(unquarantine("a"))
      .happens("worker.unquarantined");
    expect(play.worker("a").quarantine).toBeNull();
    play.take(after(1));
    expect(play.take(tick)?.events).toMatchObject([{ data: { reason: "expired" } }]);
  });

  test("[QR4] past its lifetime it can only be stopped", () => {
    given(frozen, after(LIFE_MS)).when(unquarantine("a")).refused("worker_expired");
    const play = given(frozen, after(LIFE_MS))
      .when(stop("a", { reason: "quarantine_stopped" }))
      .happens({ kind: "worker.stopping", data: { reason: "quarantine_stopped" } });
    expect(play.worker("a").quarantine).toBeNull();
    expect(play.state.live_count).toBe(1);
  });

  test("[QR5] it is not imposed twice, nor on who does not run (replication D5)", () => {
    given(frozen)
      .when(quarantine("a"))
      .refused("worker_quarantined", { until_ms: START_MS + MAX_MS });
    given(create(), start("a")).when(unquarantine("a")).refused("worker_not_quarantined");
    given(create()).when(quarantine("a")).refused("worker_unknown");
    given(create(), admit("a")).when(quarantine("a")).refused("worker_not_running");
    given(create(), start("a"), stop("a")).when(quarantine("a")).refused("worker_not_running");
  });

  test("[QR5] a release that would change nothing is refused (replication D1)", () => {
    given(frozen, exited("a")).when(unquarantine("a")).refused("worker_unknown");
    given(frozen, exited("a"))
      .when(
        ask("worker.unquarantine", { worker: idOf("a"), resolution: "x" }, { ended: idOf("a") }),
      )
      .refused("worker_ended");
  });

  test("[QR5] with its worker's end the quarantine is over (replication D5)", () => {
    const { play } = given(
      create({ on_orphan: "keep" }),
      start("a"),
      start("b", { under: "a" }),
      quarantine("a"),
      exited("a"),
    );
    expect(play.worker("a").quarantine).toBeNull();
    expect(play.take(unquarantine("a"))?.refusal?.code).toBe("worker_ended");
  });

  test("[QR6] no children, no checkpoint, and no way out by itself (replication D3)", () => {
    given(frozen)
      .when(admit("b", { under: "a", by: self("a") }))
      .refused("parent_quarantined");
    given(frozen)
      .when(ask("worker.checkpoint", { worker: idOf("a"), state: {} }, { by: self("a") }))
      .refused("worker_quarantined");
    given(frozen)
      .when(ask("worker.unquarantine", { worker: idOf("a"), resolution: "x" }, { by: self("a") }))
      .refused("not_authorised");
    given(frozen)
      .when(stop("a", { by: self("a"), reason: "completed" }))
      .refused("worker_quarantined");
    given(frozen).when(stop("a")).happens("worker.stopping");
  });

  test("[QR7] a kill takes the quarantined like everybody", () => {
    const play = given(frozen)
      .when(kill)
      .happens({ kind: "fleet.killed", data: { live_count: 1 } });
    expect(play.worker("a")).toMatchObject({ status: "stopping", quarantine: null });
  });

  test("[QR7] it keeps its place and its budget until its end is proven", () => {
    given(create({ max_replicas: 1 }), start("a", { budget: { cpu_milli: 5 } }), quarantine("a"))
      .when(admit("b"))
      .refused("max_replicas");
  });
});
