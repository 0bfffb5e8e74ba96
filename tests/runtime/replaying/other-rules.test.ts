import { describe, expect, test } from "vitest";
import { DEFAULT_CONTRACT, type Contract } from "../../../src/kernel/fleet/contract.ts";
import { DEFAULT_GROUND_RULES, type GroundRules } from "../../../src/kernel/lane/lane.ts";
import type { OtherRules } from "../../../src/runtime/replaying/hypothesis.ts";
import {
  tryRules,
  type WhatIf,
  type WhatIfDocument,
  type WhatIfOptions,
} from "../../../src/runtime/replaying/what-if.ts";
import { record, type Steps } from "../../library/explain/recording.ts";
import {
  acquire,
  act,
  enactLanes,
  keep,
  leaseOf,
  outside,
  release,
  renew,
  revoke,
  wait,
} from "../../support/lease-scenario.ts";
import {
  admit,
  after,
  ask,
  create,
  enact,
  exited,
  idOf,
  kill,
  observe,
  OPERATOR,
  pause,
  register,
  resume,
  self,
  start,
  stop,
  tick,
} from "../../support/scenario.ts";

function contract(fields: Partial<Contract>): OtherRules {
  return { contract: { ...DEFAULT_CONTRACT, ...fields } };
}

function ground(fields: Partial<GroundRules>): OtherRules {
  return { ground: { ...DEFAULT_GROUND_RULES, ...fields } };
}

async function tried(
  others: OtherRules,
  steps: Steps,
  options: Partial<WhatIfOptions> = {},
): Promise<WhatIf> {
  const { journal } = await record(...steps);
  const before = await journal.head();
  const found = await tryRules(journal, others, { shownMax: 100, ...options });
  expect(await journal.head()).toEqual(before);
  return found;
}

async function documentOf(
  others: OtherRules,
  steps: Steps,
  options: Partial<WhatIfOptions> = {},
): Promise<WhatIfDocument> {
  const found = await tried(others, steps, options);
  if (!found.ok) throw new Error(found.refusal.message);
  return found.document;
}

/** Seq, what it was and what it would have been, of each difference. */
function shown({ differences }: WhatIfDocument): readonly string[] {
  return differences.map(({ seq, recorded, would_be }) => `${seq} ${recorded} → ${would_be}`);
}

describe("[WI2] a command is decided on what those before it would have come to", () => {
  test("a looser contract grants what was refused", async () => {
    const steps = [create({ max_replicas: 1 }), start("p"), admit("x"), admit("y")];
    const document = await documentOf(contract({ max_replicas: 2 }), steps);
    // x takes the second place: y is refused all the same.
    expect(shown(document)).toEqual(["4 max_replicas → granted"]);
    expect(document).toMatchObject({ command_count: 4, same_count: 3, different_count: 1 });
    expect(document.different_by).toMatchObject({ refused_to_granted: 1, granted_to_refused: 0 });
    expect(document.differences[0]).toMatchObject({
      kind: "refused_to_granted",
      actor: OPERATOR,
      command: "worker.admit",
      message: "live workers and reservations must stay at most 1, there are 1",
    });
  });

  test("a tighter contract refuses what was granted, and tells why", async () => {
    const steps = [create(), start("p"), start("c", { under: "p" }), admit("x")];
    const document = await documentOf(contract({ max_depth: 0 }), steps);
    expect(shown(document)).toEqual(["4 granted → max_depth"]);
    expect(document.differences[0]?.message).toBe("depth must be at most 0, got 1");
    // Whoever would not have been admitted has no manifest to take up.
    expect(document.moots).toEqual([{ seq: 5, command: "worker.register", why: "never_was" }]);
    expect(document.moot_by.never_was).toBe(1);
  });

  test("what was refused would have been refused by another code", async () => {
    const steps = [create({ max_depth: 0 }), start("p"), admit("x", { under: "p" })];
    const document = await documentOf(contract({ max_depth: 0, max_replicas: 1 }), steps);
    expect(shown(document)).toEqual(["4 max_depth → max_replicas"]);
    expect(document.different_by.other_code).toBe(1);
  });

  test("other lanes give to one, and take from another", async () => {
    const lanes = [{ name: "api", region: ["src/api/**"] }];
    const steps = [
      create(),
      enactLanes([{ name: "api", region: ["src/**"] }]),
      acquire("ann", { lanes: ["api"] }),
      acquire("bob", "src/web/**"),
      acquire("cleo", "src/api/x"),
    ];
    const document = await documentOf(ground({ lanes }), steps);
    expect(shown(document)).toEqual(["4 conflict → granted"]);
    expect(document).toMatchObject({ left_out_count: 1, command_count: 4, same_count: 2 });
  });

  test("what is granted in both with other events is told when it is asked for", async () => {
    const steps = [create(), start("p")];
    const others = contract({ lifetime_ms: 5_000, register_within_ms: 5_000 });
    expect(shown(await documentOf(others, steps))).toEqual([]);
    const compared = await documentOf(others, steps, { comparesEvents: true });
    expect(shown(compared)).toEqual(["2 granted → granted"]);
    expect(compared.different_by.other_events).toBe(1);
  });

  test("all are counted, so many are told", async () => {
    const steps = [
      create({ max_replicas: 1 }),
      start("p"),
      ...["a", "b", "c"].map((n) => admit(n)),
    ];
    const document = await documentOf(contract({}), steps, { shownMax: 2 });
    expect(document).toMatchObject({ different_count: 3, differences: [{ seq: 4 }, { seq: 5 }] });
  });
});

describe("[WI3] other rules are put in force before an entry", () => {
  const steps = [create({ max_replicas: 2 }), start("p"), admit("x"), admit("y"), tick];

  test("right after the creation where none is named", async () => {
    expect(await documentOf(contract({ max_replicas: 1 }), steps)).toMatchObject({ from_seq: 2 });
    const document = await documentOf(contract({ max_replicas: 1 }), steps);
    expect(shown(document)).toEqual(["4 granted → max_replicas"]);
  });

  test("and what is before it stays as it was", async () => {
    const document = await documentOf(contract({ max_replicas: 1 }), steps, { fromSeq: 5 });
    expect(document).toMatchObject({ from_seq: 5, command_count: 1, same_count: 1 });
    const looser = await documentOf(contract({ max_replicas: 9 }), steps, { fromSeq: 5 });
    expect(shown(looser)).toEqual(["5 max_replicas → granted"]);
  });

  test("an entry in the middle of a decision means all of it", async () => {
    const lapsing = [create(), admit("a"), after(30_000), admit("b"), kill];
    const document = await documentOf(contract({ max_depth: 0 }), lapsing, { fromSeq: 4 });
    expect(document).toMatchObject({ from_seq: 4, command_count: 2, same_count: 2 });
  });

  test("recorded ones of their kind are left out from there on", async () => {
    const twice = [create(), enact({ max_replicas: 1 }), start("p"), admit("x")];
    const document = await documentOf(contract({}), twice);
    expect(shown(document)).toEqual(["5 max_replicas → granted"]);
    expect(document).toMatchObject({ left_out_count: 1, command_count: 4 });
    const kept = await documentOf(ground({ require: true }), twice);
    expect(kept).toMatchObject({ left_out_count: 0, different_count: 0 });
  });

  test("ones that could not be in force there are refused as they would have been", async () => {
    const broken = contract({ stop: [{ name: "broken", when: "1" }] });
    expect(await tried(broken, steps)).toMatchObject({
      ok: false,
      seq: 1,
      refusal: { code: "contract_invalid" },
    });
    const killed = await tried(contract({}), [create(), kill, tick], { fromSeq: 3 });
    expect(killed).toMatchObject({ ok: false, seq: 2, refusal: { code: "fleet_killed" } });
  });

  test("an end can be named too", async () => {
    const document = await documentOf(contract({ max_replicas: 1 }), steps, { untilSeq: 3 });
    expect(document).toMatchObject({ until_seq: 3, command_count: 2, different_count: 0 });
  });
});

describe("[WI4] a manifest that is presented is the one that would have been issued", () => {
  test("under a contract with other lifetimes", async () => {
    const steps = [create(), admit("a"), after(10), register("a"), register("a")];
    const document = await documentOf(contract({ lifetime_ms: 50_000 }), steps);
    expect(document).toMatchObject({ different_count: 0, same_count: 3 });
  });

  test("and is too late where there would have been less time", async () => {
    const steps = [create(), admit("a"), after(10_000), register("a"), exited("a")];
    const document = await documentOf(contract({ register_within_ms: 5_000 }), steps);
    expect(shown(document)).toEqual(["3 granted → manifest_expired"]);
    expect(document.moots).toEqual([{ seq: 4, command: "worker.exited", why: "has_ended" }]);
  });

  test("also where somebody else has noticed before", async () => {
    const steps = [create(), admit("a"), after(10_000), admit("b"), register("a")];
    const document = await documentOf(contract({ register_within_ms: 5_000 }), steps);
    expect(shown(document)).toEqual(["4 granted → manifest_expired"]);
  });

  test("one that says something else stays what it is", async () => {
    const steps = [create(), admit("a"), register("a", { name: "z" })];
    const document = await documentOf(contract({ lifetime_ms: 50_000 }), steps);
    expect(document).toMatchObject({ different_count: 0, same_count: 2 });
  });
});

describe("[WI5] a command about who would not be there is moot", () => {
  test("what was looked up for it on record is not used", async () => {
    // On record q has ended; without its end's command it would be found alive.
    const steps = [
      create({ max_replicas: 1 }),
      start("p"),
      exited("p"),
      (play: Parameters<typeof kill>[0]) => ({
        ...ask("worker.note", { worker: idOf("p"), text: "x" })(play),
        ended: idOf("p"),
      }),
    ];
    const document = await documentOf(contract({ max_replicas: 5 }), steps);
    expect(document).toMatchObject({ different_count: 0, moot_count: 0, same_count: 4 });
  });

  test("an id that was taken on record is free for who would be the first to have it", async () => {
    const steps: Steps = [
      create(),
      start("p"),
      admit("a"),
      after(30_000),
      exited("p"),
      admit("a", { ended: idOf("a") }),
    ];
    const document = await documentOf(contract({ max_replicas: 1 }), steps);
    expect(shown(document)).toEqual(["4 granted → max_replicas", "7 instance_taken → granted"]);
  });

  test("and so is what it asks for itself", async () => {
    const steps = [
      create(),
      start("p"),
      start("c", { under: "p" }),
      ask("halt.request", { handle: "h", reason: "loud" }, { by: self("c") }),
      acquire("@c", "src/**"),
      observe("c", { silent_ms: 30_000 }),
      stop("c"),
    ];
    const document = await documentOf(contract({ max_depth: 0 }), steps);
    expect(document.moot_by).toMatchObject({ never_was: 5, has_ended: 0 });
    expect(document).toMatchObject({ different_count: 1, same_count: 2 });
  });

  test("who was unknown on record still is", async () => {
    const steps = [create(), admit("x", { under: "nobody" }), stop("nobody")];
    const document = await documentOf(contract({ max_replicas: 1 }), steps);
    expect(document).toMatchObject({ same_count: 2, moot_count: 0 });
  });

  test("a function whose answer is not on record cannot be asked", async () => {
    const steps = [create(), admit("x"), admit("y", { verdicts: { own: true } })];
    const document = await documentOf(contract({ stop: [{ name: "own" }] }), steps);
    expect(document.moots).toEqual([{ seq: 2, command: "worker.admit", why: "verdict_unknown" }]);
    expect(shown(document)).toEqual(["3 granted → stop_condition"]);
  });
});

describe("[WI6] leases keep their names where they are granted in both", () => {
  const lanes = [{ name: "api", region: ["src/**"] }];
  /** Ann has src; bob is refused, asks again when she has gone, and goes on under what he got. */
  const bobsTurn = [
    create(),
    enactLanes(lanes),
    acquire("ann", { lanes: ["api"] }),
    acquire("bob", "src/web/**"),
    release("ann"),
    (play: Parameters<typeof kill>[0]) =>
      acquire("bob", "src/web/**", {
        holder: { ...outside("bob"), token_hash: "f".repeat(64) } as never,
      })(play),
  ] as const;
  const bob = { name: "bob", token_hash: "f".repeat(64) };

  test("and otherwise the one that is had is meant, with its fence and token", async () => {
    const steps: Steps = [
      ...bobsTurn,
      act(["lease.narrow", "bob"], { region: ["src/web/a"], fence: 6 }, { as: "bob", claim: bob }),
      act(["lease.hand_over", "bob"], { to: outside("cleo") }, { as: "bob", claim: bob }),
      release("cleo"),
    ];
    // Bob would have had it from the first: what he asks again he has already.
    const others = ground({ lanes: [{ name: "api", region: ["src/api/**"] }] });
    const document = await documentOf(others, steps);
    expect(shown(document)).toEqual(["4 conflict → granted"]);
    expect(document).toMatchObject({ moot_count: 0, same_count: 6, left_out_count: 1 });
  });

  test("one that would have ended by then has", async () => {
    const asBob = { as: "bob", claim: bob };
    const steps: Steps = [
      ...bobsTurn.slice(0, 4),
      after(50_000),
      ...bobsTurn.slice(4),
      after(40_000),
      renew("bob", {}, asBob),
    ];
    const others = ground({ lanes: [{ name: "api", region: ["src/api/**"] }] });
    const document = await documentOf(others, steps);
    expect(shown(document)).toEqual(["4 conflict → granted"]);
    expect(document.moots).toMatchObject([{ command: "lease.renew", why: "has_ended" }]);
  });

  test("what is waited for on record, and had at once, is had", async () => {
    const steps: Steps = [
      create(),
      enactLanes(lanes),
      acquire("ann", { lanes: ["api"] }),
      wait("bob", "src/web/**"),
      release("ann"),
      keep("bob"),
      act(["lease.narrow", "bob"], { region: ["src/web/a"] }),
    ];
    const others = ground({ lanes: [{ name: "api", region: ["src/api/**"] }] });
    const document = await documentOf(others, steps);
    expect(shown(document)).toEqual(["4 waiting → granted"]);
    expect(document.differences[0]).toMatchObject({ kind: "waiting_to_granted", message: null });
    expect(document.moots).toMatchObject([{ command: "place.keep", why: "has_it" }]);
    expect(document).toMatchObject({ same_count: 3 });
    const same = await documentOf({}, steps, { comparesEvents: true });
    expect(same).toMatchObject({ different_count: 0, moot_count: 0, same_count: 6 });
  });

  test("who asks for a place that is nobody's any more is refused as it was", async () => {
    const steps: Steps = [
      create(),
      acquire("ann", "a"),
      wait("bob", "a"),
      release("ann"),
      keep("bob"),
      release("bob"),
      keep("bob", { place: "q-3" }),
    ];
    const document = await documentOf({}, steps, { comparesEvents: true });
    expect(document).toMatchObject({ different_count: 0, moot_count: 0, same_count: 6 });
  });

  test("what was had at once would have been waited for", async () => {
    const steps: Steps = [
      create(),
      enactLanes([{ name: "api", region: ["src/api/**"] }]),
      acquire("ann", { lanes: ["api"] }),
      wait("bob", "src/web/**"),
      release("bob"),
    ];
    const document = await documentOf(ground({ lanes }), steps);
    expect(shown(document)).toEqual(["4 granted → waiting"]);
    expect(document.moots).toMatchObject([{ command: "lease.release", why: "never_was" }]);
  });

  test("a lease that would not have been granted is nobody's to act on", async () => {
    const steps = [...bobsTurn.slice(0, 3), renew("ann"), revoke("ann"), acquire("cleo", "src/x")];
    const document = await documentOf(ground({}), steps);
    expect(shown(document)).toEqual(["3 granted → lane_unknown"]);
    expect(document.moots.map(({ command }) => command)).toEqual(["lease.revoke"]);
  });

  test("one that was refused and would be granted is in others' way", async () => {
    const steps = [
      create({ lease_deny_when: [{ name: "none", when: "active_leases >= 0" }] }),
      acquire("ann", "src/**"),
      enact({ lease_deny_when: [] }),
      acquire("bob", "src/web/**"),
      (play: Parameters<typeof kill>[0]) =>
        release("bob", { lease: leaseOf(play, "bob").id })(play),
    ];
    const document = await documentOf(contract({}), steps);
    expect(shown(document)).toEqual(["2 lease_condition → granted", "4 granted → conflict"]);
    expect(document.moots).toEqual([{ seq: 5, command: "lease.release", why: "never_was" }]);
  });
});

describe("[WI7] the fleet pauses, resumes and ends as it did", () => {
  test("and what is refused for that is refused again", async () => {
    const steps = [create(), pause, admit("x"), resume, admit("y"), kill, admit("z")];
    const document = await documentOf(contract({ max_replicas: 1 }), steps);
    expect(document).toMatchObject({ different_count: 0, moot_count: 0, same_count: 6 });
  });
});
