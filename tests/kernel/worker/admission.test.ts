import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/kernel/limits.ts";
import {
  admit,
  after,
  create,
  enact,
  exited,
  given,
  idOf,
  observe,
  quarantine,
  register,
  self,
  START_MS,
  start,
  stop,
} from "../../support/scenario.ts";

describe("room in the fleet", () => {
  test("[AD1] an admission at the last place is granted, one more is refused", () => {
    given(create({ max_replicas: 2 }), start("a"))
      .when(admit("b"))
      .happens("worker.admitted");
    given(create({ max_replicas: 2 }), start("a"), admit("b"))
      .when(admit("c"))
      .refused("max_replicas", { max: 2, live: 2 });
  });

  test("[AD1] open reservations fill the fleet before anybody registers (replication A1)", () => {
    const { play } = given(create({ max_replicas: 2 }), admit("a"), admit("b"));
    for (const name of ["c", "d", "e"])
      expect(play.take(admit(name))?.refusal?.code).toBe("max_replicas");
    expect(play.state.live_count).toBe(2);
    expect(play.take(register("a"))?.refusal).toBeNull();
    expect(play.take(register("b"))?.refusal).toBeNull();
    expect(play.state.live_count).toBe(2);
  });

  test("[AD1] a worker that is stopping keeps its place until its end is proven", () => {
    given(create({ max_replicas: 1 }), start("a"), stop("a"))
      .when(admit("b"))
      .refused("max_replicas");
    given(create({ max_replicas: 1 }), start("a"), stop("a"), exited("a"))
      .when(admit("b"))
      .happens("worker.admitted");
  });

  test("[AD2] every admission of the fleet's life counts against max_total, the dead's too", () => {
    given(create({ max_total: 2 }), start("a"), exited("a"))
      .when(admit("b"))
      .happens("worker.admitted");
    given(create({ max_total: 2 }), start("a"), exited("a"), start("b"), exited("b"))
      .when(admit("c"))
      .refused("max_total", { max: 2, total: 2 });
  });
});

describe("cooldown", () => {
  const fleet = [create({ cooldown_ms: 1_000 }), start("p"), admit("a", { under: "p" })].flat();

  test.each([
    { waitMs: 0, code: "cooldown" },
    { waitMs: 999, code: "cooldown" },
    { waitMs: 1_000, code: null },
    { waitMs: 1_001, code: null },
  ])("[AD3] $waitMs ms after the last admission the answer is $code", ({ waitMs, code }) => {
    const outcome = given(fleet, after(waitMs)).when(admit("b", { under: "p" }));
    if (code === null) outcome.happens("worker.admitted");
    else outcome.refused("cooldown", { waited_ms: waitMs, retry_after_ms: 1_000 - waitMs });
  });

  test("[AD3] the cooldown runs from the admission, not the registration (replication A5)", () => {
    const { play } = given(create({ cooldown_ms: 3_600_000 }), start("p"));
    const codes = ["a", "b", "c"].map(
      (name) => play.take(admit(name, { under: "p" }))?.refusal?.code ?? "granted",
    );
    expect(codes).toStrictEqual(["granted", "cooldown", "cooldown"]);
  });

  test("[AD3] the cooldown outlives the child that began it", () => {
    given(fleet, register("a"), exited("a"), after(999))
      .when(admit("b", { under: "p" }))
      .refused("cooldown");
  });

  test("[AD4] the two maxima and spawns bound roots and chains (replication A6)", () => {
    const { play } = given(create({ cooldown_ms: 3_600_000, max_depth: 9, max_replicas: 5 }));
    for (const step of start("a", { budget: { spawns: 3 } })) play.take(step);
    for (const [child, parent] of [
      ["b", "a"],
      ["c", "b"],
    ] as const)
      for (const step of start(child, { under: parent }))
        expect(play.take(step)?.refusal).toBeNull();
    // Of three spawns one was spent on b, which was given one of the two left, and spent it on c.
    const spent = play.take(admit("d", { under: "c" }))?.refusal;
    expect(spent?.code).toBe("budget_exceeded");
    expect(spent?.facts).toMatchObject({ key: "spawns" });
    for (const name of ["r", "s"]) expect(play.take(admit(name))?.refusal).toBeNull();
    expect(play.take(admit("t"))?.refusal?.code).toBe("max_replicas");
    play.take(enact({ max_replicas: 50, max_total: 6 }));
    expect(play.take(admit("t"))?.refusal).toBeNull();
    expect(play.take(admit("u"))?.refusal?.code).toBe("max_total");
  });
});

describe("depth", () => {
  test("[AD5] the depth is the parent's and one, by the journal; the root's is 0", () => {
    const { play } = given(create(), start("a"), start("b", { under: "a", by: self("a") }));
    expect([play.worker("a").depth, play.worker("b").depth]).toStrictEqual([0, 1]);
    expect(play.worker("b").root).toBe(idOf("a"));
  });

  test.each([0, 2, 3])("[AD5] a claimed depth of %i below a root is refused", (depth) => {
    given(create(), start("a"))
      .when(admit("b", { under: "a", depth }))
      .refused("depth_mismatch", { depth: 1, claimed: depth });
  });

  test("[AD5] a claimed depth that is right is granted", () => {
    given(create(), start("a"))
      .when(admit("b", { under: "a", depth: 1 }))
      .happens("worker.admitted");
    given(create())
      .when(admit("a", { depth: 1 }))
      .refused("depth_mismatch");
  });

  test("[AD6] a generation at max_depth, 0 too, is granted, the next refused (leases H51)", () => {
    const line = [create({ max_depth: 1 }), start("a"), start("b", { under: "a" })];
    given(...line)
      .when(admit("c", { under: "b" }))
      .refused("max_depth", { max: 1, depth: 2 });
    given(create({ max_depth: 0 }))
      .when(admit("a"))
      .happens("worker.admitted");
    given(create({ max_depth: 0 }), start("a"))
      .when(admit("b", { under: "a" }))
      .refused("max_depth", { max: 0, depth: 1 });
  });
});

describe("the parent", () => {
  test("[AD7] a parent that never lived is unknown, a dead one is known (replication A8)", () => {
    given(create())
      .when(admit("b", { under: "a" }))
      .refused("parent_unknown");
    given(create())
      .when(admit("a", { under: "a" }))
      .refused("parent_unknown");
    given(create(), start("a"), exited("a"))
      .when(admit("b", { under: "a", ended: idOf("a") }))
      .refused("parent_not_running", { status: "stopped" });
  });

  test("[AD7] only a parent that runs, is not in quarantine and not stale gets a child", () => {
    given(create(), admit("a"))
      .when(admit("b", { under: "a" }))
      .refused("parent_not_running", { status: "admitted" });
    given(create(), start("a"), stop("a"))
      .when(admit("b", { under: "a" }))
      .refused("parent_not_running", { status: "stopping" });
    given(create(), start("a"), quarantine("a"))
      .when(admit("b", { under: "a" }))
      .refused("parent_quarantined");
    given(create(), start("a"), observe("a", { silent_ms: 30_000 }))
      .when(admit("b", { under: "a" }))
      .refused("parent_stale");
  });
});

describe("rights", () => {
  test("[AD8] a child's network is at most its parent's (replication A12)", () => {
    const wide = given(create(), start("a", { network: "open" }));
    wide.when(admit("b", { under: "a", network: "open" })).happens("worker.admitted");
    given(create(), start("a", { network: "none" }))
      .when(admit("b", { under: "a", network: "controller" }))
      .refused("rights_exceeded", { field: "network", parent: "none", got: "controller" });
  });

  test("[AD8] unasked, the network is controller, or the parent's if that is narrower", () => {
    const { play } = given(
      create(),
      start("a"),
      start("n", { network: "none" }),
      start("b", { under: "n" }),
      start("o", { network: "open" }),
      start("c", { under: "o" }),
    );
    const networks = ["a", "b", "c"].map((name) => play.worker(name).network);
    expect(networks).toStrictEqual(["controller", "none", "controller"]);
  });

  test("[AD9] regions are inherited, or lie in the parent's; a root has what it asks for", () => {
    const { play } = given(
      create(),
      start("a", { regions: ["src/{api,web}/", "!src/web/gen/**"] }),
      start("b", { under: "a" }),
      start("c", { under: "a", regions: ["src/api/v?/**"] }),
    );
    const canonical = ["src/api/**", "src/web/**", "!src/web/gen/**"];
    expect(play.worker("a").regions).toStrictEqual(canonical);
    expect(play.worker("b").regions).toStrictEqual(canonical);
    expect(play.worker("c").regions).toStrictEqual(["src/api/v?/**"]);
    expect(given(create(), start("r")).play.worker("r").regions).toStrictEqual(["*:**"]);
  });

  test.each([
    [["docs/a"], "docs/a"],
    [["src/api/**", "src/web/**"], "src/web/gen"],
    [["port:80"], "port:80"],
    [["**"], "s"],
  ])("[AD9] %j lie outside, and the refusal shows a resource that does", (regions, witness) => {
    given(create(), start("a", { regions: ["src/**", "!src/web/gen/**"] }))
      .when(admit("b", { under: "a", regions }))
      .refused("rights_exceeded", { field: "regions", witness });
  });

  test.each([
    [["a/../b"], "region_invalid"],
    [["src/**", "!**"], "region_invalid"],
    [[], "region_invalid"],
    [["{a,b}".repeat(12)], "region_too_large"],
  ] as const)("[AD9] %j are refused as %s, for a root too", (regions, code) => {
    for (const under of [{}, { under: "a" }])
      given(create(), start("a"))
        .when(admit("b", { ...under, regions }))
        .refused(code, { field: "regions" });
  });

  test("[AD10] a weak sandbox is refused unless the contract names the weakness", () => {
    given(create())
      .when(admit("a", { degraded: ["same_user"] }))
      .refused("containment_too_weak", { degraded: "same_user" });
    const allowed = given(create({ allow_degraded: ["same_user"] }));
    allowed.when(admit("a", { degraded: ["same_user"] })).happens("worker.admitted");
    given(create({ allow_degraded: ["same_user"] }))
      .when(admit("a", { degraded: ["same_user", "no_limits"] }))
      .refused("containment_too_weak", { degraded: "no_limits" });
    const { refusal } = given(create({ allow_degraded: ["cpu"] })).when(
      admit("a", { degraded: ["memory", "same_user"], budget: { memory_bytes: 8 } }),
    ).decision;
    expect(refusal).toMatchObject({
      message:
        'allow_degraded must name "memory" and "same_user" for this sandbox, it names ["cpu"]',
      facts: { degraded: "memory", missing: ["memory", "same_user"], allowed: ["cpu"] },
    });
  });
});

describe("the manifest", () => {
  test("[AD11] one entry reserves place, total and budget and issues the manifest", () => {
    const outcome = given(create({ cooldown_ms: 5 }), start("p", { budget: { cpu_milli: 10 } }));
    const play = outcome
      .when(admit("a", { under: "p", budget: { cpu_milli: 4 }, state: { part: "x" } }))
      .happens({
        kind: "worker.admitted",
        data: {
          manifest: {
            version: 1,
            instance: idOf("a"),
            parent: idOf("p"),
            root: idOf("p"),
            depth: 1,
            state: { part: "x" },
            budget: { cpu_milli: 4 },
            key_id: "k1",
          },
        },
      });
    expect([play.state.live_count, play.state.total_count]).toStrictEqual([2, 2]);
    expect(play.worker("p").reserved).toStrictEqual({ cpu_milli: 4 });
    expect(play.worker("p").last_admission_at_ms).toBe(START_MS);
    expect(play.manifestOf("a").contract_hash).toBe(play.state.contract_hash);
  });

  test("[AD12] a manifest ends with the lifetime and never after its parent", () => {
    const { play } = given(
      create({ lifetime_ms: 10_000, register_within_ms: 1_000 }),
      start("a", { budget: { lifetime_ms: 4_000 } }),
      after(1_000),
      start("b", { under: "a", budget: { lifetime_ms: 4_000 } }),
      admit("c", { budget: { lifetime_ms: 500 } }),
    );
    expect(play.worker("a").expires_at_ms).toBe(START_MS + 4_000);
    expect(play.worker("b").expires_at_ms).toBe(START_MS + 4_000);
    expect(play.worker("c").register_by_ms).toBe(START_MS + 1_500);
    expect(play.manifestOf("b").register_by_ms).toBe(START_MS + 2_000);
  });

  test("[AD13] an instance id is good for one admission, dead or alive (replication A11)", () => {
    given(create(), start("a"))
      .when(admit("a"))
      .refused("instance_taken", { instance: idOf("a") });
    given(create(), start("a"), exited("a"))
      .when(admit("a", { ended: idOf("a") }))
      .refused("instance_taken");
  });

  test("[AD13] a name is only a label and may be used by several at once", () => {
    given(create(), start("a"))
      .when(admit("b", { name: "a" }))
      .happens("worker.admitted");
  });
});

describe("stop conditions", () => {
  const full = { name: "full", when: "active_count >= 2" };

  test("[AD14] a condition is asked about the fleet in which the candidate does not count", () => {
    given(create({ stop: [full] }), start("a"))
      .when(admit("b"))
      .happens("worker.admitted");
    given(create({ stop: [full] }), start("a"), start("b"))
      .when(admit("c"))
      .refused("stop_condition", { condition: "full", when: full.when });
  });

  test("[AD15] the first condition that holds, fails or is missing blocks", () => {
    const broken = { name: "broken", when: "state.absent > 1" };
    const unbrought = { name: "function" };
    given(create({ stop: [full, broken, unbrought] }))
      .when(admit("a"))
      .refused("stop_condition", { condition: "broken" });
    given(create({ stop: [full, unbrought, broken] }))
      .when(admit("a"))
      .refused("stop_condition", { condition: "function", missing: true });
    given(create({ stop: [unbrought] }))
      .when(admit("a", { verdicts: { function: "it threw" } }))
      .refused("stop_condition", { condition: "function", error: "it threw" });
    given(create({ stop: [unbrought] }))
      .when(admit("a", { verdicts: { function: true } }))
      .refused("stop_condition", { condition: "function" });
    given(create({ stop: [unbrought] }))
      .when(admit("a", { verdicts: { function: false } }))
      .happens("worker.admitted");
  });

  test("[AD15] a verdict of another name, or inherited, is none", () => {
    given(create({ stop: [{ name: "toString" }] }))
      .when(admit("a", { verdicts: { other: false } }))
      .refused("stop_condition", { missing: true });
  });

  test("[AD14] a condition sees parent, root, depth and what would be granted", () => {
    const when =
      'depth == 1 && parent.name == "p" && root.id == parent.id && parent.children_count == 1 ' +
      "&& budget.cpu_milli == 5 && total_count == 2 && contract.max_depth == 3";
    given(
      create({ stop: [{ name: "seen", when: `has(state.ask) && ${when}` }] }),
      start("p", { budget: { cpu_milli: 20 } }),
      start("a", { under: "p", budget: { cpu_milli: 10 } }),
    )
      .when(admit("b", { under: "p", state: { ask: true } }))
      .refused("stop_condition", { condition: "seen" });
  });
});

test("[AD16] a refusal changes nothing but the count of its actor's refusals", () => {
  const { play } = given(create({ max_replicas: 1 }), start("a"));
  const before = play.worker("a");
  for (const name of ["b", "c"]) play.take(admit(name, { under: "a", by: self("a") }));
  expect(play.worker("a")).toBe(before);
  expect(play.state.refusals.get(`worker:${idOf("a")}`)).toStrictEqual({
    started_at_ms: START_MS,
    count: 2,
  });
  play.take(after(LIMITS.refusalWindowMs));
  play.take(admit("d", { under: "a", by: self("a") }));
  expect(play.state.refusals.get(`worker:${idOf("a")}`)?.count).toBe(1);
});
