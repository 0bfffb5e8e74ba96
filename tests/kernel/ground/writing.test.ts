import { assert, boolean, constantFrom, integer, property, record, array } from "fast-check";
import { describe, expect, test } from "vitest";
import { onWorktree } from "../../../src/kernel/ground/worktree.ts";
import { judgePath, type Writing, type WritingReason } from "../../../src/kernel/ground/writing.ts";
import { DEFAULT_GROUND_RULES, type GroundRules } from "../../../src/kernel/lane/lane.ts";
import { bookOf } from "../../../src/kernel/lease/book.ts";
import type { Lease, LeaseMode } from "../../../src/kernel/lease/lease.ts";
import { parseRegion } from "../../../src/kernel/region/region.ts";
import { hasResource } from "../../../src/kernel/region/resource.ts";
import type { State } from "../../../src/kernel/state.ts";
import { admit, create, exited, given, idOf, START_MS, start } from "../../support/scenario.ts";

const NOW = START_MS + 60_000;
const ANNA = { name: "anna" };
const BOB = { name: "bob" };

/** A lease of `src/**`, granted at place 10 to anna for a minute to come, but for what is said. */
function lease(changes: Partial<Lease> & { readonly seq?: number } = {}): Lease {
  const { seq = 10, ...others } = changes;
  return {
    id: `l-${seq}`,
    fence: seq,
    mode: "exclusive",
    region: ["src/**"],
    lane: null,
    alone: false,
    holder: outside("anna"),
    ttl_ms: 60_000,
    granted_at_ms: START_MS,
    expires_at_ms: NOW + 60_000,
    key: null,
    run_id: null,
    lender: null,
    worktree: null,
    taken_over: null,
    place: null,
    ...others,
  };
}

function outside(name: string): Lease["holder"] {
  return { name, nonce: "a".repeat(26), token_hash: "0".repeat(64) };
}

/** A fleet with two workers, one of which has `src/**` alone for a right, and these leases. */
function stateWith(
  leases: readonly Lease[],
  so: { readonly rules?: Partial<GroundRules>; readonly foldsCase?: boolean } = {},
): State {
  const steps = [
    create(),
    ...start("all"),
    ...start("some", { regions: ["src/**"] }),
    ...start("gone"),
    exited("gone"),
    ...start("husk"),
    ...start("kid", { under: "husk" }),
    exited("husk"),
    admit("late"),
  ];
  const { state } = given(...steps).play;
  const rules = { ...DEFAULT_GROUND_RULES, ...so.rules };
  return { ...state, book: bookOf(so.foldsCase ?? false, rules, leases) };
}

/** Who asks about which path, and how; anna, about `src/a`, now. */
type Asked = Partial<Omit<Writing, "file">> & {
  readonly path?: string | null;
  readonly worktree?: string;
};

function judge(state: State, asked: Asked = {}): ReturnType<typeof judgePath> {
  const { path = "src/a", worktree = "main", ...others } = asked;
  const file = path === null ? null : { path, worktree };
  return judgePath(state, { file, holder: ANNA, isStrict: false, atMs: NOW, ...others });
}

/** What is asked of which leases, what the answer is, and by which lease. */
type Row = readonly [string, readonly Lease[], Asked, WritingReason, string | null];

const shared = lease({ mode: "shared" });
const bobsShared = lease({ seq: 11, mode: "shared", holder: outside("bob") });
const over = lease({ expires_at_ms: NOW });
const slot = lease({ mode: "slot", lane: "api" });
const bobsSlot = lease({ seq: 11, mode: "slot", lane: "api", holder: outside("bob") });
const lent = lease({ seq: 20, region: ["src/a"], holder: outside("bob"), lender: "l-10" });
const lentOn = lease({ seq: 30, region: ["src/a"], holder: outside("carl"), lender: "l-20" });
const alone = lease({ region: ["infra/**"], alone: true, lane: "infra" });
const ofWorker = lease({ holder: { worker: idOf("some") }, region: ["**"] });

const WITHOUT_FENCE: readonly Row[] = [
  ["nobody holds it", [], {}, "free", null],
  ["another path is held", [lease()], { path: "docs/a" }, "free", null],
  ["it is mine", [lease()], {}, "held_by_you", "l-10"],
  ["it is another's", [lease()], { holder: BOB }, "held_by_other", "l-10"],
  ["I have a slot", [slot, bobsSlot], {}, "held_by_you", "l-10"],
  ["another has a slot", [bobsSlot], {}, "held_by_other", "l-11"],
  ["I may read it", [shared, bobsShared], {}, "shared_only", "l-10"],
  ["another may read it", [bobsShared], {}, "held_by_other", "l-11"],
  ["I have lent it", [lease(), lent], {}, "held_by_other", "l-20"],
  ["I have borrowed it", [lease(), lent], { holder: BOB }, "held_by_you", "l-20"],
  ["I have lent something else of mine", [lease(), lent], { path: "src/b" }, "held_by_you", "l-10"],
  ["it was lent on", [lease(), lent, lentOn], { holder: BOB }, "held_by_other", "l-30"],
  ["what it was lent on by is gone", [lease(), lentOn], {}, "held_by_other", "l-30"],
  ["mine is over", [over], {}, "lapsed", "l-10"],
  ["mine is over, another's is not", [over, lent], {}, "held_by_other", "l-20"],
  ["another's is over", [over], { holder: BOB }, "free", null],
  ["a lane that is alone is held by another", [alone], { holder: BOB }, "held_by_other", "l-10"],
  ["a lane that is alone is mine", [alone], {}, "free", null],
  [
    "a lane that is alone was held by another, until now",
    [{ ...alone, expires_at_ms: NOW }],
    { holder: BOB },
    "free",
    null,
  ],
  ["it lies outside", [lease()], { path: null }, "outside_repository", null],
  [
    "it lies outside, with a fence",
    [lease()],
    { path: null, fence: 10 },
    "outside_repository",
    null,
  ],
];

const BY_FENCE: readonly Row[] = [
  ["the fence is that of my lease", [lease()], { fence: 10 }, "held_by_you", "l-10"],
  ["the fence is one below", [lease()], { fence: 9 }, "fence_stale", "l-10"],
  ["the fence is one above", [lease()], { fence: 11 }, "fence_stale", "l-10"],
  ["another has it by a newer fence", [bobsSlot], { fence: 10 }, "fence_stale", "l-11"],
  [
    "another has it by an older fence",
    [lease()],
    { holder: BOB, fence: 11 },
    "held_by_other",
    "l-10",
  ],
  [
    "another has it by that very fence",
    [lease()],
    { holder: BOB, fence: 10 },
    "held_by_other",
    "l-10",
  ],
  ["mine is over", [over], { fence: 10 }, "lapsed", null],
  ["nobody has it", [], { fence: 10 }, "lapsed", null],
  ["my lease has another path", [lease()], { path: "docs/a", fence: 10 }, "lapsed", null],
  ["I have lent it", [lease(), lent], { fence: 10 }, "fence_stale", "l-20"],
  [
    "I took over what its holder had lent",
    [lease({ fence: 40 }), lent],
    { fence: 40 },
    "held_by_other",
    "l-20",
  ],
  ["I have borrowed it", [lease(), lent], { holder: BOB, fence: 20 }, "held_by_you", "l-20"],
  ["I may read it", [shared, bobsShared], { fence: 10 }, "shared_only", "l-10"],
  [
    "I have another slot",
    [slot, lease({ mode: "slot", lane: "api", seq: 12 })],
    { fence: 10 },
    "held_by_you",
    "l-10",
  ],
];

const OF_WORKERS: readonly Row[] = [
  ["it is within my rights", [], { holder: { worker: idOf("some") } }, "free", null],
  [
    "it is not within my rights",
    [ofWorker],
    { holder: { worker: idOf("some") }, path: "docs/a" },
    "outside_rights",
    null,
  ],
  [
    "it is not within my rights, with a fence",
    [ofWorker],
    { holder: { worker: idOf("some") }, path: "docs/a", fence: 10 },
    "outside_rights",
    null,
  ],
  ["it is mine", [ofWorker], { holder: { worker: idOf("some") } }, "held_by_you", "l-10"],
  ["I am another worker", [ofWorker], { holder: { worker: idOf("all") } }, "held_by_other", "l-10"],
  [
    "I am a person of the worker's name",
    [ofWorker],
    { holder: { name: idOf("some") } },
    "held_by_other",
    "l-10",
  ],
  ["I have ended", [], { holder: { worker: idOf("gone") } }, "outside_rights", null],
  [
    "I have ended, and one below me lives",
    [],
    { holder: { worker: idOf("husk") } },
    "outside_rights",
    null,
  ],
  ["I never was", [], { holder: { worker: "w-none" } }, "outside_rights", null],
];

describe("[WP1] what is said of a path where", () => {
  test.each([...WITHOUT_FENCE, ...OF_WORKERS])("%s", (...row) => {
    const [, leases, asked, reason, id] = row;
    for (const order of [leases, leases.toReversed()]) {
      const verdict = judge(stateWith(order), asked);
      expect(verdict).toMatchObject({ reason, lease_id: id });
      expect(verdict.allowed).toBe(reason === "held_by_you" || reason === "free");
    }
  });
});

describe("[WP2] what is said of a path by a fence where", () => {
  test.each(BY_FENCE)("%s", (...row) => {
    const [, leases, asked, reason, id] = row;
    for (const order of [leases, leases.toReversed()]) {
      const verdict = judge(stateWith(order), asked);
      expect(verdict).toMatchObject({ reason, lease_id: id });
      expect(verdict.allowed).toBe(reason === "held_by_you");
    }
  });
});

test("[WP2] only the fence of the asker's own lease gives a path (leases H41)", () => {
  const anyLease = record({
    name: constantFrom("anna", "bob"),
    isRaised: boolean(),
    mode: constantFrom<LeaseMode>("exclusive", "slot", "shared"),
  });
  assert(
    property(array(anyLease, { maxLength: 4 }), integer({ min: 1, max: 45 }), (made, fence) => {
      const leases = made.map(({ name, isRaised, mode }, index) => {
        const seq = (index + 1) * 10;
        return lease({ seq, fence: isRaised ? seq + 1 : seq, holder: outside(name), mode });
      });
      const { allowed, fence: shown } = judge(stateWith(leases), { fence });
      const own = leases.filter(({ holder }) => "name" in holder && holder.name === "anna");
      expect(allowed && !own.some((one) => one.fence === fence && one.mode !== "shared")).toBe(
        false,
      );
      expect(allowed ? shown : fence).toBe(fence);
    }),
  );
});

test("[WP1] leases of one instant and one lane are told apart by their holder (leases H40)", () => {
  const docs = lease({ seq: 11, region: ["docs/**"], holder: outside("bob"), lane: "api" });
  const state = stateWith([lease({ lane: "api" }), docs]);
  const reasons = [ANNA, BOB].map((holder) =>
    ["src/a", "docs/a"].map((path) => judge(state, { holder, path }).reason),
  );
  expect(reasons).toEqual([
    ["held_by_you", "held_by_other"],
    ["held_by_other", "held_by_you"],
  ]);
});

test.each([
  [-1, "held_by_you"],
  [0, "lapsed"],
  [1, "lapsed"],
] as const)("[WP3] a lease that ends %i ms ago is %s, though no entry says so", (agoMs, reason) => {
  const state = stateWith([lease({ expires_at_ms: NOW - agoMs })]);
  expect(judge(state)).toMatchObject({ reason, allowed: reason === "held_by_you" });
  const byFence = judge(state, { fence: 10 });
  expect(byFence).toMatchObject({ reason, allowed: reason === "held_by_you" });
});

test.each(["exclusive", "shared", "slot"] as const)(
  "[WP3] ground whose %s lease is over is free for others",
  (mode: LeaseMode) => {
    expect(judge(stateWith([lease({ mode, expires_at_ms: NOW })]), { holder: BOB })).toMatchObject({
      reason: "free",
      allowed: true,
    });
  },
);

test("[WP4] free ground may be written unless asked strictly, or a lease is required", () => {
  const [plain, strict] = [
    stateWith([lease()]),
    stateWith([lease()], { rules: { require: true } }),
  ];
  for (const [state, isStrict, allowed] of [
    [plain, false, true],
    [plain, true, false],
    [strict, false, false],
    [strict, true, false],
  ] as const) {
    expect(judge(state, { path: "docs/a", isStrict })).toMatchObject({ reason: "free", allowed });
    expect(judge(state, { isStrict })).toMatchObject({ reason: "held_by_you", allowed: true });
  }
});

test("[WP5] a verdict tells lease, holder, fence, end, and the path as regions have it", () => {
  const state = stateWith([lease()]);
  expect(judge(state, { holder: BOB })).toStrictEqual({
    allowed: false,
    reason: "held_by_other",
    resolved: "src/a",
    lease_id: "l-10",
    holder: "anna",
    fence: 10,
    expires_at_ms: NOW + 60_000,
  });
  expect(judge(state, { path: "port:80/a" }).resolved).toBe("file:port:80/a");
  expect(judge(state, { path: null })).toStrictEqual({
    allowed: false,
    reason: "outside_repository",
    resolved: null,
    lease_id: null,
    holder: null,
    fence: null,
    expires_at_ms: null,
  });
});

test("[WP5] paths are compared as the fleet folds them", () => {
  const held = [lease({ region: ["src/É.ts"] })];
  const asked = { path: "SRC/e\u0301.TS", holder: BOB };
  expect(judge(stateWith(held, { foldsCase: true }), asked).reason).toBe("held_by_other");
  expect(judge(stateWith(held), asked).reason).toBe("free");
  expect(judge(stateWith(held), { path: "src/E\u0301.ts" }).reason).toBe("held_by_you");
});

test("[WP6] a path is one resource in all worktrees, or each its own", () => {
  const elsewhere = { worktree: "fix", holder: BOB } as const;
  expect(judge(stateWith([lease()]), elsewhere).reason).toBe("held_by_other");
  const rules = { worktrees: "own_ground" } as const;
  const owned = stateWith([lease({ region: onWorktree(["src/**"], "main") })], { rules });
  expect(judge(owned)).toMatchObject({ reason: "held_by_you", resolved: "worktree/main/src/a" });
  expect(judge(owned, elsewhere)).toMatchObject({
    reason: "free",
    resolved: "worktree/fix/src/a",
  });
});

test("[WP6] a worker's rights are written without a worktree, and hold in all of them", () => {
  const state = stateWith([], { rules: { worktrees: "own_ground" } });
  const holder = { worker: idOf("some") };
  expect(judge(state, { worktree: "fix", holder }).reason).toBe("free");
  expect(judge(state, { worktree: "fix", holder, path: "docs/a" }).reason).toBe("outside_rights");
});

describe("[WP7] patterns on the ground of a worktree", () => {
  test.each([
    [["src/**"], ["worktree/main/src/**"]],
    [
      ["**", "!dist/**"],
      ["worktree/main/**", "!worktree/main/dist/**"],
    ],
    [["file:port:80"], ["worktree/main/port:80"]],
    [
      ["!file:!a", "b"],
      ["!worktree/main/!a", "worktree/main/b"],
    ],
    [["port:80*"], ["port:80*"]],
    [["*:**"], ["*:**", "worktree/*/**"]],
    [
      ["*:a/*", "!*:a/b"],
      ["*:a/*", "worktree/*/a/*", "!*:a/b", "!worktree/*/a/b"],
    ],
  ])("%j are %j", (patterns, placed) => {
    expect(onWorktree(patterns, "main")).toStrictEqual(placed);
  });

  test.each(["main", "fix-1", "a*b", "a?b", "[ab]", "{a,b}", "a\\b", "!a", "a b", "é"])(
    "keep the name %j as it is",
    (id) => {
      const parsed = parseRegion(onWorktree(["src/*", "!src/b"], id));
      const region = parsed.ok ? parsed.region : undefined;
      const has = (worktree: string, path: string): boolean | undefined => {
        const segments = ["worktree", worktree, ...path.split("/")];
        return region && hasResource(region, { namespace: "file", segments });
      };
      expect([has(id, "src/a"), has(id, "src/b"), has("ab", "src/a")]).toEqual([
        true,
        false,
        false,
      ]);
    },
  );

  test("of every namespace are meant on every worktree", () => {
    const parsed = parseRegion(onWorktree(["*:src/**"], "main"));
    const region = parsed.ok ? parsed.region : undefined;
    const has = (namespace: string, ...segments: readonly string[]): boolean | undefined =>
      region && hasResource(region, { namespace, segments });
    expect(has("file", "worktree", "fix", "src", "a")).toBe(true);
    expect(has("port", "src", "a")).toBe(true);
    expect(has("file", "worktree", "fix", "docs", "a")).toBe(false);
  });
});
