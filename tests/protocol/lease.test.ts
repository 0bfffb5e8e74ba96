import { describe, expect, test } from "vitest";
import type { CommandKind } from "../../src/kernel/command.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { parseCommandData } from "../../src/protocol/command.ts";
import { InputError } from "../../src/protocol/input.ts";
import { BODIES } from "../support/commands.ts";
import { idOf } from "../support/scenario.ts";

/** What is said of a body with some fields changed: its code and its problems, or "taken". */
function problemOf(kind: CommandKind, changes: Readonly<Record<string, unknown>>): string {
  const body = { ...BODIES[kind], ...changes };
  try {
    parseCommandData(
      kind,
      Object.fromEntries(Object.entries(body).filter(([, one]) => one !== DROP)),
    );
  } catch (error) {
    if (error instanceof InputError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

const DROP = Symbol("left out");

const tenYearsMs = 10 * 365 * 86_400_000;

describe("[LI1] how long a lease lasts", () => {
  const kinds = ["lease.acquire", "lease.renew", "lease.split", "lease.hand_over"] as const;

  test.each(kinds)("%s takes 1 s to 24 h, both included", (kind) => {
    for (const ttl_ms of [1_000, 86_400_000]) expect(problemOf(kind, { ttl_ms })).toBe("taken");
  });

  test.each(
    kinds.flatMap((kind) =>
      [
        0,
        -1,
        999,
        86_400_001,
        tenYearsMs,
        Number.NaN,
        Infinity,
        -0,
        1_000.5,
        "5m",
        "1000",
        null,
      ].map((ttl) => ({ kind, ttl })),
    ),
  )("$kind refuses $ttl, with what is taken", ({ kind, ttl }) => {
    const got = Object.is(ttl, -0) ? "-0" : typeof ttl === "string" ? `"${ttl}"` : String(ttl);
    expect(problemOf(kind, { ttl_ms: ttl })).toBe(
      `usage: ${kind}.ttl_ms must be an integer from 1000 to 86400000, got ${got}`,
    );
  });
});

describe("[LI2] an outside holder's name is any text of 1 to 256 bytes (leases H34)", () => {
  const outside = (name: unknown) => ({
    holder: { name, nonce: "a".repeat(26), token_hash: "ab".repeat(32) },
  });

  test.each(["a", "ci run 7", "two\nlines", "\u2028", "w-", "../..", "é".repeat(128), "\u0000"])(
    "%j is taken as it is",
    (name) => {
      const data = { ...BODIES["lease.acquire"], ...outside(name) };
      expect(parseCommandData("lease.acquire", data).holder).toStrictEqual(data.holder);
    },
  );

  test("an empty one, a larger one, and what is no text are refused", () => {
    expect(problemOf("lease.acquire", outside(""))).toBe(
      'usage: lease.acquire.holder.name must be text of 1 to 256 bytes, got ""',
    );
    expect(problemOf("lease.acquire", outside("é".repeat(129)))).toBe(
      "limit_exceeded: lease.acquire.holder.name must be text of 1 to 256 bytes, got 258 bytes",
    );
    expect(problemOf("lease.acquire", outside("\ud800"))).toContain("no lone surrogates");
    expect(problemOf("lease.acquire", outside(7))).toContain("text of 1 to 256 bytes, got 7");
  });
});

describe("[LI3] a region is 1 to 256 patterns", () => {
  const kinds = ["lease.acquire", "lease.narrow", "lease.split"] as const;

  test.each(kinds)("%s", (kind) => {
    const said = (region: unknown) => problemOf(kind, { region });
    expect(said(Array(256).fill("a"))).toBe("taken");
    expect(said([])).toBe(`usage: ${kind}.region must be at least one pattern, got []`);
    expect(said([""])).toBe(`usage: ${kind}.region[0] must be text of 1 to 1024 bytes, got ""`);
    expect(said("src/**")).toBe(`usage: ${kind}.region must be an array of patterns, got "src/**"`);
    expect(said(Array(10_000).fill("a"))).toBe(
      `limit_exceeded: ${kind}.region must be an array of at most 256 patterns, ` +
        "got an array of 10000",
    );
    expect(said(["a".repeat(1_025)])).toMatch(/^limit_exceeded: /);
  });

  test("what counts as held is at most 64 of them", () => {
    const said = (also_held: unknown) => problemOf("lease.acquire", { also_held });
    expect(said([["a"], ["b", "!c"]])).toBe("taken");
    expect(said([[]])).toContain("also_held[0] must be at least one pattern");
    const many = said(Array.from({ length: 65 }, () => ["a"]));
    expect(many).toMatch(/^limit_exceeded: .*at most 64 regions/);
  });
});

test("[LI4] what is asked for is a region or lanes, and not both", () => {
  const said = (changes: Readonly<Record<string, unknown>>) => problemOf("lease.acquire", changes);
  expect(said({ region: DROP, lanes: ["api"] })).toBe("taken");
  expect(said({ region: DROP })).toBe(
    "usage: lease.acquire.region must be an array of patterns, unless lanes are asked for, " +
      "got nothing",
  );
  expect(said({ lanes: ["api"] })).toBe(
    "usage: lease.acquire.lanes must be absent where a region is asked for, got an array of 1",
  );
  expect(said({ region: DROP, lanes: [] })).toContain("lanes must be at least one lane");
  expect(said({ region: DROP, lanes: Array(65).fill("a") })).toMatch(/^limit_exceeded: /);
  // No name is refused for its form: what is no lane is told with the nearest.
  expect(said({ region: DROP, lanes: ["an odd\nname"] })).toBe("taken");
  expect(said({ mode: "write" })).toBe(
    'usage: lease.acquire.mode must be one of "exclusive", "shared", "slot", got "write"',
  );
});

describe("[LI5] who acts on which lease", () => {
  test.each([
    "7",
    "l-",
    "l-0",
    "l-07",
    "l-1e3",
    "L-7",
    " l-7",
    "l-7 ",
    "l-12345678901234",
    7,
    null,
  ])("%j is no lease's id", (lease) => {
    const expected = 'lease must be a lease id ("l-" and a number)';
    expect(problemOf("lease.revoke", { lease })).toContain(expected);
    expect(problemOf("lease.release", { lease })).toContain(expected);
    expect(problemOf("halt.request", { lease })).toContain(expected);
  });

  test("a claim may lack everything, for the rules to say so; what it has has its form", () => {
    const said = (claim: unknown) => problemOf("lease.release", { claim });
    for (const claim of [{}, { name: "ci" }, { token_hash: "ab".repeat(32) }, { worker: "w-x" }])
      expect(said(claim)).toBe("taken");
    expect(said({ token_hash: "the token itself" })).toContain(
      "lease.release.claim.token_hash must be 64 lowercase hex digits",
    );
    expect(said({ worker: "w-x", token_hash: "ab".repeat(32) })).toContain(
      "lease.release.claim.token_hash must be absent (no such field)",
    );
    expect(said({ nmae: "ci" })).toContain("did you mean name?");
    expect(said("ci")).toBe('usage: lease.release.claim must be an object, got "ci"');
  });

  test("a holder has a worker's id, or all of name, nonce and hash", () => {
    const said = (holder: unknown) => problemOf("lease.acquire", { holder });
    expect(said({ worker: idOf("a") })).toBe("taken");
    expect(said({ worker: "" })).toContain("holder.worker must be text");
    expect(said({ name: "ci" })).toMatch(
      /holder\.nonce must be 26 .*holder\.token_hash must be 64/,
    );
    expect(said(null)).toBe("usage: lease.acquire.holder must be an object, got null");
  });

  test("a fence is a whole number from 1 on", () => {
    for (const fence of [1, Number.MAX_SAFE_INTEGER])
      expect(problemOf("lease.renew", { fence })).toBe("taken");
    for (const fence of [0, -1, 1.5, "7", Number.NaN, 2 ** 53])
      expect(problemOf("lease.renew", { fence })).toContain("fence must be an integer from 1 to ");
  });
});

test("[LI6] a lease is handed over by a claim, or as an orphan", () => {
  const said = (changes: Readonly<Record<string, unknown>>) =>
    problemOf("lease.hand_over", changes);
  expect(said({ claim: DROP, orphan: true })).toBe("taken");
  expect(said({ claim: DROP })).toContain("claim must be an object, unless it is an orphan's");
  expect(said({ orphan: false })).toContain("orphan must be true, or absent, got false");
});

describe("[LI7] lanes", () => {
  const api = { name: "api", region: ["src/api/**"] };
  const said = (lane: Readonly<Record<string, unknown>>) =>
    problemOf("lanes.enact", { lanes: [{ ...api, ...lane }] });

  test("may have slots, run alone, have aliases and a description", () => {
    const whole = { slots: 1, alone: true, aliases: ["http"], description: "the interface" };
    expect(said(whole)).toBe("taken");
    expect(said({ slots: LIMITS.laneSlotsMax })).toBe("taken");
  });

  test.each([
    [{ name: "two words" }, "lanes[0].name must be 1 to 64 letters"],
    [{ slots: 0 }, "lanes[0].slots must be an integer from 1 to 10000, got 0"],
    [{ slots: LIMITS.laneSlotsMax + 1 }, "lanes[0].slots must be an integer from 1 to 10000"],
    [{ alone: 1 }, "lanes[0].alone must be true or false, got 1"],
    [{ aliases: ["-x"] }, "lanes[0].aliases[0] must be 1 to 64 letters"],
    [{ aliases: Array(17).fill("a") }, "limit_exceeded: lanes.enact.lanes[0].aliases must be"],
    [{ region: [] }, "lanes[0].region must be at least one pattern"],
    [{ paths: ["a"] }, "lanes[0].paths must be absent (no such field)"],
  ])("%j is refused", (lane, problem) => {
    expect(said(lane)).toContain(problem);
  });

  test("are at most 256, and of at most 256 KiB together", () => {
    const many = (count: number, more: object = {}) =>
      problemOf("lanes.enact", {
        lanes: Array.from({ length: count }, (_, index) => ({
          ...api,
          name: `l${index}`,
          ...more,
        })),
      });
    expect(many(256)).toBe("taken");
    expect(many(257)).toMatch(/^limit_exceeded: .*an array of at most 256 lanes/);
    expect(many(40, { description: "x".repeat(8_000) })).toMatch(
      /^limit_exceeded: lanes\.enact\.lanes must be lanes of at most 262144 bytes, got \d+ bytes$/,
    );
  });
});

test.each(["", ".", "..", "a/b", "a\nb", "a\u2028", "x".repeat(256)])(
  "[LI8] %j is the name of no worktree",
  (worktree) => {
    const problem = problemOf("lease.acquire", { worktree });
    expect(problem).toContain("worktree must be the name of a worktree");
    expect(problemOf("lease.acquire", { worktree: "feature [1] *" })).toBe("taken");
  },
);

test("[LI8] a lease that exists has its worktree: none is named for a part of it", () => {
  for (const kind of ["lease.split", "lease.narrow", "lease.hand_over", "lease.renew"] as const)
    expect(problemOf(kind, { worktree: "fix" })).toContain("worktree must be absent");
});
