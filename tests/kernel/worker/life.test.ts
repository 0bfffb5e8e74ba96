import { describe, expect, test } from "vitest";
import { GRADES, isProof } from "../../../src/kernel/worker/evidence.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  exited,
  given,
  idOf,
  observe,
  OPERATOR,
  quarantine,
  self,
  START_MS,
  start,
  stop,
  SUPERVISOR,
  tick,
} from "../../support/scenario.ts";

const LIFE_MS = 60_000;

function checkpoint(name: string, state: { readonly [key: string]: number } = { step: 1 }) {
  return ask("worker.checkpoint", { worker: idOf(name), state }, { by: self(name) });
}

describe("stopping", () => {
  test("[LF1] a worker goes from admitted to running to stopping, and is gone with its end", () => {
    const { play } = given(create(), admit("a"));
    const statuses = [play.worker("a").status];
    for (const step of [...start("a").slice(1), stop("a")]) {
      play.take(step);
      statuses.push(play.worker("a").status);
    }
    play.take(exited("a"));
    expect(statuses).toStrictEqual(["admitted", "running", "stopping"]);
    expect(play.holds("a")).toBe(false);
    expect(play.state.live_count).toBe(0);
  });

  test("[LF2] told to stop, a worker is stopping, with reason and age, until its end", () => {
    const play = given(create(), start("a"), after(5))
      .when(stop("a", { reason: "failed", detail: "out of luck" }))
      .happens({
        kind: "worker.stopping",
        data: { worker: idOf("a"), reason: "failed", detail: "out of luck" },
      });
    play.take(after(10 ** 9));
    play.take(tick);
    expect(play.worker("a").status).toBe("stopping");
    expect(play.worker("a").stopping).toStrictEqual({ reason: "failed", at_ms: START_MS + 5 });
  });

  test("[LF3] told again it writes nothing, and the first reason stands", () => {
    const play = given(create(), start("a"), stop("a", { reason: "completed" }))
      .when(stop("a"))
      .happens();
    expect(play.worker("a").stopping?.reason).toBe("completed");
  });

  test("[LF4] with its tree, every living descendant is told, parents before children", () => {
    const data = (name: string) =>
      ({ kind: "worker.stopping", data: { worker: idOf(name) } }) as const;
    given(create(), start("a"), start("b", { under: "a" }), start("c", { under: "b" }), stop("b"))
      .when(stop("a", { tree: true }))
      .happens(data("a"), data("c"));
    given(create(), start("a"), start("b", { under: "a" }))
      .when(stop("a"))
      .happens(data("a"));
  });

  test("[LF4] a tree can be stopped below a worker that is dead itself", () => {
    given(create({ on_orphan: "keep" }), start("a"), start("b", { under: "a" }), exited("a"))
      .when(stop("a", { tree: true }))
      .happens({ kind: "worker.stopping", data: { worker: idOf("b") } });
    given(create({ on_orphan: "keep" }), start("a"), start("b", { under: "a" }), exited("a"))
      .when(stop("a"))
      .refused("worker_ended");
  });
});

describe("the end", () => {
  test.each(GRADES)("[LF5] an end is written with its evidence and grade: %s", (grade) => {
    const evidence = { grade, facts: { listings: 2 } };
    const data = { worker: idOf("a"), evidence, outcome: { exit_code: 1, signal: "SIGKILL" } };
    given(create(), start("a"), stop("a"))
      .when(ask("worker.exited", data, { by: SUPERVISOR }))
      .happens({ kind: "worker.stopped", data: { ...data, reason: "requested" } });
  });

  test("[LF5] observed, settled and tethered prove an end; swept and declared do not", () => {
    expect(GRADES.map((grade) => [grade, isProof(grade)])).toStrictEqual([
      ["observed", true],
      ["settled", true],
      ["tethered", true],
      ["swept", false],
      ["declared", false],
    ]);
  });

  test.each([
    { outcome: { exit_code: 0 }, reason: "completed" },
    { outcome: { exit_code: 3 }, reason: "failed" },
    { outcome: { signal: "SIGSEGV" }, reason: "failed" },
    { outcome: { exit_code: 0, error: "it threw" }, reason: "failed" },
    { outcome: {}, reason: "failed" },
  ] as const)("[LF6] of itself, an end with $outcome is $reason", ({ outcome, reason }) => {
    given(create(), start("a"))
      .when(exited("a", outcome))
      .happens({ kind: "worker.stopped", data: { reason } });
  });

  test("[LF7] written off by an operator, it has ended on his word alone", () => {
    const step = ask("worker.write_off", { worker: idOf("a"), reason: "host burnt" });
    given(create(), start("a"), stop("a", { reason: "completed" }))
      .when(step)
      .happens({
        kind: "worker.stopped",
        data: {
          reason: "completed",
          evidence: { grade: "declared", facts: { by: "anna", reason: "host burnt" } },
          outcome: {},
        },
      });
    given(create(), start("a"))
      .when(step)
      .happens({ kind: "worker.stopped", data: { reason: "requested" } });
  });

  test("[LF8] the dead take no commands; never lived is another answer (replication B1)", () => {
    const { play } = given(create(), start("a"), exited("a"));
    const steps = [
      checkpoint("a"),
      observe("a"),
      stop("a"),
      exited("a"),
      ask("worker.write_off", { worker: idOf("a"), reason: "x" }),
      quarantine("a"),
      ask("worker.unquarantine", { worker: idOf("a"), resolution: "x" }),
      charge("a", { cpu_ms: 1 }),
    ];
    for (const step of steps) {
      expect(play.take(step)?.refusal?.code).toBe("worker_unknown");
      const known = { ...step(play), ended: idOf("a") };
      expect(play.take(() => known)?.refusal?.code).toBe("worker_ended");
    }
  });

  test("[LF9] the dead stay in the state only while a descendant of theirs lives there", () => {
    const { play } = given(
      create({ on_orphan: "keep" }),
      start("a"),
      start("b", { under: "a" }),
      start("c", { under: "b" }),
      exited("b"),
      exited("a"),
    );
    expect(["a", "b", "c"].map((name) => play.holds(name))).toStrictEqual([true, true, true]);
    expect(play.worker("a")).toMatchObject({ status: "stopped", state: {}, quarantine: null });
    play.take(exited("c"));
    expect(play.state.workers.size).toBe(0);
    expect(play.state.children.size).toBe(0);
    expect(play.state.deadlines.size).toBe(0);
  });
});

describe("lifetime", () => {
  test.each([
    { waitMs: LIFE_MS - 1, kinds: ["worker.checkpointed"], code: null },
    { waitMs: LIFE_MS, kinds: ["worker.stopping", "command.refused"], code: "worker_expired" },
    { waitMs: LIFE_MS + 1, kinds: ["worker.stopping", "command.refused"], code: "worker_expired" },
  ])(
    "[LF10] $waitMs ms into a minute's life a checkpoint is answered $code (replication B2)",
    ({ waitMs, kinds, code }) => {
      const { decision } = given(create({ lifetime_ms: LIFE_MS }), start("a"), after(waitMs)).when(
        checkpoint("a"),
      );
      expect(decision.events.map(({ kind }) => kind)).toStrictEqual(kinds);
      expect(decision.refusal?.code ?? null).toBe(code);
    },
  );

  test("[LF10] no beat extends it: at its instant the worker is to stop (replication B2)", () => {
    const { play } = given(create({ lifetime_ms: LIFE_MS }), start("a"));
    for (let beat = 1; beat < 6; beat += 1) {
      play.take(after(LIFE_MS / 6));
      play.take(observe("a", { beat_count: beat }));
    }
    play.take(after(LIFE_MS / 6));
    const { events } = play.take(observe("a", { beat_count: 6 })) ?? {};
    expect(events).toStrictEqual([
      { kind: "worker.stopping", data: { worker: idOf("a"), reason: "expired" } },
    ]);
  });

  test("[LF10] the expired get no child, in the very entry in which they expire", () => {
    given(create({ lifetime_ms: LIFE_MS }), start("a"), after(LIFE_MS))
      .when(admit("b", { under: "a", by: self("a") }))
      .refused("parent_not_running", { status: "stopping" });
  });
});

describe("checkpoints", () => {
  test("[LF11] a running worker replaces its state whole", () => {
    const play = given(create(), start("a", { state: { part: 1, of: 2 } }))
      .when(checkpoint("a", { done: 3 }))
      .happens({ kind: "worker.checkpointed", data: { state: { done: 3 } } });
    expect(play.worker("a").state).toStrictEqual({ done: 3 });
  });

  test("[LF11] not before its registration, not once it is stopping, not in quarantine", () => {
    given(create(), admit("a"))
      .when(checkpoint("a"))
      .refused("worker_not_running", { status: "admitted" });
    given(create(), start("a"), stop("a"))
      .when(checkpoint("a"))
      .refused("worker_not_running", { status: "stopping" });
    given(create(), start("a"), quarantine("a"))
      .when(checkpoint("a"))
      .refused("worker_quarantined");
  });
});

test("[LF12] a note is taken about anybody who ever lived, and decides nothing", () => {
  const note = { worker: idOf("a"), text: "seen at the gate" };
  const play = given(create(), start("a")).when(ask("worker.note", note)).happens("worker.noted");
  expect(play.worker("a")).toBe(play.state.workers.get(idOf("a")));
  given(create(), start("a"), exited("a"))
    .when(ask("worker.note", note, { ended: idOf("a") }))
    .happens("worker.noted");
  given(create()).when(ask("worker.note", note)).refused("worker_unknown");
});

test("[LF13] a halt that is asked for is shown, and halts nothing", () => {
  const data = { handle: "job-7", reason: "same files", proposed: ["kill", 7] };
  const play = given(create(), start("a"))
    .when(ask("halt.request", data, { by: self("a") }))
    .happens({ kind: "halt.requested", data });
  expect(play.worker("a").status).toBe("running");
  given(create())
    .when(ask("halt.request", data, { by: OPERATOR }))
    .happens("halt.requested");
});
