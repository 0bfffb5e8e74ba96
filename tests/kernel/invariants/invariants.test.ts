// The checks of the invariants are checked themselves: each is broken once, by an entry that the
// rules would never have written or a state that the fold would never have made.
import { describe, expect, test } from "vitest";
import type { Event } from "../../../src/kernel/event.ts";
import { evolve, type Happening } from "../../../src/kernel/evolve.ts";
import { DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";
import { findViolations } from "../../../src/kernel/invariants/invariants.ts";
import type { State, Worker } from "../../../src/kernel/state.ts";
import type { Manifest } from "../../../src/kernel/worker/manifest.ts";
import {
  admit,
  create,
  exited,
  idOf,
  kill,
  pause,
  quarantine,
  self,
  start,
  START_MS,
  stop,
  SYSTEM,
  type Play,
  type Step,
} from "../../support/scenario.ts";
import { happen, noted, ofEntry, ofState, playOf } from "./findings.ts";

const budget = { cpu_milli: 100, spawns: 9, units: { tokens: 50 } };
const base = [
  create({ on_orphan: "keep", max_replicas: 4, max_total: 9, max_depth: 2, cooldown_ms: 0 }),
  ...start("a", { budget }),
  ...start("b", { under: "a", budget: { cpu_milli: 40, spawns: 4, units: { tokens: 20 } } }),
  admit("c", { under: "b", budget: { cpu_milli: 10, spawns: 1, units: { tokens: 5 } } }),
];

function changed(name: string, fields: Partial<Worker>): (state: State) => State {
  return (state) => {
    const worker = state.workers.get(idOf(name));
    if (worker === undefined) throw new Error(`${name} must be in the state`);
    return { ...state, workers: state.workers.set(worker.id, { ...worker, ...fields }) };
  };
}

function manifest(play: Play, fields: Partial<Manifest>): Event {
  const issued = { ...play.manifestOf("c"), instance: idOf("z"), ...fields };
  return { kind: "worker.admitted", data: { manifest: issued, reason: "", degraded: [] } };
}

test("[IV3] where all is well nothing is found", () => {
  const play = playOf(base);
  expect(ofEntry(play, happen(play, noted))).toStrictEqual([]);
  expect(ofEntry(play, happen(play, manifest(play, {})))).toStrictEqual([]);
});

describe("[IV3] a state that contradicts itself is found", () => {
  const cases: readonly {
    readonly what: string;
    readonly found: RegExp;
    readonly change: (state: State) => State;
  }[] = [
    {
      what: "the live miscounted",
      found: /^index: live_count must be 3, got 2/,
      change: (s) => ({ ...s, live_count: 2 }),
    },
    {
      what: "more live than admitted",
      found: /^index: total_count/,
      change: (s) => ({ ...s, total_count: 1 }),
    },
    {
      what: "a lost edge",
      found: /^index: children must hold/,
      change: (s) => ({ ...s, children: s.children.delete(`${idOf("a")}/${idOf("b")}`) }),
    },
    {
      what: "an edge of nobody",
      found: /^index: children must not hold x/,
      change: (s) => ({ ...s, children: s.children.set("x/y", true) }),
    },
    {
      what: "a lost deadline",
      found: /^index: deadlines must hold/,
      change: (s) => ({ ...s, deadlines: s.deadlines.delete(s.deadlines.first()?.[0] ?? "") }),
    },
    {
      what: "a deadline of nobody",
      found: /^index: deadlines must not hold/,
      change: (s) => ({ ...s, deadlines: s.deadlines.set("1/x", true) }),
    },
    {
      what: "a worker under another's id",
      found: /^index: workers must be kept by id/,
      change: (s) => ({ ...s, workers: s.workers.set("w-x", s.workers.first()?.[1] as Worker) }),
    },
    {
      what: "a parent that is gone",
      found: /^index: the parent .* must be in the state/,
      change: (s) => ({ ...s, workers: s.workers.delete(idOf("b")) }),
    },
    {
      what: "children miscounted",
      found: /^index: children_count of .* must be 1, got 2/,
      change: changed("a", { children_count: 2 }),
    },
    {
      what: "living children miscounted",
      found: /^index: live_children_count/,
      change: changed("a", { live_children_count: 0 }),
    },
    {
      what: "a dead leaf",
      found: /^index: a stopped worker without descendants/,
      change: changed("c", { status: "stopped" }),
    },
    {
      what: "a wider network",
      found: /^I5: network of/,
      change: changed("b", { network: "open" }),
    },
    { what: "other regions", found: /^I5: regions of/, change: changed("b", { regions: ["x"] }) },
    {
      what: "a longer life",
      found: /^I5: .* must expire with its parent/,
      change: changed("b", { expires_at_ms: 10 ** 15 }),
    },
    {
      what: "a bound lost",
      found: /^I5: .* must be bounded in cpu_milli/,
      change: changed("b", { granted: {}, reserved: {} }),
    },
    {
      what: "more held than is reserved",
      found: /^I5: reserved cpu_milli of .* must be its children's 40, got 30/,
      change: changed("a", { reserved: { cpu_milli: 30, spawns: 4, "units.tokens": 20 } }),
    },
    {
      what: "more reserved than was given",
      found: /^I5: reserved cpu_milli of .* must be from 0 to 30/,
      change: changed("a", { granted: { ...budget, cpu_milli: 30 } }),
    },
    {
      what: "a reserve of what is unbounded",
      found: /^I5: .* must not reserve memory_bytes/,
      change: changed("a", {
        reserved: { cpu_milli: 40, spawns: 4, "units.tokens": 20, memory_bytes: 1 },
      }),
    },
    {
      what: "spent capacity",
      found: /^I5: spent of .* must be of bounded consumables/,
      change: changed("a", { spent: { spawns: 1, cpu_milli: 1 } }),
    },
    {
      what: "a fraction",
      found: /^I5: units.tokens of .* must be an integer/,
      change: changed("a", { spent: { spawns: 1, "units.tokens": 0.5 } }),
    },
    {
      what: "spending undone",
      found: /^I5: spent spawns of .* must not fall from 1, got 0/,
      change: changed("a", { spent: {} }),
    },
    {
      what: "a life gone backwards",
      found: /^I10: .* must not go back from running to admitted/,
      change: changed("a", { status: "admitted" }),
    },
    {
      what: "an end by another entry",
      found: /^I10: worker.noted must not end/,
      change: changed("b", { status: "stopped" }),
    },
    {
      what: "another depth",
      found: /^I6: depth of .* must stay 1, got 0/,
      change: changed("b", { depth: 0 }),
    },
    {
      what: "another parent",
      found: /^I6: worker.noted must not change the parent/,
      change: changed("c", { parent: idOf("a") }),
    },
    {
      what: "another epoch",
      found: /^I2: epoch must be 0, got 1/,
      change: (s) => ({ ...s, epoch: 1 }),
    },
    { what: "another seq", found: /^I11: seq must be/, change: (s) => ({ ...s, seq: 1 }) },
    {
      what: "an earlier hour",
      found: /^I11: journal time must not run back/,
      change: (s) => ({ ...s, at_ms: START_MS - 1 }),
    },
    {
      what: "another fleet",
      found: /^I3: a journal must hold one fleet/,
      change: (s) => ({ ...s, fleet: "f-x" }),
    },
    {
      what: "an admission uncounted",
      found: /^I4: total_count must be 3, got 4/,
      change: (s) => ({ ...s, total_count: 4 }),
    },
    {
      what: "a worker out of nowhere",
      found: /^I4: only an admission may bring a worker/,
      change: (s) => ({
        ...s,
        workers: s.workers.set("w-x", { ...(s.workers.first()?.[1] as Worker), id: "w-x" }),
      }),
    },
  ];

  test.each(cases)("$what", ({ found, change }) => {
    const violations = ofState(playOf(base), change);
    expect(violations).toContainEqual(expect.stringMatching(found));
  });

  test("a dead worker that holds more than its living children", () => {
    const play = playOf([...base, exited("b")]);
    const granted = { cpu_milli: 11, spawns: 1, units: { tokens: 5 } };
    expect(ofState(play, changed("b", { granted }))).toContainEqual(
      expect.stringMatching(/^I5: a dead worker must hold just its children's/),
    );
  });

  test("somebody who runs in a killed fleet, and a kill undone", () => {
    const play = playOf([...base, kill]);
    expect(ofState(play, changed("a", { status: "running" }))).toContainEqual(
      expect.stringMatching(/^I3: in a killed fleet every worker must be stopping/),
    );
    expect(ofState(play, (state) => ({ ...state, status: "open" }))).toContainEqual(
      expect.stringMatching(/^I3: a killed fleet must stay killed/),
    );
  });

  test("consumables that came back though they were spent", () => {
    const play = playOf(base);
    const evidence = { grade: "observed", facts: {} } as const;
    const data = { worker: idOf("b"), reason: "completed", evidence, outcome: {} } as const;
    const happening = happen(play, { kind: "worker.stopped", data });
    const after = changed("a", { spent: { spawns: 1 }, reserved: {} })(
      evolve(play.state, happening),
    );
    expect(findViolations(play.state, happening, after)).toContainEqual(
      expect.stringMatching(/^I5: .* must get back at most 15 units.tokens of .*, got 20/),
    );
  });
});

describe("[IV3] an entry that lets in who may not be let in is found", () => {
  const cases: readonly {
    readonly what: string;
    readonly found: RegExp;
    readonly steps?: readonly Step[];
    readonly event: (play: Play) => Event;
    readonly at?: Partial<Happening>;
  }[] = [
    {
      what: "a fifth of four",
      found: /^I4: live workers must be at most 4, got 5/,
      steps: [admit("d")],
      event: (play) => manifest(play, {}),
    },
    {
      what: "a taken id",
      found: /^I4: an instance must be new/,
      event: (play) => manifest(play, { instance: idOf("c") }),
    },
    {
      what: "a generation too many",
      found: /^I6: depth of .* must be at most 2, got 3/,
      event: (play) => manifest(play, { depth: 3 }),
    },
    {
      what: "a depth that is not the parent's and one",
      found: /^I6: depth of .* must be 2 below/,
      event: (play) => manifest(play, { depth: 1 }),
    },
    {
      what: "a root that is none",
      found: /^I6: .* must be a root of depth 0/,
      event: (play) => manifest(play, { parent: null }),
    },
    {
      what: "a child of the stopping",
      found: /^I8: the parent .* must be running, it is stopping/,
      steps: [stop("b")],
      event: (play) => manifest(play, {}),
    },
    {
      what: "a child of the quarantined",
      found: /^I8: the parent .* must be running/,
      steps: [quarantine("b")],
      event: (play) => manifest(play, {}),
    },
    {
      what: "an admission after the kill",
      found: /^I3: after the kill there must be no worker.admitted/,
      steps: [kill],
      event: (play) => manifest(play, {}),
    },
    {
      what: "a registration after the kill",
      found: /^I3: after the kill there must be no worker.registered/,
      steps: [kill],
      event: () => ({ kind: "worker.registered", data: { worker: idOf("c") } }),
    },
    {
      what: "an admission in a pause",
      found: /^I3: while paused/,
      steps: [pause],
      event: (play) => manifest(play, {}),
    },
    {
      what: "a life beyond the contract's",
      found: /^I8: .* must live at most/,
      event: (play) =>
        manifest(play, { expires_at_ms: START_MS + DEFAULT_CONTRACT.lifetime_ms + 1 }),
    },
    {
      what: "a registration after the lifetime",
      found: /^I8: .* must register within its lifetime/,
      event: (play) =>
        manifest(play, { register_by_ms: START_MS + DEFAULT_CONTRACT.lifetime_ms + 1 }),
    },
    {
      what: "a registration past its hour",
      found: /^I8: what ended at .* must be settled before worker.registered/,
      event: () => ({ kind: "worker.registered", data: { worker: idOf("c") } }),
      at: { at_ms: START_MS + 30_000 },
    },
    {
      what: "a second registration",
      found: /^I8: only a reservation may be taken up/,
      event: () => ({ kind: "worker.registered", data: { worker: idOf("b") } }),
    },
    {
      what: "a registration below the quarantined",
      found: /^I8: the parent .* not in quarantine/,
      steps: [quarantine("b")],
      event: () => ({ kind: "worker.registered", data: { worker: idOf("c") } }),
    },
    {
      what: "a checkpoint past the lifetime",
      found: /^I8: what ended at/,
      event: () => ({ kind: "worker.checkpointed", data: { worker: idOf("a"), state: {} } }),
      at: { at_ms: START_MS + DEFAULT_CONTRACT.lifetime_ms },
    },
    {
      what: "a checkpoint by another",
      found: /^I9: .* must not act for/,
      event: () => ({ kind: "worker.checkpointed", data: { worker: idOf("a"), state: {} } }),
      at: { actor: self("b") },
    },
    {
      what: "an admission by another",
      found: /^I9: .* must not act for/,
      event: (play) => manifest(play, {}),
      at: { actor: self("a") },
    },
    {
      what: "a lapse before its hour",
      found: /^I8: .* must not lapse before/,
      event: () => ({ kind: "worker.lapsed", data: { worker: idOf("c") } }),
      at: { actor: SYSTEM },
    },
    {
      what: "a lapse of one that runs",
      found: /^I10: only a reservation may lapse/,
      event: () => ({ kind: "worker.lapsed", data: { worker: idOf("b") } }),
    },
    {
      what: "an end without a grade",
      found: /^I10: .* must end with a grade/,
      event: () => ({
        kind: "worker.stopped",
        data: {
          worker: idOf("c"),
          reason: "failed",
          evidence: { grade: "guessed" as "observed", facts: {} },
          outcome: {},
        },
      }),
    },
    {
      what: "an entry of the past",
      found: /^I11: journal time must not run back/,
      event: () => noted,
      at: { at_ms: START_MS - 1 },
    },
    {
      what: "a recovery that stays in its epoch",
      found: /^I2: a recovery must raise the epoch above 0, got 0/,
      event: (play) => {
        const kept = { kept_seq: play.state.seq, kept_hash: "a".repeat(64) };
        const lost = { remembered_seq: play.state.seq + 1, remembered_hash: "b".repeat(64) };
        return { kind: "fleet.recovered", data: { reason: "x", ...kept, ...lost, epoch: 0 } };
      },
    },
    { what: "a gap in the seqs", found: /^I11: seq must be/, event: () => noted, at: { seq: 99 } },
  ];

  test.each(cases)("$what", ({ found, steps = [], event, at }) => {
    const play = playOf([...base, ...steps]);
    const violations = ofEntry(play, happen(play, event(play), at));
    expect(violations).toContainEqual(expect.stringMatching(found));
  });

  test("one admission too many for the fleet's life, and one too soon", () => {
    const { contract } = playOf([create({ max_total: 9, cooldown_ms: 0 })]).state;
    const play = playOf([create(), ...start("b"), admit("c", { under: "b" })]);
    const tight = { ...contract, max_total: 2, cooldown_ms: 1_000, max_replicas: 2 };
    const before = { ...play.state, contract: tight };
    const happening = happen(play, manifest(play, {}));
    const violations = findViolations(before, happening, evolve(before, happening));
    expect(violations).toContainEqual(
      expect.stringMatching(/^I4: admissions must be at most 2, got 3/),
    );
    expect(violations).toContainEqual(expect.stringMatching(/^I4: .* must wait 1000 ms/));
  });

  test("a registration above a contract that was tightened since", () => {
    const play = playOf(base);
    const contract = { ...play.state.contract, max_replicas: 2 };
    const before = { ...play.state, contract, contract_hash: "tight" };
    const happening = happen(play, { kind: "worker.registered", data: { worker: idOf("c") } });
    expect(findViolations(before, happening, evolve(before, happening))).toContainEqual(
      expect.stringMatching(/^I4: under a changed contract .* must not register above it, by 1/),
    );
  });
});
