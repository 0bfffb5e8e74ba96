import { describe, expect, test } from "vitest";
import {
  DEFAULT_CONTRACT,
  DEGRADATIONS,
  type Contract,
} from "../../../src/kernel/fleet/contract.ts";
import { DEFAULT_GROUND_RULES } from "../../../src/kernel/lane/lane.ts";
import { evolve } from "../../../src/kernel/evolve.ts";
import { INITIAL_STATE, type State } from "../../../src/kernel/state.ts";
import { eachDecision } from "../../../src/runtime/replaying/decisions.ts";
import { Hypothesis, type OtherRules } from "../../../src/runtime/replaying/hypothesis.ts";
import { tryRules } from "../../../src/runtime/replaying/what-if.ts";
import { encodeState } from "../../../src/runtime/state-codec.ts";
import { entriesOf, historyOf } from "./histories.ts";

const ALL = { shownMax: 100, comparesEvents: true };

describe("[WI1] under the rules that were in force nothing differs", () => {
  test("in random histories, event for event and state for state", async () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 60; seed += 1) {
      const journal = await historyOf(seed, 120);
      const entries = await entriesOf(journal);
      if (entries.length === 0) continue;
      const tried = await tryRules(journal, {}, ALL);
      expect(tried).toMatchObject({ ok: true, document: { different_count: 0, differences: [] } });
      expect(tried).toMatchObject({ document: { moot_count: 0, left_out_count: 0 } });
      const hypothesis = new Hypothesis({});
      await eachDecision(journal, {}, (decision) => {
        if (decision[0].seq < 2) hypothesis.follow(decision);
        else hypothesis.ask(decision);
      });
      const folded = entries.reduce<State>(evolve, INITIAL_STATE);
      expect(encodeState(hypothesis.state)).toBe(encodeState(folded));
      for (const { kind } of entries) kinds.add(kind);
    }
    // The histories do reach the rules, those of leases too.
    const reached = ["worker.registered", "worker.lapsed", "lease.granted", "lease.handed_over"];
    expect([...kinds]).toEqual(expect.arrayContaining(reached));
  });

  test("in random histories, put in force anew from where they were", async () => {
    let decided = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const journal = await historyOf(seed, 120);
      const entries = await entriesOf(journal);
      const rules = entries.findLast(({ kind }) => /^(contract|lanes)\.enacted$/.test(kind));
      const fromSeq = (rules?.seq ?? 1) + 1;
      const before = entries.filter(({ seq }) => seq < fromSeq);
      const { contract, book, status } = before.reduce<State>(evolve, INITIAL_STATE);
      if (status === "none" || status === "killed") continue;
      const tried = await tryRules(journal, { contract, ground: book.rules }, { ...ALL, fromSeq });
      expect(tried).toMatchObject({ ok: true, document: { different_count: 0, moot_count: 0 } });
      decided += tried.ok ? tried.document.same_count : 0;
    }
    expect(decided).toBeGreaterThan(500);
  });
});

describe("[WI2] under any other rules every command comes to something", () => {
  const looser: Partial<Contract> = {
    max_replicas: 100,
    max_total: 10_000,
    max_depth: 10,
    cooldown_ms: 0,
    stop: [],
    lease_deny_when: [],
    on_orphan: "keep",
    budget: {},
    allow_degraded: DEGRADATIONS,
  };
  const tighter: Partial<Contract> = {
    max_replicas: 3,
    max_depth: 1,
    cooldown_ms: 3_000,
    register_within_ms: 1_000,
    lifetime_ms: 20_000,
    on_orphan: "grandparent",
    lease_deny_when: [{ name: "few", when: "active_leases > 3" }],
  };
  const lanes = [
    { name: "api", region: ["src/**"], slots: 2 },
    { name: "docs", region: ["docs/a"] },
  ];

  test.each<[string, OtherRules]>([
    ["looser", { contract: { ...DEFAULT_CONTRACT, ...looser } }],
    ["tighter", { contract: { ...DEFAULT_CONTRACT, ...tighter } }],
    ["other lanes", { ground: { ...DEFAULT_GROUND_RULES, lanes } }],
    ["none at all", { ground: DEFAULT_GROUND_RULES, contract: DEFAULT_CONTRACT }],
  ])("%s", async (_, others) => {
    let [different, moot] = [0, 0];
    for (let seed = 1; seed <= 30; seed += 1) {
      const journal = await historyOf(seed, 120);
      if ((await journal.head()).seq === 0) continue;
      const tried = await tryRules(journal, others, { shownMax: 3 });
      if (!tried.ok) throw new Error(`seed ${seed}: ${tried.refusal.message}`);
      const { command_count: all, same_count: same, left_out_count: left } = tried.document;
      const { different_count, moot_count, differences, moots } = tried.document;
      expect(same + different_count + moot_count + left).toBe(all);
      expect(differences.length).toBe(Math.min(3, different_count));
      expect(moots.length).toBe(Math.min(3, moot_count));
      different += different_count;
      moot += moot_count;
    }
    expect(different).toBeGreaterThan(50);
    expect(moot).toBeGreaterThan(5);
  });
});
