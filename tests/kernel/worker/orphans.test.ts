import { describe, expect, test } from "vitest";
import {
  admit,
  after,
  ask,
  create,
  enact,
  exited,
  given,
  idOf,
  observe,
  quarantine,
  register,
  start,
  stop,
  tick,
  type ExpectedEvent,
  type Play,
} from "../../support/scenario.ts";

const stopping = (name: string, reason = "orphaned"): ExpectedEvent => ({
  kind: "worker.stopping",
  data: { worker: idOf(name), reason },
});
const reparented = (name: string, parent: string): ExpectedEvent => ({
  kind: "worker.reparented",
  data: { worker: idOf(name), parent: idOf(parent) },
});

/** Root a, its child b, b's children c and d, and d's child e. */
const family = [
  start("a", { budget: { cpu_milli: 100, units: { tokens: 100 } } }),
  start("b", { under: "a", budget: { cpu_milli: 60, units: { tokens: 60 } } }),
  start("c", { under: "b", budget: { cpu_milli: 20, units: { tokens: 20 } } }),
  start("d", { under: "b", budget: { cpu_milli: 20, units: { tokens: 20 } } }),
  start("e", { under: "d", budget: { cpu_milli: 10, units: { tokens: 10 } } }),
] as const;

function parentsOf(play: Play): readonly (string | null)[] {
  return ["c", "d", "e"].map((name) => play.worker(name).parent);
}

describe("on_orphan = stop", () => {
  test("[LF14] all living descendants of a dead worker are told to stop (replication B3)", () => {
    given(create(), ...family)
      .when(exited("b"))
      .happens("worker.stopped", stopping("c"), stopping("d"), stopping("e"));
  });

  test("[LF14] whatever ended it: reaped, out of quarantine, written off (replication B3)", () => {
    const reap = observe("b", { silent_ms: 100_000, seen: "gone" });
    for (const steps of [[reap], [stop("b")], [quarantine("b")], [quarantine("b"), stop("b")]])
      given(create(), ...family, steps)
        .when(exited("b", { signal: "SIGKILL" }))
        .happens("worker.stopped", stopping("c"), stopping("d"), stopping("e"));
    given(create(), ...family)
      .when(ask("worker.write_off", { worker: idOf("b"), reason: "gone" }))
      .happens("worker.stopped", stopping("c"), stopping("d"), stopping("e"));
  });

  test("[LF14] a worker that is only told to stop has no orphans yet", () => {
    given(create(), ...family)
      .when(stop("b"))
      .happens(stopping("b", "requested"));
  });

  test("[LF14] the orphans get no children meanwhile (replication B3)", () => {
    given(create(), ...family, exited("b"))
      .when(admit("f", { under: "e" }))
      .refused("parent_not_running");
  });
});

describe("on_orphan = grandparent", () => {
  const contract = create({ on_orphan: "grandparent" });

  test("[LF15] orphans go to the nearest ancestor that runs, with what they hold", () => {
    const play = given(contract, ...family)
      .when(exited("b"))
      .happens("worker.stopped", reparented("c", "a"), reparented("d", "a"));
    expect(parentsOf(play)).toStrictEqual([idOf("a"), idOf("a"), idOf("d")]);
    expect(play.holds("b")).toBe(false);
    expect(play.worker("a").reserved).toStrictEqual({ cpu_milli: 40, "units.tokens": 40 });
    expect(play.worker("a").live_children_count).toBe(2);
    expect(play.worker("c").depth).toBe(2);
  });

  test("[LF15] without one they are told to stop, like any orphan", () => {
    given(contract, ...family)
      .when(exited("a"))
      .happens("worker.stopped", stopping("b"), stopping("c"), stopping("d"), stopping("e"));
  });

  test("[LF15] an ancestor that is stopping is passed over and keeps nothing of theirs", () => {
    const play = given(contract, ...family, stop("b"))
      .when(exited("d"))
      .happens("worker.stopped", reparented("e", "a"));
    expect(play.worker("b").granted).toMatchObject({ cpu_milli: 50, units: { tokens: 50 } });
    expect(play.worker("b").reserved).toStrictEqual({ cpu_milli: 20, "units.tokens": 30 - 10 });
    expect(play.worker("a").reserved).toStrictEqual({ cpu_milli: 60, "units.tokens": 60 });
    for (const step of [exited("c"), exited("b"), exited("e")]) play.take(step);
    // Nothing measured tokens, so all that was given out is taken as used; capacity is whole.
    expect(play.worker("a").reserved).toStrictEqual({});
    expect(play.worker("a").spent).toStrictEqual({ "units.tokens": 60 });
  });

  test("[LF15] a worker that handed on all it had stays bounded", () => {
    const play = given(
      contract,
      start("a", { budget: { spawns: 9 } }),
      start("b", { under: "a", budget: { spawns: 4 } }),
      start("d", { under: "b", budget: { spawns: 3 } }),
      start("e", { under: "d", budget: { spawns: 2 } }),
      stop("b"),
    )
      .when(exited("d"))
      .happens("worker.stopped", reparented("e", "a"));
    expect(play.worker("b").granted.spawns).toBe(2);
    expect(play.worker("b").granted.lifetime_ms).toBeGreaterThan(0);
  });

  test("[LF15] those below a dead worker that was kept before are handed on as well", () => {
    const play = given(
      create({ on_orphan: "keep" }),
      start("r"),
      ...start("a", { under: "r", budget: { cpu_milli: 90 } }),
      start("b", { under: "a", budget: { cpu_milli: 60 } }),
      start("c", { under: "b", budget: { cpu_milli: 20 } }),
      exited("b"),
      enact({ on_orphan: "grandparent" }),
    )
      .when(exited("a"))
      .happens("worker.stopped", reparented("c", "r"));
    expect(play.worker("c").parent).toBe(idOf("r"));
    expect([play.holds("a"), play.holds("b")]).toStrictEqual([false, false]);
  });

  test("[LF16] a reservation is withdrawn, for its manifest names the dead", () => {
    given(contract, ...family, admit("f", { under: "d" }))
      .when(exited("d"))
      .happens("worker.stopped", reparented("e", "b"), stopping("f"));
  });

  test("[LF15] one that is stopping is handed on too, so that its end is settled there", () => {
    const play = given(contract, ...family, stop("c"))
      .when(exited("b"))
      .happens("worker.stopped", reparented("c", "a"), reparented("d", "a"));
    play.take(exited("c"));
    expect(play.worker("a").reserved).toStrictEqual({ cpu_milli: 20, "units.tokens": 20 });
  });
});

describe("on_orphan = keep", () => {
  const contract = create({ on_orphan: "keep" });

  test("[LF17] descendants run on, the dead parent stays known as long (replication B4)", () => {
    const play = given(contract, ...family)
      .when(exited("b"))
      .happens("worker.stopped");
    expect(parentsOf(play)).toStrictEqual([idOf("b"), idOf("b"), idOf("d")]);
    expect(play.worker("b")).toMatchObject({ status: "stopped", parent: idOf("a"), depth: 1 });
    expect(play.worker("d").status).toBe("running");
  });

  test("[LF17] what they hold stays carved, and goes to the next that lives", () => {
    const { play } = given(contract, ...family, exited("b"));
    expect(play.worker("a").reserved).toStrictEqual({ cpu_milli: 40, "units.tokens": 40 });
    for (const name of ["c", "e", "d"]) play.take(exited(name));
    expect(play.worker("a").reserved).toStrictEqual({});
    expect(play.worker("a").spent).toStrictEqual({ "units.tokens": 60 });
    expect(play.state.workers.size).toBe(1);
  });

  test("[LF16] a reservation below the dead cannot be taken up and lapses", () => {
    const { play } = given(contract, start("a"), admit("b", { under: "a" }), exited("a"));
    expect(play.take(register("b"))?.refusal?.code).toBe("parent_not_running");
    play.take(after(30_000));
    expect(play.take(tick)?.events.map(({ kind }) => kind)).toStrictEqual(["worker.lapsed"]);
    expect(play.state.workers.size).toBe(0);
  });
});
