import { describe, expect, test } from "vitest";
import { decodeState } from "../../../src/runtime/state-codec.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  enact,
  exited,
  fold,
  given,
  idOf,
  KEY,
  kill,
  pause,
  Play,
  quarantine,
  register,
  resume,
  self,
  start,
  stop,
  tick,
} from "../../support/scenario.ts";

describe("creation", () => {
  test("[KF1] a journal holds one fleet: it is created first, and once", () => {
    const play = given().when(create()).happens("fleet.created");
    expect(play.state).toMatchObject({ fleet: "f-plays", status: "open", key: KEY });
    given(create()).when(create()).refused("fleet_exists", { fleet: "f-plays" });
    given(create(), kill).when(create()).refused("fleet_exists");
  });

  test("[KF1] before that every command is told that there is none, and not recorded", () => {
    for (const step of [admit("a"), kill, tick, pause, stop("a"), enact({})]) {
      const decision = new Play().take(step);
      expect(decision?.refusal?.code).toBe("fleet_unknown");
      expect(decision?.events).toStrictEqual([]);
    }
  });
});

describe("pause", () => {
  test("[KF2] a paused fleet admits and registers nobody; everything else goes on", () => {
    const paused = [create(), ...start("a"), admit("b"), pause];
    given(paused).when(admit("c")).refused("fleet_paused");
    given(paused).when(register("b")).refused("fleet_paused");
    given(paused)
      .when(ask("worker.checkpoint", { worker: idOf("a"), state: {} }, { by: self("a") }))
      .happens("worker.checkpointed");
    given(paused)
      .when(charge("a", { cpu_ms: 1 }))
      .happens("budget.charged");
    given(paused).when(quarantine("a")).happens("worker.quarantined");
    given(paused).when(stop("a")).happens("worker.stopping");
    given(paused)
      .when(enact({ max_depth: 1 }))
      .happens("contract.enacted");
    given(paused, resume).when(admit("c")).happens("worker.admitted");
  });

  test("[KF2] reservations and lifetimes run out all the same", () => {
    given(create({ lifetime_ms: 50_000 }), start("a"), admit("b"), pause, after(50_000))
      .when(tick)
      .happens("worker.lapsed", { kind: "worker.stopping", data: { reason: "expired" } });
  });

  test("[KF2] paused or resumed again, nothing is written", () => {
    given(create(), pause).when(pause).happens();
    given(create()).when(resume).happens();
  });
});

describe("kill", () => {
  test("[KF3] a kill tells everybody alive to stop, in one entry (replication C5)", () => {
    const play = given(
      create(),
      start("a"),
      start("b", { under: "a" }),
      admit("c"),
      start("d"),
      stop("d"),
      start("e"),
      exited("e"),
    )
      .when(kill)
      .happens({ kind: "fleet.killed", data: { reason: "play", live_count: 4 } });
    const reasons = ["a", "b", "c", "d"].map((name) => play.worker(name).stopping?.reason);
    expect(reasons).toStrictEqual(["killed", "killed", "killed", "requested"]);
    expect(play.state.live_count).toBe(4);
  });

  test("[KF4] after it nobody gets in, and nobody takes it back (replication C5)", () => {
    const dead = [create(), ...start("a"), admit("b"), kill];
    for (const step of [
      admit("c"),
      admit("c", { under: "a" }),
      register("b"),
      pause,
      resume,
      enact({ max_replicas: 9 }),
      ask("key.rotate", { key: { ...KEY, key_id: "k2" } }),
    ])
      given(dead).when(step).refused("fleet_killed");
    given(dead, after(10 ** 9), tick)
      .when(admit("c"))
      .refused("fleet_killed");
  });

  test("[KF4] a state that is folded anew from the journal is killed too (replication B8)", () => {
    const { play } = given(create(), start("a"), kill, exited("a"));
    const restarted = decodeState(fold(play.entries));
    if (restarted === undefined) throw new Error("a fold must be readable");
    play.state = restarted;
    expect(play.take(admit("b"))?.refusal?.code).toBe("fleet_killed");
  });

  test("[KF4] an attempt after the kill is on record, with who tried (replication C5)", () => {
    const { entries } = given(create(), kill).when(admit("c", { by: self("a"), under: "a" })).play;
    expect(entries.at(-1)).toMatchObject({
      kind: "command.refused",
      actor: { kind: "worker", id: idOf("a") },
      data: { code: "fleet_killed" },
    });
  });

  test("[KF5] a kill asked again writes nothing; ends are still taken", () => {
    given(create(), start("a"), kill).when(kill).happens();
    const play = given(create(), start("a"), kill)
      .when(exited("a"))
      .happens({ kind: "worker.stopped", data: { reason: "killed" } });
    expect(play.state.live_count).toBe(0);
  });

  test("[KF3] a paused fleet is killed like an open one", () => {
    given(create(), start("a"), pause).when(kill).happens("fleet.killed");
  });
});

describe("keys", () => {
  test("[KF6] a new key is in force from its entry on; the same one writes nothing", () => {
    const key = { key_id: "k2", public_key: "B".repeat(43) };
    const play = given(create()).when(ask("key.rotate", { key })).happens("key.rotated");
    expect(play.state.key).toStrictEqual(key);
    expect(play.take(admit("a"))?.refusal).toBeNull();
    expect(play.manifestOf("a").key_id).toBe("k2");
    given(create())
      .when(ask("key.rotate", { key: KEY }))
      .happens();
  });
});
