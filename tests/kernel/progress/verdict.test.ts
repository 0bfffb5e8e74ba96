import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_CONTRACT } from "../../../src/kernel/fleet/contract.ts";
import type { Evidence, Mark } from "../../../src/kernel/progress/evidence.ts";
import { judge, VERDICTS, type VerdictTerms } from "../../../src/kernel/progress/verdict.ts";

const NOW = 10_000_000;

const TERMS: VerdictTerms = {
  ...DEFAULT_CONTRACT,
  liveness: {
    progress_within_ms: 1_000,
    grace_ms: 2_000,
    stalled_after_ms: 0,
    halt_spinning_after_ms: 5_000,
  },
  beat_every_ms: 100,
  reap_after_ms: 500,
};

/** A mark of progress so long ago, ms. */
function mark(agoMs: number, kind: Mark["kind"] = "units"): Mark {
  return { kind, at_ms: NOW - agoMs, seq: 7, what: "tokens 3" };
}

/** A running worker that has been there for long, beats, and did nothing. */
function evidence(given: Partial<Evidence> = {}): Evidence {
  return {
    now_ms: NOW,
    since_ms: NOW - 60_000,
    standing: "running",
    marks: [],
    commits_known: true,
    beat_at_ms: NOW - 100,
    seen: "alive",
    stale: false,
    ...given,
  };
}

/** Verdict and rule, as one text. */
function told(given: Partial<Evidence>, terms = TERMS): string {
  const { verdict, rule } = judge(evidence(given), terms);
  return `${verdict}: ${rule}`;
}

const MARK = fc.record({
  kind: fc.constantFrom<Mark["kind"]>("units", "commit", "lease_released"),
  at_ms: fc.integer({ min: NOW - 70_000, max: NOW + 5_000 }),
  seq: fc.constant(1),
  what: fc.constant(""),
});

const EVIDENCE: fc.Arbitrary<Evidence> = fc.record({
  now_ms: fc.constant(NOW),
  since_ms: fc.option(fc.integer({ min: NOW - 60_000, max: NOW + 5_000 })),
  standing: fc.constantFrom<Evidence["standing"]>(
    "admitted",
    "running",
    "quarantined",
    "stopping",
    "outside",
  ),
  marks: fc.array(MARK, { maxLength: 4 }),
  commits_known: fc.boolean(),
  beat_at_ms: fc.option(fc.integer({ min: NOW - 10_000, max: NOW + 5_000 })),
  seen: fc.constantFrom<Evidence["seen"]>("alive", "gone", "unknown"),
  stale: fc.boolean(),
});

describe("[PV1] the first rule that holds decides, and is named", () => {
  test.each<readonly [string, Partial<Evidence>]>([
    ["advancing: progress", { marks: [mark(999)] }],
    ["spinning: no_progress", { marks: [mark(1_000)] }],
    ["stalled: silent", { beat_at_ms: NOW - 500 }],
    ["spinning: no_progress", { beat_at_ms: NOW - 499 }],
    ["advancing: young", { since_ms: NOW - 1_999 }],
    ["spinning: no_progress", { since_ms: NOW - 2_000 }],
    ["stalled: silent", { since_ms: NOW - 1_999, beat_at_ms: NOW - 500 }],
    ["advancing: progress", { marks: [mark(0)], beat_at_ms: NOW - 60_000 }],
    ["unknown: quarantined", { standing: "quarantined", marks: [mark(0)], seen: "gone" }],
    ["unknown: stopping", { standing: "stopping", seen: "gone" }],
    ["unknown: not_begun", { standing: "admitted", since_ms: null }],
    ["unknown: not_begun", { since_ms: null, seen: "gone" }],
  ])("%s", (expected, given) => {
    expect(told(given)).toBe(expected);
  });

  test("every evidence has one verdict, the same each time", () => {
    fc.assert(
      fc.property(EVIDENCE, (one) => {
        const first = judge(one, TERMS);
        expect(judge(structuredClone(one), TERMS)).toEqual(first);
        expect(VERDICTS).toContain(first.verdict);
        for (const age of [first.progress_age_ms, first.age_ms, first.beat_age_ms, first.idle_ms])
          expect(age ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe("[PV2] who is seen gone is stalled at once; who is seen alive is let off nothing", () => {
  test.each<readonly [string, Partial<Evidence>]>([
    ["who spins", {}],
    ["the young", { since_ms: NOW - 10 }],
    ["who did something just now", { marks: [mark(0)] }],
    ["who is silent", { beat_at_ms: NOW - 5_000 }],
  ])("%s", (_, given) => {
    expect(told({ ...given, seen: "gone" })).toBe("stalled: gone");
  });

  test("seen alive instead of unknown makes nobody advance, and nobody stalled recover", () => {
    fc.assert(
      fc.property(EVIDENCE, (one) => {
        const unseen = judge({ ...one, seen: "unknown" }, TERMS);
        const alive = judge({ ...one, seen: "alive" }, TERMS);
        const known = { ...unseen, verdict: alive.verdict, rule: alive.rule };
        const halt = { halt_due: alive.halt_due };
        const isSame = unseen.verdict !== "unknown";
        expect(alive).toEqual(isSame ? unseen : { ...known, ...halt });
        expect(isSame || ["unknown", "spinning"].includes(alive.verdict)).toBe(true);
      }),
    );
  });
});

test("[PV3] a beat is never progress", () => {
  expect(told({ beat_at_ms: NOW })).toBe("spinning: no_progress");
  fc.assert(
    fc.property(EVIDENCE, (one) => {
      const silenced = judge({ ...one, beat_at_ms: null }, TERMS);
      const heard = judge({ ...one, beat_at_ms: NOW }, TERMS);
      const isAdvancing = heard.verdict === "advancing";
      expect(isAdvancing).toBe(silenced.verdict === "advancing");
    }),
  );
});

test("[PV4] what is not known is unknown, never stale (leases H21)", () => {
  const unseen = { beat_at_ms: null, seen: "unknown" } as const;
  expect(told(unseen)).toBe("unknown: no_evidence");
  expect(told({ ...unseen, stale: true })).toBe("unknown: no_evidence");
  expect(told({ ...unseen, marks: [mark(10)] })).toBe("advancing: progress");
  // A beat that the store received in the future was not received.
  expect(told({ ...unseen, beat_at_ms: NOW + 1 })).toBe("unknown: no_evidence");
  expect(told({ beat_at_ms: NOW + 60_000 })).toBe("spinning: no_progress");
});

test("[PV5] what is in the future is no progress, and does not become it (leases H21)", () => {
  expect(told({ marks: [mark(-1)] })).toBe("spinning: no_progress");
  expect(told({ marks: [mark(-1), mark(10)] })).toBe("advancing: progress");
  fc.assert(
    fc.property(EVIDENCE, MARK, (one, added) => {
      const later = { ...added, at_ms: NOW + 1 + Math.abs(added.at_ms) };
      expect(judge({ ...one, marks: [...one.marks, later] }, TERMS)).toEqual(judge(one, TERMS));
    }),
  );
});

test("[PV6] what was before it began is not its progress (leases H20)", () => {
  const since_ms = NOW - 60_000;
  expect(told({ since_ms, marks: [mark(60_001)] })).toBe("spinning: no_progress");
  const wide = { ...TERMS, liveness: { ...TERMS.liveness, progress_within_ms: 120_000 } };
  expect(told({ since_ms, marks: [mark(60_001)] }, wide)).toBe("spinning: no_progress");
  expect(told({ since_ms, marks: [mark(60_000)] }, wide)).toBe("advancing: progress");
});

test("[PV7] an outside party is judged by its progress and its leases alone", () => {
  const party = { standing: "outside", beat_at_ms: null, seen: "unknown" } as const;
  expect(told({ ...party, since_ms: NOW - 10 })).toBe("advancing: young");
  expect(told({ ...party, marks: [mark(10, "commit")] })).toBe("advancing: progress");
  expect(told(party)).toBe("spinning: no_progress");
  expect(told({ ...party, commits_known: false })).toBe("unknown: no_evidence");
});

test("[PV8] a halt is due when it has spun for its time, at the bound, and not unasked", () => {
  const due = (given: Partial<Evidence>, terms = TERMS): boolean =>
    judge(evidence(given), terms).halt_due;
  expect(due({ since_ms: NOW - 5_000 })).toBe(true);
  expect(due({ since_ms: NOW - 4_999 })).toBe(false);
  expect(due({ marks: [mark(4_999)] })).toBe(false);
  expect(due({ marks: [mark(5_000)] })).toBe(true);
  expect(due({ seen: "gone" })).toBe(false);
  expect(due({ seen: "unknown", beat_at_ms: null })).toBe(false);
  const never = { ...TERMS, liveness: { ...TERMS.liveness, halt_spinning_after_ms: 0 } };
  expect(due({}, never)).toBe(false);
});

test("[PV9] it is sure only of what no step of a wall clock can make", () => {
  const sure = (given: Partial<Evidence>): boolean => judge(evidence(given), TERMS).sure;
  expect(sure({ seen: "gone" })).toBe(true);
  expect(sure({ beat_at_ms: NOW - 5_000 })).toBe(false);
  expect(sure({ beat_at_ms: NOW - 5_000, stale: true })).toBe(true);
  expect(sure({ stale: true })).toBe(false);
});

test("[PV10] silence counts from `reap_after`, or from `stalled_after` where that is given", () => {
  const after = (stalled_after_ms: number): VerdictTerms => ({
    ...TERMS,
    liveness: { ...TERMS.liveness, stalled_after_ms },
  });
  expect(told({ beat_at_ms: NOW - 499 }, after(0))).toBe("spinning: no_progress");
  expect(told({ beat_at_ms: NOW - 700 }, after(800))).toBe("spinning: no_progress");
  expect(told({ beat_at_ms: NOW - 800 }, after(800))).toBe("stalled: silent");
  // Three beats are the least: before that nobody is stale.
  expect(told({ beat_at_ms: NOW - 299 }, after(1))).toBe("spinning: no_progress");
  expect(told({ beat_at_ms: NOW - 300 }, after(1))).toBe("stalled: silent");
});
