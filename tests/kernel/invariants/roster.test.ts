// The checks of the invariants about the roll and about tokens are checked themselves, each by what
// the rules would never have written and the fold would never have made.
import { expect, test } from "vitest";
import type { Event } from "../../../src/kernel/event.ts";
import type { OrderedMap } from "../../../src/kernel/ordered-map.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { rollKey, type RollRow } from "../../../src/kernel/roster/roll.ts";
import type { State } from "../../../src/kernel/state.ts";
import { create, idOf, START_MS, start, type Step } from "../../support/scenario.ts";
import { hashOf, heard, issue, tokenOf } from "../../support/service-scenario.ts";
import { happen, ofEntry, ofState, playOf } from "./findings.ts";

const base: readonly Step[] = [
  create(),
  ...start("p"),
  heard("api/1"),
  heard("api/2", { said: "stopped" }),
  issue("a"),
  issue("code", { role: "operator", once: true }),
  issue("w", { role: "worker", worker: idOf("p") }),
];

const [a, code] = [tokenOf("a"), tokenOf("code")];

function changed(from: "ok" | "unknown" | "stopped", to: "ok" | "stale"): Event {
  const name = { name: "api", instance: "1" };
  return { kind: "roll.changed", data: { ...name, from, to, why: "", silent_ms: 0, every_ms: 1 } };
}

function forgotten(instance: string): Event {
  return { kind: "roll.forgotten", data: { instances: [{ name: "api", instance }] } };
}

function exchanged(token: string, into: string, so: object = {}): Event {
  const next = { token: tokenOf(into), hash: hashOf(into), expires_at_ms: START_MS + 9 };
  return { kind: "token.exchanged", data: { token, into: { ...next, role: "operator", ...so } } };
}

function issued(id: string, so: object = {}): Event {
  const token = { token: tokenOf(id), hash: hashOf(id), expires_at_ms: START_MS + 9 };
  return { kind: "token.issued", data: { ...token, role: "viewer", ...so } };
}

test("[RO11] [AT7] what the rules would have written is found nothing wrong with", () => {
  const play = playOf(base);
  for (const event of [changed("ok", "stale"), forgotten("2"), exchanged(code, "x"), issued("x")])
    expect(ofEntry(play, happen(play, event))).toEqual([]);
});

test.each([
  [changed("unknown", "ok"), /^I13: api\/1 must change from ok, got unknown/],
  [changed("ok", "ok"), /^I13: api\/1 must change from ok, got ok/],
  [forgotten("1"), /^I13: roll.forgotten must not take api\/1 from the roll, it was ok/],
])("[RO11] an entry that lies about the roll is found: %#", (event, found) => {
  const play = playOf(base);
  expect(ofEntry(play, happen(play, event))).toContainEqual(expect.stringMatching(found));
});

function withRow(change: (roll: OrderedMap<RollRow>) => OrderedMap<RollRow>) {
  return (state: State): State => ({ ...state, roll: change(state.roll) });
}

function full(roll: OrderedMap<RollRow>): OrderedMap<RollRow> {
  const row = roll.get("api/1");
  if (row === undefined) throw new Error("api/1 must be in the roll");
  let all = roll;
  for (let index = 0; index < LIMITS.rollRowsMax; index += 1) {
    const one = { ...row, instance: `n${index}` };
    all = all.set(rollKey(one), one);
  }
  return all;
}

test.each([
  ["taken", withRow((roll) => roll.delete("api/2")), /^I13: worker.noted must not take api\/2/],
  [
    "changed",
    withRow((roll) => roll.set("api/2", { ...(roll.get("api/2") as RollRow), status: "ok" })),
    /^I13: worker.noted must not say how api\/2 stands/,
  ],
  ["too many", withRow(full), /^I13: the roll must have at most 20000 rows, got 20002/],
  ["too many of a name", withRow(full), /^I13: api must have at most 1000 rows, got 20002/],
  [
    "under another's key",
    withRow((roll) => roll.set("api/9", roll.get("api/1") as RollRow)),
    /^index: rows must be kept by name and instance/,
  ],
] as const)("[RO11] a row that is %s is found", (_, change, found) => {
  expect(ofState(playOf(base), change)).toContainEqual(expect.stringMatching(found));
});

test.each([
  [issued("a", { hash: "0".repeat(64) }), /^I14: .* must be one token, it is brought twice/],
  [issued("x", { hash: hashOf("a") }), /^I14: the secret of .* must be its own, another has it/],
  [issued("x", { expires_at_ms: START_MS }), /^I14: .* must begin before its end/],
  [issued("x", { role: "worker", worker: idOf("z") }), /^I14: .* that lives, .* has ended/],
  [exchanged(a, "x"), /^I14: .* must be a login code that is good/],
  [exchanged(code, "x", { role: "viewer" }), /^I14: a code must be exchanged for its role/],
])("[AT7] an entry that lies about tokens is found: %#", (event, found) => {
  const play = playOf(base);
  expect(ofEntry(play, happen(play, event))).toContainEqual(expect.stringMatching(found));
});

test("[AT7] a token that comes, goes or stays by nothing is found", () => {
  const play = playOf(base);
  const gone = (state: State): State => ({ ...state, access: state.access.delete(a) });
  expect(ofState(play, gone)).toEqual([`I14: worker.noted must not take the token ${a}`]);
  const longer = (state: State): State => {
    const token = state.access.get(a);
    if (token === undefined) throw new Error("the token must be in the state");
    return { ...state, access: state.access.set(a, { ...token, expires_at_ms: 2 * START_MS }) };
  };
  expect(ofState(play, longer)).toEqual([`I14: worker.noted must not bring the token ${a}`]);
});
