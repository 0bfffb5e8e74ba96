import type { GroundIndex } from "../src/kernel/ground/ground-index.ts";
import type { CommandMap, Submission } from "../src/kernel/command.ts";
import { decide } from "../src/kernel/decide.ts";
import { evolve } from "../src/kernel/evolve.ts";
import { DEFAULT_CONTRACT } from "../src/kernel/fleet/contract.ts";
import type { OutsideHolder } from "../src/kernel/lease/lease.ts";
import { parseRegion, type Region } from "../src/kernel/region/region.ts";
import { overlapOf } from "../src/kernel/region/relation.ts";
import { INITIAL_STATE, type State } from "../src/kernel/state.ts";
import { OPERATOR } from "./fleet.ts";
import { perSecond, type Bench } from "./measure.ts";

const MEETINGS = 20_000;
const MEETING_US = 20;
const INDEXED = 100_000;
const QUERIES = 5_000;
const QUERY_US = 50;
const DECISIONS = 2_000;
const DECISION_US = 100;
const FEW = 10;
const MANY = 10_000;

/** Pairs of patterns of four segments: some share something, some do not, none is simple. */
const PAIRS = [
  ["src/*/api/*.ts", "src/core/**/x*.ts"],
  ["src/**/api/*.ts", "src/*/v?/x*.tsx"],
  ["src/[a-m]*/api/**", "src/core/*/handler.ts"],
  ["**/api/v*/*.ts", "src/**/v2/*.test.ts"],
] as const;

/** Whether two patterns of four segments share anything, with what they share. */
export const meeting: Bench = {
  name: "region: intersection of 4 segments",
  unit: "µs",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 7,
  prepare() {
    const pairs = PAIRS.map(([left, right]) => [regionOf(left), regionOf(right)] as const);
    const meetAll = (): void => {
      for (let times = 0; times < MEETINGS; times += pairs.length)
        for (const [left, right] of pairs) overlapOf(left, right);
    };
    return Promise.resolve({
      floor: () => Promise.resolve(MEETING_US),
      measure: () => usEach(MEETINGS, meetAll),
      close: async () => undefined,
    });
  },
};

/** What a request among a hundred thousand live leases costs to find all that may be in its way. */
export const indexing: Bench = {
  name: `region: index of ${INDEXED.toLocaleString("en-US")} leases`,
  unit: "µs",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 7,
  prepare() {
    const { index } = stateWith(INDEXED).book;
    const asked = Array.from({ length: QUERIES }, (_, number) => regionOf(...requestOf(number)));
    const askAll = (): void => {
      for (const region of asked) countOf(index, region);
    };
    return Promise.resolve({
      floor: () => Promise.resolve(QUERY_US),
      measure: () => usEach(QUERIES, askAll),
      close: async () => undefined,
    });
  },
};

/** One decision among ten thousand live leases, against one among ten. */
export const deciding: Bench = {
  name: `lease: decide at ${MANY.toLocaleString("en-US")} live`,
  unit: "µs",
  floorName: `decide at ${FEW} live`,
  target: { ratio: 3, better: "lower" },
  rounds: 7,
  prepare() {
    const [few, many] = [stateWith(FEW), stateWith(MANY)];
    return Promise.resolve({
      floor: () => decisionUs(few),
      measure: () => decisionUs(many),
      close: async () => undefined,
    });
  },
};

/** The same, against what it may cost at most. */
export const decidingAtAll: Bench = {
  ...deciding,
  name: `lease: decide at ${MANY.toLocaleString("en-US")} live, at all`,
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  prepare() {
    const many = stateWith(MANY);
    return Promise.resolve({
      floor: () => Promise.resolve(DECISION_US),
      measure: () => decisionUs(many),
      close: async () => undefined,
    });
  },
};

async function usEach(count: number, work: () => void): Promise<number> {
  return 1e6 / (await perSecond(count, work));
}

function countOf(index: GroundIndex, region: Region): number {
  let count = 0;
  for (const _ of index.candidates(region, "exclusive")) count += 1;
  return count;
}

function regionOf(...patterns: readonly string[]): Region {
  const parsed = parseRegion(patterns);
  if (!parsed.ok) throw new Error(parsed.problem.expected);
  return parsed.region;
}

/** Ground as fleets lease it: folders, files, file types of a folder, ports. */
function groundOf(number: number): readonly string[] {
  const part = `part-${number % 997}`;
  const kinds = [
    [`src/${part}/unit-${number}/**`],
    [`src/${part}/file-${number}.ts`, `tests/${part}/file-${number}.test.ts`],
    [`docs/${part}/page-${number}/*.md`],
    [`port:${number}`],
  ] as const;
  return kinds[number % kinds.length] ?? kinds[0];
}

/** Ground that nobody has, beside what others have, in shapes each found in its own way. */
function requestOf(number: number): readonly string[] {
  const part = `part-${number % 997}`;
  const kinds = [
    [`src/${part}/new-${number}/**`],
    [`src/${part}/new-${number}.ts`, `tests/${part}/new-${number}.test.ts`],
    [`docs/${part}/new-${number}/*.md`],
    [`*/new-${number}/*.py`],
  ] as const;
  return kinds[number % kinds.length] ?? kinds[0];
}

function holderOf(number: number): OutsideHolder {
  return { name: `builder ${number}`, nonce: "a".repeat(26), token_hash: "0".repeat(64) };
}

/** A fleet with so many live leases. */
function stateWith(count: number): State {
  const key = { key_id: "k", public_key: "p" };
  const created = { fleet: "f-bench", name: "bench", contract: DEFAULT_CONTRACT, key };
  const place = { actor: OPERATOR, at_ms: 0 };
  let state = evolve(INITIAL_STATE, { ...place, seq: 1, kind: "fleet.created", data: created });
  for (let number = 0; number < count; number += 1) {
    const holder = holderOf(number);
    const granted = { mode: "exclusive", region: groundOf(number), holder } as const;
    const data = { ...granted, ttl_ms: 300_000, expires_at_ms: 300_000 };
    state = evolve(state, { ...place, seq: number + 2, kind: "lease.granted", data });
  }
  return state;
}

/** What a grant costs to decide, µs: each is asked anew, so that its patterns are parsed too. */
function decisionUs(state: State): Promise<number> {
  return usEach(DECISIONS, () => {
    for (let number = 0; number < DECISIONS; number += 1) {
      const region = requestOf(number * 4);
      const data: CommandMap["lease.acquire"] = { region, holder: NEWCOMER, ttl_ms: 60_000 };
      const asked: Submission = {
        id: `c-${number}`,
        actor: OPERATOR,
        command: { kind: "lease.acquire", data },
      };
      const { refusal } = decide(state, asked, 1_000);
      if (refusal !== null) throw new Error(refusal.message);
    }
  });
}

const NEWCOMER = holderOf(-1);
