import canonicalize from "canonicalize";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../src/kernel/decide.ts";
import { INITIAL_STATE, type State } from "../../src/kernel/state.ts";
import { canonicalCopy } from "../../src/runtime/canonical.ts";
import { decodeState, encodeState, encodeStateInTurns } from "../../src/runtime/state-codec.ts";
import { SYSTEM_TIMERS } from "../../src/runtime/timers.ts";
import { acquire, enactLanes } from "../support/lease-scenario.ts";
import { create, given, start } from "../support/scenario.ts";
import { enactRoster, heard, issue } from "../support/service-scenario.ts";
import { OPERATOR, Rig } from "./rig.ts";
import { scripts, play } from "./script.ts";

/** A state with its maps as lists, so that two can be compared whole. */
function spread(state: State): unknown {
  const { workers, children, deadlines, refusals } = state;
  const lists = [workers, children, deadlines, refusals].map((map) => [...map]);
  return {
    ...state,
    workers: lists[0],
    children: lists[1],
    deadlines: lists[2],
    refusals: lists[3],
  };
}

test("[SN1] a state is read back from its text as it was", async () => {
  expect(decodeState(encodeState(INITIAL_STATE))).toEqual(INITIAL_STATE);
  await fc.assert(
    fc.asyncProperty(scripts(40), async (script) => {
      const rig = new Rig();
      const loop = await rig.found({ max_replicas: 6, refusals_per_minute: 3 });
      await play(rig, loop, script);
      const state = loop.state();
      const text = encodeState(state);
      const read = decodeState(text);
      expect(spread(read as State)).toStrictEqual(spread(state));
      expect(encodeState(read as State)).toBe(text);
      expect(await encodeStateInTurns(state, SYSTEM_TIMERS)).toBe(text);
      await loop.close();
    }),
    { numRuns: 40 },
  );
});

test("[SN1] leases and lanes are read back, with all that finds them", () => {
  const { play: before } = given(
    create(),
    enactLanes([{ name: "web", region: ["web/**"], slots: 2, aliases: ["site"] }]),
    start("a"),
    acquire("@a", "src/**", { key: "k" }),
    acquire("ann", { lanes: ["site"] }),
    acquire("eve \u2028", "docs/** !docs/gen/**", { mode: "shared" }),
  );
  const read = decodeState(encodeState(before.state)) as State;
  expect(encodeState(read)).toBe(encodeState(before.state));
  const { book } = before.state;
  for (const name of ["leases", "holders", "ends", "slots"] as const)
    expect([...read.book[name]]).toStrictEqual([...book[name]]);
  expect([...read.book.lanes]).toStrictEqual([...book.lanes]);
  const asks = ["src/a", "web/x", "docs/a", "docs/gen/a", "else/**"];
  for (const region of asks) {
    const holder = { name: "bob", nonce: "n".repeat(26), token_hash: "0".repeat(64) };
    const data = { holder, region: [region], ttl_ms: 1_000 };
    const asked = { id: "c", actor: OPERATOR, command: { kind: "lease.acquire", data } } as const;
    expect(decide(read, asked, before.atMs)).toStrictEqual(
      decide(before.state, asked, before.atMs),
    );
  }
});

test("[RO12] roster, roll and tokens are read back; a state of the form before is not read", () => {
  const { play: before } = given(
    create(),
    start("p"),
    enactRoster("api", { name: "web", unit: "web.service" }),
    heard("web/2"),
    heard("api/1", { said: "stopped" }),
    issue("a", { role: "service", service: "api" }),
    issue("code", { once: true }),
  );
  const text = encodeState(before.state);
  const read = decodeState(text) as State;
  expect(encodeState(read)).toBe(text);
  expect(read.roster).toStrictEqual(before.state.roster);
  expect([...read.roll]).toStrictEqual([...before.state.roll]);
  expect([...read.access]).toStrictEqual([...before.state.access]);
  expect(read.roll.size + read.access.size).toBe(4);
  const older = text.replace(/"form":\d+/, '"form":7');
  expect(older).not.toBe(text);
  expect(decodeState(older)).toBeUndefined();
});

test("[SN2] the text of a state is canonical JSON", async () => {
  const rig = new Rig();
  const loop = await rig.found();
  await loop.submit({ kind: "fleet.pause", data: { reason: "ü \u2028" } }, OPERATOR);
  const text = encodeState(loop.state());
  expect(text).toBe(canonicalize(JSON.parse(text)));
  await loop.close();
});

test("[SN3] a text of another form is no state", () => {
  const text = encodeState(INITIAL_STATE);
  expect(decodeState(text.replace(/"form":\d+/, '"form":0'))).toBeUndefined();
  for (const other of ["", "null", "[]", "{}", text.slice(0, -1)])
    expect(decodeState(other)).toBeUndefined();
});

test("[RT1] a canonical copy is what reading the canonical text back gives", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const copy = canonicalCopy(value);
      const read: unknown = JSON.parse(canonicalize(value) as string);
      // Text compares the order of keys as well.
      expect(JSON.stringify(copy)).toBe(JSON.stringify(read));
      expect(copy).toStrictEqual(read);
    }),
  );
  expect(canonicalCopy({ b: undefined, a: 1 })).toStrictEqual({ a: 1 });
  const owned = JSON.parse('{"__proto__":{"a":1}}') as object;
  expect(Object.keys(canonicalCopy(owned))).toEqual(["__proto__"]);
  for (const foreign of [NaN, Infinity, 1n, new Date(0), [undefined], { a: () => 1 }])
    expect(() => canonicalCopy<unknown>(foreign)).toThrow(/must be/);
});
