import { describe, expect, test } from "vitest";
import type { EnvelopeVerdict, Manifest } from "../../../src/kernel/worker/manifest.ts";
import {
  admit,
  after,
  ask,
  charge,
  create,
  enact,
  exited,
  given,
  idOf,
  kill,
  KEY,
  observe,
  pause,
  quarantine,
  register,
  resume,
  self,
  start,
  stop,
  SUPERVISOR,
  tick,
  unquarantine,
} from "../../support/scenario.ts";

const TTL_MS = 30_000;
const process = { host_id: "h1", pid: 42, started: "7" };

test("[RG2] a manifest is taken up by its worker, with the process that it runs in", () => {
  const { play } = given(create(), admit("a"));
  const manifest = play.manifestOf("a");
  const step = ask("worker.register", { manifest, envelope: "valid", process }, { by: self("a") });
  const { refusal, events } = play.take(step) ?? {};
  expect(refusal).toBeNull();
  expect(events).toStrictEqual([
    { kind: "worker.registered", data: { worker: idOf("a"), process } },
  ]);
  expect(play.worker("a")).toMatchObject({ status: "running", process });
});

describe("single use", () => {
  test("[RG3] a manifest presented again changes nothing (replication A9)", () => {
    const again = given(create(), start("a"), after(1_000))
      .when(register("a"))
      .refused("manifest_used", { status: "running" });
    expect(again.worker("a").expires_at_ms).toBe(again.manifestOf("a").expires_at_ms);
  });

  test("[RG3] it raises neither stopping, quarantined nor dead workers (replication A9)", () => {
    given(create(), start("a"), stop("a"))
      .when(register("a"))
      .refused("manifest_used", { status: "stopping" });
    const frozen = given(create(), start("a"), quarantine("a")).when(register("a"));
    expect(frozen.refused("manifest_used").worker("a").quarantine).not.toBeNull();
    const dead = given(create(), start("a"), exited("a"))
      .when(register("a", {}, { ended: idOf("a") }))
      .refused("manifest_used", { status: "stopped" });
    expect(dead.state.live_count).toBe(0);
  });

  test("[RG3] presented again by a stale worker it is no sign of life (replication A9)", () => {
    const play = given(create(), start("a"), observe("a", { silent_ms: TTL_MS }))
      .when(register("a"))
      .refused("manifest_used");
    expect(play.worker("a").stale).toBe(true);
  });
});

describe("validity", () => {
  test.each<EnvelopeVerdict>(["form", "signature", "version", "key"])(
    "[RG4] an envelope that fails by its %s is refused, whoever presents it",
    (envelope) => {
      given(create(), admit("a"))
        .when(ask("worker.register", { manifest: null, envelope }, { by: self("b") }))
        .refused("manifest_invalid", { why: envelope });
    },
  );

  test("[RG4] after a rotation of the key a manifest of the old one is good for nothing", () => {
    const key = { ...KEY, key_id: "k2" };
    given(create(), admit("a"), ask("key.rotate", { key }))
      .when(register("a"))
      .refused("manifest_invalid", { why: "key" });
    given(create(), ask("key.rotate", { key }), admit("a"))
      .when(register("a"))
      .happens("worker.registered");
    given(create(), start("a"), ask("key.rotate", { key }))
      .when(ask("worker.checkpoint", { worker: idOf("a"), state: { n: 1 } }, { by: self("a") }))
      .happens("worker.checkpointed");
  });

  test("[RG5] a manifest of another fleet is refused under the same key (replication A8)", () => {
    given(create(), admit("a"))
      .when(register("a", { fleet: "f-other" }))
      .refused("manifest_foreign", { expected: "f-plays", got: "f-other" });
  });

  const changed: readonly { readonly field: keyof Manifest; readonly to: unknown }[] = [
    { field: "name", to: "z" },
    { field: "parent", to: null },
    { field: "parent", to: idOf("b") },
    { field: "parent", to: idOf("nobody") },
    { field: "root", to: idOf("b") },
    { field: "depth", to: 0 },
    { field: "depth", to: -7 },
    { field: "depth", to: false },
    { field: "depth", to: "1" },
    { field: "state", to: { part: "y" } },
    { field: "state", to: { part: "x", more: null } },
    { field: "budget", to: { lifetime_ms: 86_400_000 } },
    { field: "budget", to: { cpu_milli: 999, lifetime_ms: 86_400_000 } },
    { field: "regions", to: ["**", "port:1"] },
    { field: "network", to: "open" },
    { field: "issued_at_ms", to: 0 },
    { field: "register_by_ms", to: 9_999_999_999_999 },
    { field: "expires_at_ms", to: 9_999_999_999_999 },
    { field: "contract_hash", to: "0".repeat(64) },
  ];

  test.each(changed)(
    "[RG6] another $field ($to) than was admitted is refused, signed or not (replication A8)",
    ({ field, to }) => {
      const steps = [...start("p", { budget: { cpu_milli: 9 } }), ...start("b")];
      given(create(), steps, admit("a", { under: "p", state: { part: "x" } }))
        .when(register("a", { [field]: to }))
        .refused("manifest_invalid", { why: "content" });
    },
  );

  test("[RG6] the order of keys in state and budget is no difference", () => {
    const budget = { cpu_milli: 1, spawns: 2, lifetime_ms: 5_000 };
    given(create(), admit("a", { state: { x: 1, y: [1, { z: 2 }] }, budget }))
      .when(
        register("a", {
          state: { y: [1, { z: 2 }], x: 1 },
          budget: { lifetime_ms: 5_000, spawns: 2, cpu_milli: 1 },
        }),
      )
      .happens("worker.registered");
  });

  test("[RG6] a signed manifest that the journal never issued is refused (replication A8)", () => {
    const stranger = { instance: idOf("z"), root: idOf("z"), name: "z" };
    given(create(), admit("a"))
      .when(register("a", stranger, { by: self("z") }))
      .refused("manifest_invalid", { why: "content" });
  });
});

describe("time", () => {
  test.each([
    { waitMs: TTL_MS - 1, code: null },
    { waitMs: TTL_MS, code: "manifest_expired" },
    { waitMs: TTL_MS + 1, code: "manifest_expired" },
  ])(
    "[RG7] $waitMs ms after its issue a manifest is answered $code (replication A10)",
    ({ waitMs, code }) => {
      const { decision } = given(create(), admit("a"), after(waitMs)).when(register("a"));
      expect(decision.refusal?.code ?? null).toBe(code);
      const kinds = decision.events.map(({ kind }) => kind);
      expect(kinds).toStrictEqual(
        code === null ? ["worker.registered"] : ["worker.lapsed", "command.refused"],
      );
    },
  );

  test("[RG7] a manifest cannot be dated into the future or the past (replication A10)", () => {
    const { play } = given(create(), admit("a"));
    for (const issued_at_ms of [915_148_800_000, 32_472_144_000_000]) {
      const { refusal } = play.take(register("a", { issued_at_ms })) ?? {};
      expect(refusal?.code).toBe("manifest_invalid");
    }
    play.take(after(TTL_MS));
    const late = register("a", { register_by_ms: 32_472_144_000_000 }, { ended: idOf("a") });
    expect(play.take(late)?.refusal?.code).toBe("manifest_used");
  });

  test("[RG8] a lapsed reservation gives back its place and its budget", () => {
    const play = given(
      create({ max_replicas: 2 }),
      start("p", { budget: { cpu_milli: 10, spawns: 5, units: { tokens: 8 } } }),
      admit("a", { under: "p", budget: { cpu_milli: 6, spawns: 2, units: { tokens: 8 } } }),
      after(TTL_MS),
    )
      .when(admit("b", { under: "p", budget: { cpu_milli: 10, units: { tokens: 8 } } }))
      .happens({ kind: "worker.lapsed", data: { worker: idOf("a") } }, "worker.admitted");
    expect(play.state.live_count).toBe(2);
    expect(play.worker("p").reserved).toMatchObject({ cpu_milli: 10, "units.tokens": 8 });
  });

  test("[RG9] it gives back neither its part of max_total, nor the cooldown, nor the spawn", () => {
    const lapsing = [
      start("p", { budget: { spawns: 1 } }),
      admit("a", { under: "p" }),
      after(TTL_MS),
    ] as const;
    given(create({ max_total: 2 }), ...lapsing)
      .when(admit("b"))
      .refused("max_total");
    given(create({ cooldown_ms: TTL_MS + 1 }), ...lapsing)
      .when(admit("b", { under: "p" }))
      .refused("cooldown");
    const play = given(create(), ...lapsing)
      .when(admit("b", { under: "p" }))
      .refused("budget_exceeded", { key: "spawns" });
    expect(play.worker("p").spent).toStrictEqual({ spawns: 1 });
  });

  test("[RG8] several reservations lapse in the order of their instants, each at its own", () => {
    const { play } = given(create(), admit("b"), after(10), admit("a"), after(TTL_MS - 10));
    const first = play.take(tick)?.events;
    expect(first).toStrictEqual([{ kind: "worker.lapsed", data: { worker: idOf("b") } }]);
    play.take(after(10));
    expect(play.take(tick)?.events).toStrictEqual([
      { kind: "worker.lapsed", data: { worker: idOf("a") } },
    ]);
    expect(play.state.live_count).toBe(0);
  });
});

describe("what may have changed since the admission", () => {
  test("[RG10] a manifest issued before a kill is not taken up after it (replication A3)", () => {
    const play = given(create(), admit("a"), kill).when(register("a")).refused("fleet_killed");
    expect(play.worker("a").status).toBe("stopping");
  });

  test("[RG10] nor in a paused one, until it is resumed in time", () => {
    given(create(), admit("a"), pause).when(register("a")).refused("fleet_paused");
    given(create(), admit("a"), pause, resume).when(register("a")).happens("worker.registered");
  });

  test("[RG11] nor below a parent in quarantine, until it is lifted (replication A4)", () => {
    const line = [create(), start("p"), admit("a", { under: "p" }), quarantine("p")] as const;
    given(...line)
      .when(register("a"))
      .refused("parent_quarantined", { parent: idOf("p") });
    given(...line, unquarantine("p"))
      .when(register("a"))
      .happens("worker.registered");
  });

  test.each(["stop", "grandparent", "keep"] as const)(
    "[RG11] nor below a dead parent, whatever becomes of orphans: %s (replication A7)",
    (on_orphan) => {
      const line = [
        create({ on_orphan }),
        start("r"),
        start("p", { under: "r" }),
        admit("a", { under: "p" }),
        exited("p"),
      ] as const;
      const play = given(...line)
        .when(register("a"))
        .refused("parent_not_running");
      expect(play.worker("p").last_admission_at_ms).not.toBeNull();
      play.take(after(TTL_MS));
      play.take(tick);
      expect([play.holds("a"), play.holds("p")]).toStrictEqual([false, false]);
    },
  );

  test("[RG11] a parent that is only stale is no obstacle", () => {
    given(create(), start("p"), admit("a", { under: "p" }), observe("p", { silent_ms: TTL_MS }))
      .when(register("a"))
      .happens("worker.registered");
  });

  test("[RG12] under the same contract nothing is counted again: the place was reserved", () => {
    given(create({ max_replicas: 2, max_total: 2 }), admit("a"), admit("b"))
      .when(register("a"))
      .happens("worker.registered");
  });

  const raise = { max_total: 9 };
  test.each([
    { to: { max_replicas: 2 }, code: null },
    { to: { max_replicas: 1 }, code: "max_replicas" },
    { to: { max_total: 2 }, code: null },
    { to: { max_total: 1 }, code: "max_total" },
    { to: { ...raise, max_depth: 1 }, code: null },
    { to: { ...raise, max_depth: 0 }, code: "max_depth" },
    { to: { stop: [{ name: "one", when: "active_count > 1" }] }, code: null },
    { to: { stop: [{ name: "one", when: "active_count >= 1" }] }, code: "stop_condition" },
    { to: { stop: [{ name: "kids", when: "parent.children_count > 0" }] }, code: null },
    {
      to: { stop: [{ name: "kids", when: "parent.children_count == 0" }] },
      code: "stop_condition",
    },
    { to: { stop: [{ name: "why", when: 'reason == "play"' }] }, code: "stop_condition" },
    { to: { stop: [{ name: "total", when: "total_count == 1" }] }, code: "stop_condition" },
    { to: { stop: [{ name: "depth", when: "depth == 1" }] }, code: "stop_condition" },
    { to: { stop: [{ name: "gone" }] }, code: "stop_condition" },
  ] as const)(
    "[RG13] under $to, enacted since, the answer is $code (replication A1)",
    ({ to, code }) => {
      const outcome = given(create(), start("p"), admit("a", { under: "p" }), enact(to)).when(
        register("a"),
      );
      if (code === null) outcome.happens("worker.registered");
      else outcome.refused(code);
    },
  );

  test("[RG13] the verdict of a function is taken again too", () => {
    const { play } = given(create(), admit("a"), enact({ stop: [{ name: "f" }] }));
    const manifest = play.manifestOf("a");
    const data = { manifest, envelope: "valid", verdicts: { f: false } } as const;
    expect(play.take(ask("worker.register", data, { by: self("a") }))?.refusal).toBeNull();
  });
});

describe("a withdrawn reservation", () => {
  test("[RG14] a reservation that was told to stop cannot be taken up", () => {
    const play = given(create(), admit("a"), stop("a"))
      .when(register("a"))
      .refused("manifest_used", { status: "stopping" });
    expect(play.state.live_count).toBe(1);
  });

  test("[RG14] it leaves at its instant without evidence, for nothing ran by right", () => {
    const play = given(create(), admit("a"), stop("a"), after(TTL_MS))
      .when(tick)
      .happens({ kind: "worker.lapsed", data: { worker: idOf("a") } });
    expect(play.state.live_count).toBe(0);
  });

  test("[RG14] also after a kill, so a dead fleet keeps no reservation for ever", () => {
    given(create(), admit("a"), kill, after(TTL_MS)).when(tick).happens("worker.lapsed");
  });

  test("[RG14] evidence of its end is taken before that, from whoever started it", () => {
    const play = given(create(), admit("a"), stop("a")).when(exited("a")).happens("worker.stopped");
    expect(play.state.live_count).toBe(0);
  });
});

test("[RG15] only the worker, an operator or a supervisor presents its manifest", () => {
  for (const by of [self("a"), SUPERVISOR, { kind: "operator", via: "cli" } as const])
    given(create(), admit("a"))
      .when(register("a", {}, { by }))
      .happens("worker.registered");
  for (const by of [self("b"), { kind: "system", via: "runtime" } as const])
    given(create(), admit("a"))
      .when(register("a", {}, { by }))
      .refused("not_authorised");
});

test("[RG3] what was charged to a worker is not undone by its manifest", () => {
  const play = given(create(), start("a", { budget: { cpu_ms: 50 } }), charge("a", { cpu_ms: 20 }))
    .when(register("a"))
    .refused("manifest_used");
  expect(play.worker("a").spent).toStrictEqual({ cpu_ms: 20 });
});
