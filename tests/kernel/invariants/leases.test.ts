// The checks of the invariants about leases are checked themselves, each by what the rules would
// never have written and the fold would never have made.
import { describe, expect, test } from "vitest";
import type { Actor } from "../../../src/kernel/actor.ts";
import type { Event } from "../../../src/kernel/event.ts";
import { evolve, type Happening } from "../../../src/kernel/evolve.ts";
import { GroundIndex } from "../../../src/kernel/ground/ground-index.ts";
import { findViolations } from "../../../src/kernel/invariants/invariants.ts";
import { bookOf } from "../../../src/kernel/lease/book.ts";
import type { Holder, Lease } from "../../../src/kernel/lease/lease.ts";
import { OrderedMap } from "../../../src/kernel/ordered-map.ts";
import type { State } from "../../../src/kernel/state.ts";
import {
  ask,
  create,
  idOf,
  kill,
  observe,
  pause,
  quarantine,
  self,
  start,
  START_MS,
  stop,
  SUPERVISOR,
  SYSTEM,
  type Play,
  type Step,
} from "../../support/scenario.ts";
import { happen, ofEntry, ofState, playOf } from "./findings.ts";

const TTL_MS = 60_000;
const END_MS = START_MS + TTL_MS;
const outside: Holder = { name: "eve", nonce: "n", token_hash: "h" };
const a: Holder = { worker: idOf("a") };
const b: Holder = { worker: idOf("b") };

/** A fleet, two workers, lanes, and leases that entries 7 to 10 grant. */
const base: readonly Step[] = [
  create({ max_replicas: 9 }),
  ...start("a", { regions: ["src/**"] }),
  ...start("b", { under: "a", regions: ["src/api/**"] }),
  ask("lanes.enact", {
    lanes: [
      { name: "gate", region: ["port:80"], slots: 1, aliases: ["door"] },
      { name: "solo", region: ["port:81"], alone: true },
    ],
    worktrees: "one_ground",
    require: false,
  }),
  ask("lease.acquire", { region: ["src/**"], holder: a, ttl_ms: TTL_MS }),
  ask("lease.split", {
    lease: "l-7",
    claim: a,
    region: ["src/api/**"],
    to: idOf("b"),
    ttl_ms: TTL_MS,
  }),
  ask("lease.acquire", { region: ["docs/**"], mode: "shared", holder: outside, ttl_ms: TTL_MS }),
  ask("lease.acquire", { lanes: ["door"], holder: outside, ttl_ms: TTL_MS }),
];

function leaseIn(state: State, id: string): Lease {
  const lease = state.book.leases.get(id);
  if (lease === undefined) throw new Error(`${id} must be in the state`);
  return lease;
}

/** A state in which a lease is otherwise; all that finds leases follows it. */
function changed(id: string, fields: Partial<Lease>): (state: State) => State {
  return (state) => {
    const { leases } = state.book;
    return withLeases(state, leases.set(id, { ...leaseIn(state, id), ...fields }));
  };
}

function without(id: string): (state: State) => State {
  return (state) => withLeases(state, state.book.leases.delete(id));
}

function withLeases(state: State, leases: OrderedMap<Lease>): State {
  const { foldsCase, rules } = state.book;
  const book = bookOf(foldsCase, rules, [...leases.values()]);
  return { ...state, book: { ...book, lanes: state.book.lanes, rules } };
}

function withBook(fields: Partial<State["book"]>): (state: State) => State {
  return (state) => ({ ...state, book: { ...state.book, ...fields } });
}

interface Grant {
  readonly region?: readonly string[];
  readonly mode?: Lease["mode"];
  readonly holder?: Holder;
  readonly lane?: string;
  readonly alone?: true;
  readonly lender?: string;
  readonly worktree?: string;
  readonly ttl_ms?: number;
  readonly expires_at_ms?: number;
}

function grant(fields: Grant): Event {
  const plain = { mode: "exclusive", region: ["lib/**"], holder: outside, ttl_ms: TTL_MS } as const;
  return { kind: "lease.granted", data: { ...plain, expires_at_ms: END_MS, ...fields } };
}

function renewed(lease: string, expires_at_ms: number): Event {
  return { kind: "lease.renewed", data: { lease, expires_at_ms } };
}

function handedOver(lease: string, to: Holder, orphan = false): Event {
  const data = { lease, from: "x", to, orphan, ttl_ms: TTL_MS, expires_at_ms: END_MS };
  return { kind: "lease.handed_over", data };
}

test("[IV3] where all is well with leases nothing is found", () => {
  const play = playOf(base);
  expect([...play.state.book.leases.keys()]).toStrictEqual(["l-10", "l-7", "l-8", "l-9"]);
  expect(ofEntry(play, happen(play, grant({})))).toStrictEqual([]);
  expect(ofEntry(play, happen(play, renewed("l-7", END_MS + 1)))).toStrictEqual([]);
  expect(ofEntry(play, happen(play, handedOver("l-9", outside)))).toStrictEqual([]);
  const lapsed = { kind: "lease.lapsed", data: { lease: "l-9" } } as const;
  expect(ofEntry(play, happen(play, lapsed, { at_ms: END_MS, actor: SYSTEM }))).toStrictEqual([]);
});

describe("[IV3] leases that are in each other's way are found", () => {
  const cases: readonly { readonly what: string; readonly found: RegExp; readonly give: Grant }[] =
    [
      {
        what: "two that write",
        found: /^I1: l-11 and l-7 must not both be live, both have "src\/.*"/,
        give: { region: ["src/a/*"] },
      },
      {
        what: "one that reads what another writes",
        found: /^I1: l-11 and l-8 must not both be live/,
        give: { region: ["src/api/x"], mode: "shared" },
      },
      {
        what: "one that writes what another reads",
        found: /^I1: l-11 and l-9 must not both be live/,
        give: { region: ["docs/x"] },
      },
      {
        what: "a slot among those of another lane",
        found: /^I1: l-10 and l-11|^I1: l-11 and l-10/,
        give: { region: ["port:80"], mode: "slot", lane: "solo", alone: true },
      },
      {
        what: "one that must be alone",
        found: /^I1: l-11 and l-9 must not both be live, both have the fleet/,
        give: { region: ["port:81"], lane: "solo", alone: true },
      },
      {
        what: "more slots than there are",
        found: /^I1: slots of lane gate must be at most 1, l-11 is the 2th/,
        give: { region: ["port:80"], mode: "slot", lane: "gate" },
      },
      {
        what: "a slot of nothing",
        found: /^I1: a slot must be of a lane/,
        give: { mode: "slot" },
      },
      {
        what: "a lane that is not enacted",
        found: /^I1: the lane of l-11 must be enacted, gone is not/,
        give: { lane: "gone" },
      },
      {
        what: "one that says not that it is alone",
        found: /^I1: l-11 must run alone just as its lane solo/,
        give: { region: ["port:81"], lane: "solo" },
      },
      {
        what: "a sibling of what is lent",
        found: /^I1: l-11 and l-8 must not both be live/,
        give: { region: ["src/api/x"], lender: "l-7", holder: b },
      },
      {
        what: "what cannot be read",
        found: /^I1: .* both have what cannot be read/,
        give: { region: ["../x"] },
      },
    ];

  test.each(cases)("$what", ({ found, give }) => {
    const play = playOf(base);
    expect(ofEntry(play, happen(play, grant(give)))).toContainEqual(expect.stringMatching(found));
  });

  test("one that was moved there, and what is lent of one that is gone", () => {
    const play = playOf(base);
    expect(ofState(play, changed("l-9", { region: ["src/x"] }))).toContainEqual(
      expect.stringMatching(/^I1: .* must not both be live/),
    );
    const deeper = playOf([
      ...base,
      ...start("c", { under: "b", regions: ["src/api/x"] }),
      ask("lease.split", {
        lease: "l-8",
        claim: b,
        region: ["src/api/x"],
        to: idOf("c"),
        ttl_ms: 9_000,
      }),
    ]);
    expect(ofState(deeper, without("l-8"))).toContainEqual(
      expect.stringMatching(/^I1: .*l-7.* must not both be live/),
    );
  });

  test("not one whose end is past: it gives no right, recorded or not", () => {
    const play = playOf(base);
    const give = grant({ region: ["docs/x"], expires_at_ms: END_MS + TTL_MS });
    expect(ofEntry(play, happen(play, give, { at_ms: END_MS }))).toStrictEqual([]);
    expect(ofEntry(play, happen(play, give, { at_ms: END_MS - 1 }))).toContainEqual(
      expect.stringMatching(/^I1: l-11 and l-9/),
    );
  });
});

describe("[IV3] a lease that nobody may give or have is found", () => {
  const cases: readonly {
    readonly what: string;
    readonly found: RegExp;
    readonly steps?: readonly Step[];
    readonly event: Event;
    readonly at?: Partial<Happening>;
  }[] = [
    {
      what: "a grant in a pause",
      found: /^I3: in a fleet that is paused there must be no lease.granted/,
      steps: [pause],
      event: grant({}),
    },
    {
      what: "a handing over after the kill",
      found: /^I3: in a fleet that is killed there must be no lease.handed_over/,
      steps: [kill],
      event: handedOver("l-9", outside),
    },
    {
      what: "a renewal after the kill",
      found: /^I3: after the kill there must be no lease.renewed/,
      steps: [kill],
      event: renewed("l-9", END_MS + 1),
    },
    {
      what: "a holder that stops",
      found: /^I8: the holder .* of l-11 must be running, it is stopping/,
      steps: [stop("b")],
      event: grant({ region: ["src/api/x"], lender: "l-7", holder: b }),
    },
    {
      what: "a holder in quarantine",
      found: /^I8: the holder .* of l-9 must be running/,
      steps: [quarantine("a")],
      event: handedOver("l-9", a),
    },
    {
      what: "a holder that is stale",
      found: /^I8: the holder .* of l-9 must be running/,
      steps: [observe("a", { silent_ms: 10 ** 7, seen: "alive" })],
      event: handedOver("l-9", a),
    },
    {
      what: "ground beyond the holder's regions",
      found: /^I5: l-11 must lie in the regions of w-a/,
      event: grant({ region: ["lib/x"], holder: a }),
    },
    {
      what: "ground handed over beyond the taker's regions",
      found: /^I5: l-9 must lie in the regions of w-a/,
      event: handedOver("l-9", a),
    },
    {
      what: "ground of a worktree beyond the holder's regions",
      found: /^I5: l-11 must lie in the regions of w-a/,
      event: grant({ region: ["worktree/w1/lib/x"], holder: a, worktree: "w1" }),
    },
    {
      what: "ground that is not its worktree's",
      found: /^I5: l-11 must be on the ground of its worktree w1/,
      event: grant({ region: ["src/x"], holder: a, worktree: "w1" }),
    },
    {
      what: "a life beyond its ttl",
      found: /^I8: l-11 must end within 60000 ms/,
      event: grant({ expires_at_ms: END_MS + 1 }),
    },
    {
      what: "a ttl beyond all bounds",
      found: /^I8: l-11 must not be for 90000000 ms/,
      event: grant({ ttl_ms: 90_000_000 }),
    },
    {
      what: "a part that ends after the whole",
      found: /^I5: l-11 must end with l-7/,
      event: grant({
        region: ["src/b"],
        holder: b,
        lender: "l-7",
        ttl_ms: 2 * TTL_MS,
        expires_at_ms: END_MS + 1,
      }),
    },
    {
      what: "a part that is none",
      found: /^I5: l-11 must lie in l-7/,
      event: grant({ region: ["lib/b"], holder: b, lender: "l-7" }),
    },
    {
      what: "a part in another mode",
      found: /^I5: l-11 must be lent as exclusive, got shared/,
      event: grant({ region: ["src/b"], mode: "shared", holder: b, lender: "l-7" }),
    },
    {
      what: "a part for somebody who is not below",
      found: /^I5: l-11 must be lent to a worker below the holder of l-7/,
      event: grant({ region: ["src/b"], holder: a, lender: "l-7" }),
    },
    {
      what: "a part of what is over",
      found: /^I8: l-11 must be lent of a live lease, l-7 is none/,
      event: grant({ region: ["src/b"], holder: b, lender: "l-7", expires_at_ms: END_MS + 1 }),
      at: { at_ms: END_MS },
    },
    {
      what: "a grant to another worker",
      found: /^I9: .* must not be given leases for another/,
      event: grant({ region: ["src/b"], holder: a }),
      at: { actor: self("b") },
    },
    {
      what: "a grant by who only watches",
      found: /^I9: s1 must not be given leases for another/,
      event: grant({}),
      at: { actor: SUPERVISOR },
    },
  ];

  test.each(cases)("$what", ({ found, steps = [], event, at }) => {
    const play = playOf([...base, ...steps]);
    const seq = play.state.seq + 1;
    const violations = ofEntry(play, happen(play, event, at));
    const named = violations.map((text) => text.replaceAll(`l-${seq}`, "l-11"));
    expect(named).toContainEqual(expect.stringMatching(found));
  });
});

describe("[IV3] what may not happen to a lease is found", () => {
  const cases: readonly {
    readonly what: string;
    readonly found: RegExp;
    readonly event: Event;
    readonly at?: Partial<Happening>;
  }[] = [
    {
      what: "a lapse before its hour",
      found: /^I8: l-9 must not lapse before/,
      event: { kind: "lease.lapsed", data: { lease: "l-9" } },
      at: { at_ms: END_MS - 1 },
    },
    {
      what: "a renewal at its end",
      found: /^I8: l-9 ended at \d+, lease.renewed must come before/,
      event: renewed("l-9", END_MS + TTL_MS),
      at: { at_ms: END_MS },
    },
    {
      what: "a handing over at its end",
      found: /^I8: l-9 ended at \d+, lease.handed_over must come before/,
      event: handedOver("l-9", outside),
      at: { at_ms: END_MS },
    },
    {
      what: "a renewal that shortens",
      found: /^I8: l-9 must not be shortened/,
      event: renewed("l-9", END_MS - 1),
    },
    {
      what: "a renewal without end",
      found: /^I8: l-9 must be renewed for at most/,
      event: renewed("l-9", END_MS + 10 ** 9),
    },
    {
      what: "a part renewed beyond the whole",
      found: /^I5: l-8 must end with l-7/,
      event: renewed("l-8", END_MS + 1),
    },
    {
      what: "an end of what is not there",
      found: /^I8: lease.released must be about a lease of the state, l-99 is none/,
      event: { kind: "lease.released", data: { lease: "l-99", cause: "holder" } },
    },
    {
      what: "a narrowing that widens",
      found: /^I5: l-9 must be narrowed to a part of its region/,
      event: { kind: "lease.narrowed", data: { lease: "l-9", region: ["docs/**", "lib/**"] } },
    },
    {
      what: "an orphan whose holder lives",
      found: /^I9: only what a dead worker held may be an orphan, l-8 is not/,
      event: handedOver("l-8", b, true),
    },
    {
      what: "an orphan of an outside party",
      found: /^I9: only what a dead worker held may be an orphan, l-9 is not/,
      event: handedOver("l-9", outside, true),
    },
  ];

  test.each(cases)("$what", ({ found, event, at }) => {
    const play = playOf(base);
    expect(ofEntry(play, happen(play, event, at))).toContainEqual(expect.stringMatching(found));
  });

  test("an act on another's lease, by whatever worker or watcher", () => {
    const play = playOf(base);
    const released = { kind: "lease.released", data: { lease: "l-7", cause: "holder" } } as const;
    const revoked = { kind: "lease.revoked", data: { lease: "l-9", reason: "x" } } as const;
    const acts: readonly (readonly [Event, Actor])[] = [
      [released, self("b")],
      [renewed("l-7", END_MS + 1), self("b")],
      [handedOver("l-7", a), self("b")],
      [revoked, SUPERVISOR],
      [revoked, self("a")],
    ];
    for (const [event, actor] of acts)
      expect(ofEntry(play, happen(play, event, { actor }))).toContainEqual(
        expect.stringMatching(/^I9: .* must not act on l-/),
      );
    expect(ofEntry(play, happen(play, released, { actor: self("a") }))).toStrictEqual([]);
  });

  test("a renewal by a worker that is told to stop", () => {
    const play = playOf([...base, stop("b")]);
    const violations = ofEntry(play, happen(play, renewed("l-8", END_MS)));
    expect(violations).toContainEqual(expect.stringMatching(/^I8: the holder of l-8/));
  });
});

describe("[IV3] a book of leases that contradicts itself is found", () => {
  const one = (play: Play): Lease => leaseIn(play.state, "l-9");
  const cases: readonly {
    readonly what: string;
    readonly found: RegExp;
    readonly change: (play: Play) => (state: State) => State;
  }[] = [
    {
      what: "a fence of another grant",
      found: /^I2: worker.noted must not change fence of l-9/,
      change: () => changed("l-9", { fence: 1 }),
    },
    {
      what: "a lease out of nowhere",
      found: /^I2: only a grant may bring a lease, worker.noted brought l-50/,
      change: (play) => (state) =>
        withLeases(state, state.book.leases.set("l-50", { ...one(play), id: "l-50" })),
    },
    {
      what: "a lease that is gone",
      found: /^I8: worker.noted must not end l-9/,
      change: () => without("l-9"),
    },
    {
      what: "another folding",
      found: /^I1: a fleet must fold case as it was created/,
      change: () => (state) => {
        const { rules, leases } = state.book;
        return { ...state, book: bookOf(true, rules, [...leases.values()]) };
      },
    },
    {
      what: "a lease under another's id",
      found: /^index: leases must be kept by id, l-9 is under l-99/,
      change: (play) => (state) =>
        withBook({ leases: state.book.leases.set("l-99", one(play)) })(state),
    },
    {
      what: "a holder without its lease",
      found: /^index: holders must hold name:"eve" l-9/,
      change: ({ state: { book } }) => withBook({ holders: book.holders.delete('name:"eve" l-9') }),
    },
    {
      what: "a lease of nobody",
      found: /^index: holders must not hold x l-1/,
      change: ({ state: { book } }) => withBook({ holders: book.holders.set("x l-1", true) }),
    },
    {
      what: "an end that is not kept",
      found: /^index: ends must hold \d{16}\/l-/,
      change: () => withBook({ ends: OrderedMap.empty() }),
    },
    {
      what: "a slot that is not kept",
      found: /^index: slots must hold gate l-10/,
      change: () => withBook({ slots: OrderedMap.empty() }),
    },
    {
      what: "a part that is not kept",
      found: /^index: lent must hold l-7 l-8/,
      change: () => withBook({ lent: OrderedMap.empty() }),
    },
    {
      what: "a part of another",
      found: /^I2: worker.noted must not change lender of l-8/,
      change: () => changed("l-8", { lender: "l-9" }),
    },
    {
      what: "lanes that are not those of the rules",
      found: /^index: lanes must hold door/,
      change: ({ state: { book } }) =>
        withBook({ lanes: new Map([...book.lanes].filter(([name]) => name !== "door")) }),
    },
    {
      what: "another lane under a name",
      found: /^index: lanes must hold the lane of the rules under door/,
      change: ({ state: { book } }) =>
        withBook({ lanes: new Map([...book.lanes, ["door", { name: "x", region: ["x"] }]]) }),
    },
    {
      what: "ground that is not found",
      found: /^index: ground must hold l-9/,
      change: (play) => withBook({ index: play.state.book.index.remove(one(play)) }),
    },
    {
      what: "ground that is found though it is nobody's",
      found: /^index: ground must not hold l-50/,
      change: (play) =>
        withBook({ index: play.state.book.index.add({ ...one(play), id: "l-50" }) }),
    },
    {
      what: "what is written and found as read",
      found: /^index: ground must hold l-8 as one that may write/,
      change: ({ state: { book } }) => {
        const lease = leaseIn({ book } as State, "l-8");
        const shared = { ...lease, mode: "shared" } as const;
        return withBook({ index: book.index.remove(lease).add(shared) });
      },
    },
    {
      what: "one alone that is not found",
      found: /^index: alone must hold l-10/,
      change: () => (state) => {
        const alone = changed("l-10", { alone: true })(state);
        const { index } = state.book;
        return { ...alone, book: { ...alone.book, index } };
      },
    },
  ];

  test.each(cases)("$what", ({ found, change }) => {
    const play = playOf(base);
    const violations = ofState(play, change(play));
    expect(violations).toContainEqual(expect.stringMatching(found));
  });

  test("a grant that makes nothing, and one below a fence", () => {
    const play = playOf(base);
    const happening = happen(play, grant({}));
    const after = evolve(play.state, happening);
    const nothing = { ...after, book: play.state.book };
    expect(findViolations(play.state, happening, nothing)).toContainEqual(
      expect.stringMatching(/^I2: a grant in entry 11 must make l-11/),
    );
    const low = changed("l-11", { fence: 3 })(after);
    const violations = findViolations(play.state, happening, low);
    expect(violations).toContainEqual(
      expect.stringMatching(/^I2: the fence of l-11 must be 11, got 3/),
    );
    expect(violations).toContainEqual(
      expect.stringMatching(/^I2: the fence of l-11 must be above 10 of l-10, got 3/),
    );
  });

  test("a book without an index finds none of its leases", () => {
    const play = playOf(base);
    const violations = ofState(play, withBook({ index: GroundIndex.empty(false) }));
    expect(violations.filter((text) => text.startsWith("index: ground must hold l-"))).toHaveLength(
      4 + 3,
    );
  });
});
