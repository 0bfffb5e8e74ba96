import { describe, expect, test } from "vitest";
import type { Contract } from "../../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import {
  acquire,
  enactLanes,
  holder,
  leaseOf,
  release,
  TTL_MS,
} from "../../support/lease-scenario.ts";
import {
  admit,
  after,
  create,
  exited,
  FLEET,
  given,
  idOf,
  KEY,
  ask,
  recover,
  resume,
  start,
  START_MS,
  stop,
  tick,
} from "../../support/scenario.ts";
import { DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";

const API = { name: "api", region: ["src/api/**"] };
const WEB = { name: "web", region: ["src/web/**"], slots: 2, aliases: ["site"] };
const RELEASE = { name: "release", region: ["dist/**"], alone: true };

describe("a grant", () => {
  test("[LS1] holds canonical ground until its instant, under a fence above all before", () => {
    const play = given(create())
      .when(acquire("ann", "src/./b/** src/{a,b}/x.ts !src/b/gen/"))
      .happens("lease.granted");
    const lease = leaseOf(play, "ann");
    expect(lease).toMatchObject({
      id: "l-2",
      fence: 2,
      mode: "exclusive",
      region: ["src/a/x.ts", "src/b/**", "src/b/x.ts", "!src/b/gen/**"],
      lane: null,
      expires_at_ms: START_MS + TTL_MS,
    });
    play.take(acquire("bob", "docs/**"));
    expect(leaseOf(play, "bob").fence).toBeGreaterThan(lease.fence);
  });

  test("[LS1] after a loss the fences of a new epoch are above all of the old one", () => {
    const { play } = given(create(), acquire("ann", "a"), recover([]), resume);
    play.take(acquire("bob", "b"));
    expect(leaseOf(play, "bob").fence).toBe(2 ** 40 + play.state.seq);
  });

  test("[LS3] two holders cannot have one file, whichever patterns say it (leases H22)", () => {
    given(create(), acquire("ann", "src/{a,b}.ts"))
      .when(acquire("bob", "src/?.t[rs]"))
      .refused("conflict", {
        lease_id: "l-2",
        holder: "ann",
        mode: "exclusive",
        witness: "src/a.ts",
        expires_at_ms: START_MS + TTL_MS,
        own: false,
      });
  });

  test("[LS3] ground that shares nothing is granted beside the other (leases H22)", () => {
    given(create(), acquire("ann", "src/a/**"))
      .when(acquire("bob", "src/ab/**"))
      .happens("lease.granted");
  });

  test("[LS3] padding with other ground does not let a holder in (leases H22)", () => {
    given(create(), acquire("ann", "src/a.ts"))
      .when(acquire("bob", "docs/** tests/** README.md src/a.ts"))
      .refused("conflict", { witness: "src/a.ts" });
  });

  test("[LS3] a region of nothing is no lease that blocks nothing (leases H23)", () => {
    given(create()).when(acquire("ann", "src/** !src/**")).refused("region_invalid");
  });

  test("[LS3] readers share, and keep writers out; a writer keeps readers out", () => {
    const { play } = given(
      create(),
      acquire("ann", "src/**", { mode: "shared" }),
      acquire("bob", "src/a/**", { mode: "shared" }),
    );
    expect(play.take(acquire("eve", "src/a/x"))?.refusal?.code).toBe("conflict");
    given(create(), acquire("ann", "src/**"))
      .when(acquire("bob", "src/a", { mode: "shared" }))
      .refused("conflict", { mode: "exclusive" });
  });

  test("[LS4] a holder's own lease is in its way as any other's is", () => {
    given(create(), acquire("ann", "src/**"))
      .when(acquire("ann", "src/a"))
      .refused("conflict", { own: true });
  });

  test("[LS4] a person of a worker's name is another than the worker", () => {
    given(create(), start("a"), acquire("@a", "src/**"))
      .when(acquire(idOf("a"), "src/a"))
      .refused("conflict", { own: false });
  });

  test("[LS5] what a holder has already is left as it is, nothing is written (leases H54)", () => {
    const play = given(create(), acquire("ann", "src/** docs/**"), after(1_000))
      .when(acquire("ann", "docs/** src/{**,**}"))
      .happens();
    expect(leaseOf(play, "ann").expires_at_ms).toBe(START_MS + TTL_MS);
  });

  test("[LS5] the same ground in another mode is another wish", () => {
    given(create(), acquire("ann", "src/**"))
      .when(acquire("ann", "src/**", { mode: "shared" }))
      .refused("conflict", { own: true });
  });

  test("[LS6] a key answers the lease that it made, while that lives (leases H54)", () => {
    const { play } = given(create(), acquire("ann", "src/**", { key: "k" }));
    expect(play.take(acquire("ann", "src/**", { key: "k" }))).toMatchObject({
      refusal: null,
      events: [],
    });
    play.take(release("ann"));
    expect(play.take(acquire("ann", "docs/**", { key: "k" }))).toMatchObject({
      events: [{ kind: "lease.granted" }],
    });
  });

  test("[LS6] a key is not answered with a lease on other ground", () => {
    given(create(), acquire("ann", "src/**", { key: "k" }))
      .when(acquire("ann", "docs/**", { key: "k" }))
      .refused("command_mismatch", { key: "k", lease_id: "l-2" });
  });

  test("[LS6] a key is not answered with a lease in another mode, nor of another lane", () => {
    const keyed = { key: "k" };
    given(create(), acquire("ann", "src/**", keyed))
      .when(acquire("ann", "src/a", { ...keyed, mode: "shared" }))
      .refused("command_mismatch", { expected: "exclusive src/**", got: "shared src/a" });
    const held = given(create(), enactLanes([API]), acquire("ann", { lanes: ["api"], ...keyed }));
    held
      .when(acquire("ann", "src/api/x", keyed))
      .refused("command_mismatch", { got: "exclusive src/api/x" });
    held.when(acquire("ann", { lanes: ["api"], ...keyed })).happens();
  });

  test("[LS6] a key is its holder's own", () => {
    given(create(), acquire("ann", "src/**", { key: "k" }))
      .when(acquire("bob", "src/**", { key: "k" }))
      .refused("conflict", { own: false });
  });

  test("[LS6] after a refusal the key is fresh", () => {
    const { play } = given(create(), acquire("ann", "src/**"));
    expect(play.take(acquire("bob", "src/**", { key: "k" }))?.refusal?.code).toBe("conflict");
    play.take(release("ann"));
    expect(play.take(acquire("bob", "src/**", { key: "k" }))?.refusal).toBeNull();
  });

  test("[LS7] a lease gives no right from its end on, though no entry says so (leases H12)", () => {
    const early = given(create(), acquire("ann", "src/**"), after(TTL_MS - 1));
    early.when(acquire("bob", "src/**")).refused("conflict");
    given(create(), acquire("ann", "src/**"), after(TTL_MS))
      .when(acquire("bob", "src/**"))
      .happens({ kind: "lease.lapsed", data: { lease: "l-2" } }, "lease.granted");
  });

  test("[LS7] when very many are over, what is not yet recorded is in nobody's way", () => {
    const many = Array.from({ length: LIMITS.leaseLapsesPerDecisionMax + 5 }, (_, index) =>
      acquire(`p${index}`, `f/${index}`),
    );
    const outcome = given(create(), many, after(TTL_MS)).when(acquire("ann", "f/**"));
    const { events } = outcome.decision;
    expect(events).toHaveLength(LIMITS.leaseLapsesPerDecisionMax + 1);
    expect(events.at(-1)?.kind).toBe("lease.granted");
    outcome.play.take(tick);
    expect(outcome.play.state.book.leases.size).toBe(1);
  });

  test("[LS8] a worker's ground lies in its rights, exactly; an outside party has no bound", () => {
    const workers = start("a", { regions: ["src/**"] });
    given(create(), workers)
      .when(acquire("@a", "src/x docs/y"))
      .refused("rights_exceeded", { field: "region", within: ["src/**"], witness: "docs/y" });
    given(create(), workers).when(acquire("@a", "src/x/**")).happens("lease.granted");
  });

  test("[LS9] what counts as held for one decision is in the way, and is recorded", () => {
    const { play } = given(create());
    const also = { also_held: [["src/**"], ["docs/a"]] };
    expect(play.take(acquire("ann", "docs/**", also))?.refusal).toMatchObject({
      code: "conflict",
      facts: { also_held: ["docs/a"], witness: "docs/a" },
    });
    expect(play.take(acquire("ann", "docs/**"))?.refusal).toBeNull();
  });
});

describe("lanes", () => {
  const lanes = enactLanes([API, WEB, RELEASE]);

  test("[LS10] a lane's lease is on its region, by any of its names (leases H49)", () => {
    const play = given(create(), lanes)
      .when(acquire("ann", { lanes: ["site"] }))
      .happens({ kind: "lease.granted", data: { lane: "web", mode: "slot" } });
    expect(leaseOf(play, "ann").region).toStrictEqual(["src/web/**"]);
  });

  test("[LS10] lanes and regions are in each other's way by their ground alone", () => {
    given(create(), lanes, acquire("ann", { lanes: ["api"] }))
      .when(acquire("bob", "src/*/x.ts"))
      .refused("conflict", { lane: "api", witness: "src/api/x.ts" });
  });

  test("[LS11] a name that is none is refused with the nearest one (leases H27)", () => {
    given(create(), lanes)
      .when(acquire("ann", { lanes: ["apu"] }))
      .refused("lane_unknown", { lane: "apu", nearest: "api" });
  });

  test("[LS11] case matters in names of lanes (leases H29)", () => {
    given(create(), lanes, acquire("ann", { lanes: ["api"] }))
      .when(acquire("bob", { lanes: ["API"] }))
      .refused("lane_unknown", { nearest: "api" });
  });

  test("[LS12] slots of a lane are never more than it has (leases H15)", () => {
    given(create(), lanes, acquire("a", { lanes: ["web"] }), acquire("b", { lanes: ["web"] }))
      .when(acquire("c", { lanes: ["web"] }))
      .refused("slots_full", { lane: "web", slots: 2, held: 2 });
  });

  test("[LS12] a slot is in the way of a region and of the whole lane", () => {
    const { play } = given(create(), lanes, acquire("a", { lanes: ["web"] }));
    expect(play.take(acquire("b", "src/web/x"))?.refusal?.code).toBe("conflict");
    const whole = { lanes: ["web"], mode: "exclusive" } as const;
    expect(play.take(acquire("b", whole))?.refusal?.code).toBe("conflict");
  });

  test("[LS12] slots of two lanes are in each other's way where their ground meets", () => {
    const both = enactLanes([WEB, { name: "all", region: ["src/**"], slots: 9 }]);
    given(create(), both, acquire("a", { lanes: ["web"] }))
      .when(acquire("b", { lanes: ["all"] }))
      .refused("conflict", { lane: "web", mode: "slot" });
  });

  test("[LS12] a slot that is over is free, recorded or not", () => {
    given(
      create(),
      lanes,
      acquire("a", { lanes: ["web"] }),
      after(1_000),
      acquire("b", { lanes: ["web"] }),
      after(TTL_MS - 1_000),
    )
      .when(acquire("c", { lanes: ["web"] }))
      .happens("lease.lapsed", "lease.granted");
  });

  test("[LS13] a lane that runs alone keeps all others out (leases H14)", () => {
    given(create(), lanes, acquire("a", "docs/**"))
      .when(acquire("b", { lanes: ["release"] }))
      .refused("conflict", { alone: true, lease_id: "l-3" });
    given(create(), lanes, acquire("a", { lanes: ["release"] }))
      .when(acquire("b", "docs/**"))
      .refused("conflict", { alone: true, lane: "release" });
  });

  test("[LS14] of several lanes the first that can be had is granted", () => {
    const play = given(create(), lanes, acquire("a", { lanes: ["api"] }))
      .when(acquire("b", { lanes: ["api", "web"] }))
      .happens({
        kind: "lease.granted",
        data: { lane: "web", passed_over: [{ lane: "api", code: "conflict" }] },
      });
    expect(leaseOf(play, "b").lane).toBe("web");
  });

  test("[LS14] where none can be had, the refusal tells of each", () => {
    given(create(), lanes, acquire("a", "src/**"))
      .when(acquire("b", { lanes: ["api", "web"] }))
      .refused("conflict", {
        tried: [
          { lane: "api", code: "conflict" },
          { lane: "web", code: "conflict" },
        ],
      });
  });

  test("[LS14] a name that is none is refused though another could be had (leases H27)", () => {
    given(create(), lanes)
      .when(acquire("b", { lanes: ["api", "wbe"] }))
      .refused("lane_unknown", { lane: "wbe" });
  });

  test("[LS15] lanes that are enacted anew leave leases as they were granted", () => {
    const { play } = given(create(), lanes, acquire("a", { lanes: ["web"] }));
    play.take(enactLanes([{ ...WEB, region: ["web/**"], slots: 1 }]));
    expect(leaseOf(play, "a").region).toStrictEqual(["src/web/**"]);
    expect(play.take(acquire("b", { lanes: ["web"] }))?.refusal?.code).toBe("slots_full");
    expect(play.take(acquire("b", "src/web/x"))?.refusal?.code).toBe("conflict");
  });

  test("[LS16] a name that two lanes have is refused, and so is a lane of nothing", () => {
    const { play } = given(create());
    const twice = enactLanes([API, { ...WEB, aliases: ["api"] }]);
    expect(play.take(twice)?.refusal).toMatchObject({ code: "lanes_invalid" });
    const empty = enactLanes([{ name: "x", region: ["a", "!a"] }]);
    expect(play.take(empty)?.refusal).toMatchObject({ code: "lanes_invalid" });
    expect(play.state.book.rules.lanes).toStrictEqual([]);
  });

  test("[LS16] the same lanes again are not written again", () => {
    given(create(), lanes).when(lanes).happens();
  });

  test("[LS24] what worktrees share is not changed below live leases", () => {
    const { play } = given(create(), acquire("ann", "src/**"));
    const own = enactLanes([], { worktrees: "own_ground" });
    expect(play.take(own)?.refusal).toMatchObject({
      code: "lanes_invalid",
      facts: { field: "worktrees", lease_id: "l-2" },
    });
    play.take(after(TTL_MS));
    expect(play.take(own)?.refusal).toBeNull();
    expect(play.take(acquire("ann", "src/**", { worktree: "one" }))?.refusal).toBeNull();
    expect(play.take(acquire("bob", "src/**", { worktree: "two" }))?.refusal).toBeNull();
    expect(play.take(acquire("eve", "src/a", { worktree: "main" }))?.refusal).toBeNull();
    expect(play.take(acquire("dan", "src/**", { worktree: "two" }))?.refusal?.code).toBe(
      "conflict",
    );
  });

  test("[LS27] where each worktree has its own, files are asked for on one that is named", () => {
    const api = [{ name: "api", region: ["src/api/**"] }];
    const held = [create(), enactLanes(api, { worktrees: "own_ground" })] as const;
    for (const asked of [
      acquire("ann", "src/**"),
      acquire("ann", "file:src/a"),
      acquire("ann", "*:x"),
      acquire("ann", { lanes: ["api"] }),
    ])
      given(...held)
        .when(asked)
        .refused("region_invalid", { field: "worktree" });
    given(...held)
      .when(acquire("ann", "port:8080"))
      .happens("lease.granted");
  });

  test("[LS17] an announcement is shown and holds nothing", () => {
    const announce = ask("lane.announce", { lane: "site", holder: "ann", note: "soon" });
    const play = given(create(), lanes)
      .when(announce)
      .happens({ kind: "lane.announced", data: { lane: "web" } });
    expect(play.take(acquire("bob", { lanes: ["web"] }))?.refusal).toBeNull();
    expect(play.state.book.leases.size).toBe(1);
  });

  test("[LS18] slot is a mode of lanes with slots only", () => {
    given(create(), lanes)
      .when(acquire("a", { lanes: ["api"], mode: "slot" }))
      .refused("region_invalid", { field: "mode" });
  });
});

describe("bounds", () => {
  test("[LS19] a holder has no more leases than the limit, the over ones not counted", () => {
    const many = Array.from({ length: LIMITS.leasesPerHolderMax }, (_, index) =>
      acquire("ann", `f/${index}`),
    );
    const { play } = given(create(), many);
    expect(play.take(acquire("ann", "more"))?.refusal?.code).toBe("limit_exceeded");
    expect(play.take(acquire("bob", "more"))?.refusal).toBeNull();
    play.take(after(TTL_MS));
    expect(play.take(acquire("ann", "yet/more"))?.refusal).toBeNull();
  });

  test("[LS19] a holder has no more bytes of patterns than the limit, and just as many", () => {
    const path = (name: string): string =>
      `${name.padEnd(4, "-")}${`/${"y".repeat(99)}`.repeat(10)}/`.padEnd(1_024, "z");
    const region = (name: string): string =>
      Array.from({ length: 16 }, (_, index) => path(name + index)).join(" ");
    const full = given(create(), acquire("ann", region("a")), acquire("ann", region("b")));
    full.when(acquire("ann", "c")).refused("limit_exceeded", {
      field: "bytes_of_holder",
      got: LIMITS.leaseBytesPerHolderMax + 1,
    });
    full.when(acquire("bob", "c")).happens("lease.granted");
  });

  test("[LS20] a condition on leases that holds or fails refuses, by its name", () => {
    const deny = (when: string): Partial<Contract> => ({
      lease_deny_when: [{ name: "few", when }],
    });
    const few = given(create(deny("active_leases >= 1")), acquire("ann", "a"));
    few.when(acquire("bob", "b")).refused("lease_condition", { condition: "few" });
    given(create(deny('worker.name == "x"')))
      .when(acquire("bob", "b"))
      .refused("lease_condition", { condition: "few" });
  });

  test("[LS21] where case is folded, names that differ in case alone are one", () => {
    const data = { fleet: FLEET, name: "plays", contract: DEFAULT_CONTRACT, key: KEY };
    const folded = ask("fleet.create", { ...data, fold_case: true });
    given(folded, acquire("ann", "src/README.md"))
      .when(acquire("bob", "SRC/readme.MD"))
      .refused("conflict");
    given(create(), acquire("ann", "src/README.md"))
      .when(acquire("bob", "SRC/readme.MD"))
      .happens("lease.granted");
  });

  test("[AD9] rights are narrowed as the fleet folds case", () => {
    const data = { fleet: FLEET, name: "plays", contract: DEFAULT_CONTRACT, key: KEY };
    const folded = ask("fleet.create", { ...data, fold_case: true });
    given(folded, start("a", { regions: ["**", "!secret/**"] }))
      .when(admit("b", { under: "a", regions: ["SECRET/**"] }))
      .refused("rights_exceeded");
  });

  test("[LS22] a worker that completes gives back all it held; another leaves it", () => {
    const held = [create(), start("a"), acquire("@a", "x"), acquire("@a", "y")] as const;
    given(...held)
      .when(exited("a"))
      .happens("worker.stopped", "lease.released", "lease.released");
    const play = given(...held)
      .when(exited("a", { exit_code: 3 }))
      .happens("worker.stopped");
    expect(play.take(acquire("bob", "x"))?.refusal?.code).toBe("conflict");
    given(...held, stop("a"))
      .when(exited("a"))
      .happens("worker.stopped");
  });

  test("[LS23] a name with odd characters is a name like others (leases H34)", () => {
    for (const name of ["ann ", "ann\nowner: eve", "ann\u2028", "\u0000", "a".repeat(256)]) {
      const { play } = given(create(), acquire(name, "src/**"));
      expect(play.take(acquire("ann", "src/**"))?.refusal?.facts).toMatchObject({
        holder: name,
        own: false,
      });
      expect(play.take(acquire(name, "src/**"))?.events).toStrictEqual([]);
      expect(play.take(release(name))?.refusal).toBeNull();
      expect(play.state.book.holders.size).toBe(0);
    }
    expect(holder("@a")).toStrictEqual({ worker: idOf("a") });
  });
});
