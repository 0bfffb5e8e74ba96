import { describe, expect, test } from "vitest";
import { renewRecordEveryMs } from "../../../src/kernel/lease/upkeep.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import {
  acquire,
  act,
  claim,
  enactLanes,
  leaseOf,
  outside,
  release,
  renew,
  revoke,
  token,
  TTL_MS,
} from "../../support/lease-scenario.ts";
import {
  admit,
  after,
  ask,
  create,
  enact,
  exited,
  given,
  idOf,
  kill,
  observe,
  pause,
  quarantine,
  self,
  start,
  START_MS,
  tick,
} from "../../support/scenario.ts";

describe("renewing", () => {
  test("[LS30] moves the end to a whole ttl from now", () => {
    given(create(), acquire("ann", "a"), after(40_000))
      .when(renew("ann"))
      .happens({
        kind: "lease.renewed",
        data: { lease: "l-2", expires_at_ms: START_MS + 40_000 + TTL_MS },
      });
  });

  test("[LS31] that moves the end by little writes nothing, and the recorded end holds", () => {
    const everyMs = renewRecordEveryMs(TTL_MS);
    const before = given(create(), acquire("ann", "a"), after(everyMs - 1));
    const play = before.when(renew("ann")).happens();
    expect(leaseOf(play, "ann").expires_at_ms).toBe(START_MS + TTL_MS);
    given(create(), acquire("ann", "a"), after(everyMs))
      .when(renew("ann"))
      .happens("lease.renewed");
  });

  test("[LS31] a renewal is recorded before half of any ttl is over", () => {
    for (const ttlMs of [LIMITS.leaseTtlMsMin, 1_001, 59_999, 60_000, LIMITS.leaseTtlMsMax]) {
      expect(renewRecordEveryMs(ttlMs)).toBeGreaterThan(0);
      expect(renewRecordEveryMs(ttlMs)).toBeLessThanOrEqual(ttlMs / 2);
    }
  });

  test("[LS31] never shortens what was promised", () => {
    given(create(), acquire("ann", "a"), after(1_000))
      .when(renew("ann", { ttl_ms: LIMITS.leaseTtlMsMin }))
      .happens();
  });

  test("[LS32] only the exact holder renews, with its own token and name (leases H30)", () => {
    const held = given(create(), start("a"), start("b"), acquire("ann", "x"), acquire("@a", "y"));
    const wrong: readonly (readonly [string, Parameters<typeof renew>[2]])[] = [
      ["ann", { claim: token("bob") }],
      ["ann", { claim: {} }],
      ["ann", { claim: { name: "ann" } }],
      ["ann", { claim: { ...token("ann"), name: "bob" } }],
      ["ann", { as: "@a" }],
      ["@a", { as: "ann", claim: token("ann") }],
      ["@a", { as: "ann", claim: { name: idOf("a") } }],
      ["@a", { as: "@b" }],
    ];
    for (const [name, so] of wrong) held.when(renew(name, {}, so)).refused("holder_mismatch");
    held.play.take(after(TTL_MS / 2));
    held.when(renew("@a")).happens("lease.renewed");
    held.when(renew("ann", {}, { claim: token("ann") })).happens("lease.renewed");
  });

  test("[LS32] an operator without the token is not the holder (leases H13)", () => {
    given(create(), start("a"), acquire("ann", "x"))
      .when(release("ann", { claim: {} }))
      .refused("holder_mismatch", { lease_id: "l-4", holder: "ann", got: "no token" });
  });

  test("[LS32] a worker does not act as another (leases H13)", () => {
    const data = { lease: "l-6", claim: { worker: idOf("a") } };
    given(create(), start("a"), start("b"), acquire("@a", "x"))
      .when(ask("lease.release", data, { by: self("b") }))
      .refused("not_authorised");
  });

  test("[LS33] another fence than the lease's is stale (leases H41)", () => {
    given(create(), acquire("ann", "a"))
      .when(renew("ann", { fence: 1 }))
      .refused("fence_stale", { fence: 2, got: 1 });
    given(create(), acquire("ann", "a"))
      .when(renew("ann", { fence: 3 }))
      .refused("fence_stale", { fence: 2, got: 3 });
  });

  test("[LS34] what is over is not renewed, at its very end nor after (leases H30)", () => {
    given(create(), acquire("ann", "a"), after(TTL_MS))
      .when(renew("ann", {}, { lease: "l-2" }))
      .refused("lease_ended", { lease_id: "l-2" });
    const late = given(create(), acquire("ann", "a"), after(TTL_MS), tick);
    late.when(renew("ann", {}, { lease: "l-2", ended: "l-2" })).refused("lease_ended");
    late.when(renew("ann", {}, { lease: "l-9" })).refused("lease_unknown");
  });

  test("[LS34] a lease that was released is not revived", () => {
    given(create(), acquire("ann", "a"), release("ann"))
      .when(renew("ann", {}, { lease: "l-2", ended: "l-2" }))
      .refused("lease_ended");
  });

  test("[LS35] a holder in quarantine does not renew, one that is stale does", () => {
    const held = [create(), start("a"), acquire("@a", "x"), after(TTL_MS / 2)] as const;
    given(...held, quarantine("a"))
      .when(renew("@a"))
      .refused("holder_quarantined", { holder: idOf("a") });
    given(...held, observe("a", { silent_ms: 30_000 }))
      .when(renew("@a"))
      .happens("lease.renewed");
  });

  test("[LS35] what is left by a worker that ended is renewed by nobody (leases H12)", () => {
    given(create(), start("a"), acquire("@a", "x"), exited("a", { exit_code: 1 }), after(50_000))
      .when(renew("@a", {}, { claim: claim("@a") }))
      .refused("holder_ended", { holder: idOf("a") });
  });

  test("[LS36] a pause stops grants, not renewals and releases; a kill stops renewals", () => {
    const held = [create(), acquire("ann", "a"), after(TTL_MS / 2)] as const;
    const { play } = given(...held, pause);
    expect(play.take(acquire("bob", "b"))?.refusal?.code).toBe("fleet_paused");
    expect(play.take(renew("ann"))?.refusal).toBeNull();
    expect(play.take(release("ann"))?.refusal).toBeNull();
    const dead = given(...held, kill);
    dead.when(acquire("bob", "b")).refused("fleet_killed");
    dead.when(renew("ann")).refused("fleet_killed");
    dead.when(release("ann")).happens("lease.released");
  });
});

describe("giving back", () => {
  test("[LS37] a released lease is gone, and its ground free at once", () => {
    const play = given(create(), acquire("ann", "a"))
      .when(release("ann"))
      .happens({ kind: "lease.released", data: { lease: "l-2", cause: "holder" } });
    expect(play.take(acquire("bob", "a"))?.refusal).toBeNull();
    expect(leaseOf(play, "bob").fence).toBeGreaterThan(2);
  });

  test("[LS37] a late release ends nothing that another has by now (leases H06)", () => {
    const late = release("ann", { lease: "l-2", ended: "l-2" });
    const lapsed = given(create(), acquire("ann", "a"), after(TTL_MS), acquire("bob", "a"));
    lapsed.when(late).refused("lease_ended");
    const thief = act(["lease.hand_over", "ann"], { to: outside("bob") });
    const { play } = given(create(), acquire("ann", "a"), thief);
    for (const claim of [{}, token("ann"), { name: "bob" }, token("")]) {
      const refusal = play.take(release("bob", { claim }))?.refusal;
      expect(refusal?.code).toBe("holder_mismatch");
    }
    expect(leaseOf(play, "bob").id).toBe("l-2");
    expect(lapsed.play.state.book.leases.size).toBe(1);
  });

  test("[LS38] what is narrowed lies in what was, exactly; the rest is free", () => {
    const play = given(create(), acquire("ann", "src/**"))
      .when(act(["lease.narrow", "ann"], { region: ["src/a/**", "!src/a/x"] }))
      .happens({ kind: "lease.narrowed", data: { region: ["src/a/**", "!src/a/x"] } });
    expect(leaseOf(play, "ann").fence).toBe(2);
    expect(play.take(acquire("bob", "src/b/** src/a/x"))?.refusal).toBeNull();
    expect(play.take(acquire("eve", "src/a/y"))?.refusal?.code).toBe("conflict");
    const back = act(["lease.narrow", "ann"], { region: ["src/**"] });
    expect(play.take(back)?.refusal?.code).toBe("rights_exceeded");
    const same = act(["lease.narrow", "ann"], { region: ["src/a/**", "!src/a/x"] });
    expect(play.take(same)).toMatchObject({ refusal: null, events: [] });
    const nothing = act(["lease.narrow", "ann"], { region: ["src/a/x", "!src/a/x"] });
    expect(play.take(nothing)?.refusal?.code).toBe("region_invalid");
  });

  test("[LS39] an operator revokes, and says why; the holder's next call learns of the end", () => {
    const held = given(create(), acquire("ann", "a"));
    held
      .when(revoke("ann"))
      .happens({ kind: "lease.revoked", data: { lease: "l-2", reason: "play" } });
    held.when(renew("ann", {}, { lease: "l-2", ended: "l-2" })).refused("lease_ended");
    given(create(), start("a"), acquire("@a", "a"))
      .when(ask("lease.revoke", { lease: "l-4", reason: "mine" }, { by: self("a") }))
      .refused("not_authorised");
  });
});

describe("handing over", () => {
  const over = (to: string, so: Parameters<typeof act>[2] = {}) =>
    act(["lease.hand_over", "ann"], { to: to.startsWith("@") ? claimed(to) : outside(to) }, so);

  function claimed(name: string): { readonly worker: string } {
    return { worker: idOf(name.slice(1)) };
  }

  function adopt(from: string, to: string) {
    const data = { orphan: true, to: to.startsWith("@") ? claimed(to) : outside(to) } as const;
    return act(["lease.hand_over", from], data, { as: to });
  }

  test("[LS40] id and ground stay; holder, fence and ttl are new (leases H41)", () => {
    const play = given(create(), acquire("ann", "a", { key: "k" }), after(10_000))
      .when(over("bob"))
      .happens({ kind: "lease.handed_over", data: { lease: "l-2", from: "ann", orphan: false } });
    expect(leaseOf(play, "bob")).toMatchObject({
      id: "l-2",
      fence: 3,
      region: ["a"],
      key: null,
      expires_at_ms: START_MS + 10_000 + TTL_MS,
      taken_over: { holder: "ann", fence: 2, orphan: false, at_ms: START_MS + 10_000 },
    });
  });

  test("[LS40] it is for the ttl that is asked for, else for as long as before", () => {
    const short = act(["lease.hand_over", "ann"], { to: outside("bob"), ttl_ms: 5_000 });
    const play = given(create(), acquire("ann", "a")).when(short).happens("lease.handed_over");
    expect(leaseOf(play, "bob")).toMatchObject({ ttl_ms: 5_000, expires_at_ms: START_MS + 5_000 });
  });

  test("[LS41] the former holder learns at its next call who has it, and since when", () => {
    given(create(), acquire("ann", "a"), over("bob"))
      .when(renew("bob", {}, { claim: token("ann") }))
      .refused("holder_mismatch", {
        holder: "bob",
        taken_over: { holder: "ann", fence: 2, orphan: false, at_ms: START_MS },
      });
  });

  test("[LS42] without a word only what a dead worker left is taken (leases H13)", () => {
    const held = [
      create(),
      start("a"),
      start("b"),
      acquire("@a", "x"),
      acquire("ann", "y"),
    ] as const;
    const living = given(...held);
    living.when(adopt("@a", "@b")).refused("holder_mismatch", { holder: idOf("a") });
    living.when(adopt("ann", "bob")).refused("holder_mismatch", { holder: "ann" });
    const play = given(...held, exited("a", { exit_code: 1 }))
      .when(adopt("@a", "@b"))
      .happens({ kind: "lease.handed_over", data: { from: idOf("a"), orphan: true } });
    expect(leaseOf(play, "@b").taken_over).toMatchObject({ holder: idOf("a"), orphan: true });
  });

  test("[LS42] a worker takes what the dead left for itself, not for another", () => {
    const data = { lease: "l-8", orphan: true, to: { worker: idOf("b") } } as const;
    const held = [start("a"), start("b"), start("c"), acquire("@a", "x")] as const;
    given(create(), ...held, exited("a", { exit_code: 1 }))
      .when(ask("lease.hand_over", data, { by: self("c") }))
      .refused("not_authorised");
  });

  test("[LS42] a worker hands over to workers only: nobody vouches for another's token", () => {
    const held = given(create(), start("a"), start("b"), acquire("@a", "x"));
    const on = (to: string) =>
      act(["lease.hand_over", "@a"], { to: to.startsWith("@") ? claimed(to) : outside(to) });
    held.when(on("eve")).refused("not_authorised");
    held.when(on("@b")).happens("lease.handed_over");
  });

  test("[LS43] the new holder must be fit for the ground as one that asks for it", () => {
    const held = [create(), start("a", { regions: ["b/**"] }), acquire("ann", "a/**")] as const;
    given(...held)
      .when(over("@a"))
      .refused("rights_exceeded", { witness: "a" });
    given(...held, quarantine("a"))
      .when(over("@a"))
      .refused("holder_quarantined");
    given(...held, observe("a", { silent_ms: 30_000 }))
      .when(over("@a"))
      .refused("holder_stale");
    given(...held, exited("a"))
      .when(over("@a"))
      .refused("worker_unknown");
    given(create(), acquire("ann", "a/**"), admit("a"))
      .when(over("@a"))
      .refused("worker_not_running", { worker: idOf("a"), status: "admitted" });
  });

  test("[LS43] on the ground of a worktree a worker's rights are meant on that", () => {
    const held = [
      create(),
      enactLanes([], { worktrees: "own_ground" }),
      start("a", { regions: ["src/**"] }),
    ] as const;
    given(...held, acquire("ann", "src/x/**", { worktree: "fix" }))
      .when(over("@a"))
      .happens("lease.handed_over");
    given(...held, acquire("ann", "docs/**", { worktree: "fix" }))
      .when(over("@a"))
      .refused("rights_exceeded", { field: "region" });
  });

  test("[LS19] nobody is handed or lent more than a holder may have", () => {
    const full = (name: string) =>
      Array.from({ length: LIMITS.leasesPerHolderMax }, (_, index) => acquire(name, `f/${index}`));
    const held = [create(), start("a"), start("b", { under: "a" })] as const;
    given(...held, acquire("ann", "a"), full("@b"))
      .when(over("@b"))
      .refused("limit_exceeded", { field: "leases_of_holder" });
    const part = { region: ["src/x"], to: idOf("b"), ttl_ms: TTL_MS };
    given(...held, acquire("@a", "src/**"), full("@b"))
      .when(act(["lease.split", "@a"], part))
      .refused("limit_exceeded", { field: "leases_of_holder" });
  });

  test("[LS36] while the fleet is paused or killed nothing is handed over or lent", () => {
    const part = { region: ["src/x"], to: idOf("b"), ttl_ms: TTL_MS };
    const held = [start("a"), start("b", { under: "a" }), acquire("@a", "src/**")] as const;
    for (const [step, code] of [
      [pause, "fleet_paused"],
      [kill, "fleet_killed"],
    ] as const) {
      const closed = given(create(), ...held, acquire("ann", "a"), step);
      closed.when(over("bob")).refused(code);
      closed.when(act(["lease.split", "@a"], part)).refused(code);
    }
  });

  test("[LS44] a lease that has ended is handed over to nobody", () => {
    given(create(), acquire("ann", "a"), release("ann"))
      .when(over("bob", { lease: "l-2", ended: "l-2" }))
      .refused("lease_ended");
    given(create(), start("a"), acquire("@a", "a"), exited("a", { exit_code: 1 }), after(TTL_MS))
      .when(
        act(
          ["lease.hand_over", "@a"],
          { orphan: true, to: outside("b") },
          { lease: "l-4", as: "b" },
        ),
      )
      .refused("lease_ended");
  });
});

describe("lending", () => {
  const family = [
    create(),
    start("a"),
    start("b", { under: "a" }),
    acquire("@a", "src/**"),
  ] as const;
  const lend = (region: string, to = "b") =>
    act(
      ["lease.split", "@a"],
      { region: region.split(" "), to: idOf(to), ttl_ms: TTL_MS },
      { as: "@a" },
    );

  test("[LS50] a part is lent to a descendant under a fence of its own", () => {
    const play = given(...family, after(10_000))
      .when(lend("src/x/**"))
      .happens({ kind: "lease.granted", data: { lender: "l-6", mode: "exclusive" } });
    expect(leaseOf(play, "@b")).toMatchObject({
      id: "l-7",
      fence: 7,
      region: ["src/x/**"],
      expires_at_ms: START_MS + TTL_MS,
    });
  });

  test("[LS50] what is lent on ends with the first lender's, though that became shorter", () => {
    const steps = [start("c"), start("d", { under: "b" }), lend("src/x/**")] as const;
    const data = { to: { worker: idOf("c") }, ttl_ms: 5_000 };
    const on = { region: ["src/x/y"], to: idOf("d"), ttl_ms: TTL_MS };
    given(...family, ...steps, act(["lease.hand_over", "@a"], data))
      .when(act(["lease.split", "@b"], on))
      .happens({ kind: "lease.granted", data: { expires_at_ms: START_MS + 5_000 } });
  });

  test("[LS51] what is lent is in everybody's way but its lender's", () => {
    const { play } = given(...family, lend("src/x/**"));
    expect(play.take(acquire("ann", "src/x/y"))?.refusal?.code).toBe("conflict");
    expect(play.take(lend("src/x/z"))?.refusal?.code).toBe("conflict");
    expect(play.take(lend("src/y/**"))?.refusal).toBeNull();
  });

  test("[LS51] lent to one and the same, the same part is the same lease", () => {
    given(...family, lend("src/x/**"))
      .when(lend("src/x/**"))
      .happens();
  });

  test("[LS51] of a lane that runs alone a part is lent, and others stay out", () => {
    const lane = { name: "release", region: ["dist/**"], alone: true };
    const held = [enactLanes([lane]), acquire("@a", { lanes: ["release"] })] as const;
    const { play } = given(...family.slice(0, 3), ...held, lend("dist/x"));
    expect(leaseOf(play, "@b")).toMatchObject({ region: ["dist/x"], alone: false });
    expect(play.take(acquire("ann", "docs/**"))?.refusal?.facts).toMatchObject({ alone: true });
  });

  test("[LS51] what one has borrowed does not answer for a lease of one's own", () => {
    given(...family, lend("src/x/**"))
      .when(acquire("@b", "src/x/**"))
      .refused("conflict");
  });

  test("[LS35] a holder in quarantine lends nothing, nor is it lent anything", () => {
    for (const name of ["a", "b"])
      given(...family, quarantine(name))
        .when(lend("src/x/**"))
        .refused("holder_quarantined", { holder: idOf(name) });
  });

  test("[LS52] nothing is lent to others than descendants, and nothing that is not held", () => {
    const { play } = given(...family, start("c"));
    expect(play.take(lend("src/x", "c"))?.refusal).toMatchObject({ facts: { field: "to" } });
    expect(play.take(lend("docs/x"))?.refusal?.code).toBe("rights_exceeded");
    expect(play.take(lend("src/x", "a"))?.refusal?.code).toBe("rights_exceeded");
  });

  test("[LS53] a lent lease is renewed up to its lender's end, and lapses with it", () => {
    const { play } = given(...family, lend("src/x/**"), after(TTL_MS / 2));
    expect(play.take(renew("@b"))).toMatchObject({ refusal: null, events: [] });
    expect(play.take(renew("@a"))?.events).toHaveLength(1);
    expect(play.take(renew("@b"))?.events).toMatchObject([{ kind: "lease.renewed" }]);
    expect(leaseOf(play, "@b").expires_at_ms).toBe(leaseOf(play, "@a").expires_at_ms);
  });

  test("[LS54] what was lent outlives a released lender, not a revoked one", () => {
    const { play } = given(...family, lend("src/x/**"), release("@a"));
    expect(play.take(acquire("ann", "src/y"))?.refusal).toBeNull();
    expect(play.take(acquire("ann", "src/x/y"))?.refusal?.code).toBe("conflict");
    play.take(after(TTL_MS / 2));
    expect(play.take(renew("@b"))?.events).toHaveLength(1);
    given(...family, lend("src/x/**"))
      .when(revoke("@a"))
      .happens("lease.revoked", { kind: "lease.revoked", data: { lease: "l-7", with: "l-6" } });
  });

  test("[LS54] what is lent of what was lent goes back to the first lender", () => {
    const again = act(
      ["lease.split", "@b"],
      { region: ["src/x/z/**"], to: idOf("c"), ttl_ms: TTL_MS },
      { as: "@b" },
    );
    const chain = [...family, start("c", { under: "b" }), lend("src/x/**"), again] as const;
    const play = given(...chain)
      .when(release("@b"))
      .happens("lease.released");
    expect(leaseOf(play, "@c").lender).toBe("l-6");
    expect(play.take(lend("src/x/z/a"))?.refusal?.code).toBe("conflict");
    expect(play.take(lend("src/x/y"))?.refusal).toBeNull();
    given(...chain)
      .when(revoke("@a"))
      .happens("lease.revoked", "lease.revoked", "lease.revoked");
    given(...chain, release("@b"))
      .when(revoke("@a"))
      .happens("lease.revoked", { kind: "lease.revoked", data: { with: "l-6" } });
  });

  test("[LS20] conditions on leases are asked about what is lent and handed over, too", () => {
    const deny = enact({ lease_deny_when: [{ name: "no", when: 'holder.kind == "worker"' }] });
    const { play } = given(...family, acquire("ann", "a"), deny);
    expect(play.take(lend("src/x"))?.refusal?.code).toBe("lease_condition");
    const over = act(["lease.hand_over", "ann"], { to: { worker: idOf("b") } });
    expect(play.take(over)?.refusal?.code).toBe("lease_condition");
  });

  test("[LS55] what is lent is not handed over, and slots are not lent", () => {
    const { play } = given(...family, start("c", { under: "b" }), lend("src/x/**"));
    const on = act(["lease.hand_over", "@b"], { to: { worker: idOf("c") } }, { as: "@b" });
    expect(play.take(on)?.refusal).toMatchObject({ code: "rights_exceeded" });
    const web = enactLanes([{ name: "web", region: ["web/**"], slots: 2 }]);
    given(...family.slice(0, 3), web, acquire("@a", { lanes: ["web"] }))
      .when(lend("web/x"))
      .refused("rights_exceeded", { field: "mode" });
    const again = act(
      ["lease.split", "@b"],
      { region: ["src/x/z"], to: idOf("c"), ttl_ms: TTL_MS },
      { as: "@b" },
    );
    expect(play.take(again)?.refusal).toBeNull();
  });
});
