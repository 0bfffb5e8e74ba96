// The checks of the invariants about those who wait are checked themselves, each by what the rules
// would never have written and the fold would never have made.
import { expect, test } from "vitest";
import type { Event } from "../../../src/kernel/event.ts";
import type { LeaseMode } from "../../../src/kernel/lease/lease.ts";
import { putPlace, dropPlace, type Queue } from "../../../src/kernel/queue/queue.ts";
import type { State } from "../../../src/kernel/state.ts";
import { acquire, outside, release, TTL_MS, wait } from "../../support/lease-scenario.ts";
import { after, create, START_MS, type Step } from "../../support/scenario.ts";
import { happen, ofEntry, ofState, playOf } from "./findings.ts";

/** Bob waits for a part of what ada held, and dora behind him. */
const base: readonly Step[] = [
  create(),
  acquire("ada", "src/**"),
  wait("bob", "src/api/**"),
  wait("dora", "src/api/x"),
  release("ada"),
];

function grant(
  holder: string,
  region: string,
  more: { readonly place?: string; readonly mode?: LeaseMode; readonly alone?: true } = {},
): Event {
  const expires_at_ms = START_MS + TTL_MS;
  const given = {
    mode: "exclusive",
    region: [region],
    holder: outside(holder),
    ttl_ms: TTL_MS,
  } as const;
  return { kind: "lease.granted", data: { ...given, expires_at_ms, ...more } };
}

function withQueue(change: (queue: Queue) => Queue): (state: State) => State {
  return (state) => ({ ...state, book: { ...state.book, queue: change(state.book.queue) } });
}

test("[IV4] where nobody is passed nothing is found", () => {
  const play = playOf(base);
  expect(ofEntry(play, happen(play, grant("bob", "src/api/**", { place: "q-3" })))).toStrictEqual(
    [],
  );
  expect(ofEntry(play, happen(play, grant("carl", "src/web/**")))).toStrictEqual([]);
  const late = playOf([...base, after(15_000)]);
  expect(ofEntry(late, happen(late, grant("carl", "src/api/x"), { at_ms: late.atMs }))).toEqual([]);
});

test.each([
  ["who came by", grant("carl", "src/api/y"), "q-3"],
  ["who came later and waits too", grant("dora", "src/api/x", { place: "q-4" }), "q-3"],
  ["who reads", grant("carl", "src/api/y", { mode: "shared" }), "q-3"],
])("[IV4] %s is found to have passed whoever came first", (_, event, passed) => {
  const play = playOf(base);
  const found = new RegExp(`^I12: l-6 must not pass ${passed}`);
  expect(ofEntry(play, happen(play, event))).toContainEqual(expect.stringMatching(found));
});

test("[IV4] a grant in a place that is nobody's is found", () => {
  const play = playOf(base);
  const found = [expect.stringMatching(/^I12: l-6 must be taken up in a place that is somebody's/)];
  expect(ofEntry(play, happen(play, grant("x", "docs", { place: "q-9" })))).toEqual(found);
});

test.each([
  ["taken", (queue: Queue) => dropPlace(queue, "q-3"), /^I8: worker.noted must not take .* q-3/],
  [
    "kept",
    (queue: Queue) => queueWith(queue, { until_ms: START_MS + 15_001 }),
    /^I8: worker.noted must not change the place q-3/,
  ],
  [
    "kept for longer than its time",
    (queue: Queue) => queueWith(queue, { until_ms: START_MS + 15_001 }),
    /^I8: q-3 must end within 15000 ms/,
  ],
  [
    "given",
    (queue: Queue) => queueWith(queue, { id: "q-7", rank: 7 }),
    /^I8: worker.noted must not give anybody the place q-7/,
  ],
] as const)("[IV4] a place that is %s by nothing is found", (_, change, found) => {
  const play = playOf(base);
  expect(ofState(play, withQueue(change))).toContainEqual(expect.stringMatching(found));
});

test("[IV4] a place that lapses before its time is found, and an index that lacks one", () => {
  const play = playOf(base);
  const lapsed = { kind: "place.lapsed", data: { place: "q-3", cause: "unkept" } } as const;
  expect(ofEntry(play, happen(play, lapsed))).toContainEqual(
    expect.stringMatching(/^I8: q-3 must not lapse before/),
  );
  const lacking = withQueue((queue) => {
    const put = queueWith(queue, { until_ms: START_MS + 1 });
    return { ...put, ends: put.ends.delete([...put.ends.keys()][0] ?? "") };
  });
  expect(ofState(play, lacking)).toContainEqual(
    expect.stringMatching(/^index: ends of places must be 2/),
  );
});

function queueWith(queue: Queue, fields: object): Queue {
  const place = [...queue.places.values()].find(({ id }) => id === "q-3");
  if (place === undefined) throw new Error("q-3 must be in the queue");
  return putPlace(queue, { ...place, ...fields });
}
