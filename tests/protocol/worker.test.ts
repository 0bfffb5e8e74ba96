import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/kernel/limits.ts";
import { budgetSchema, parseCharge } from "../../src/protocol/budget.ts";
import { parseCommandData } from "../../src/protocol/command.ts";
import { InputError } from "../../src/protocol/input.ts";
import { manifestSchema } from "../../src/protocol/manifest.ts";
import { parserOf } from "../../src/protocol/parse.ts";
import { parseAdmission, parseName, parseReason } from "../../src/protocol/worker.ts";
import { create, given, idOf, start } from "../support/scenario.ts";

const parseBudget = parserOf("budget", budgetSchema);
const parseManifest = parserOf("manifest", manifestSchema);

function problemOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof InputError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

const asked = { name: "a", parent: null, reason: "part", state: {}, budget: {} };
const admission = (changes: object) => problemOf(() => parseAdmission({ ...asked, ...changes }));

describe("names", () => {
  test.each(["a", "A-1", "0", "x.y_z-0", "9".repeat(LIMITS.nameCharsMax)])(
    "[LM2] %s is a name",
    (name) => {
      expect(parseName(name)).toBe(name);
    },
  );

  test.each([
    "",
    ".",
    "..",
    "-rf",
    "_x",
    "a b",
    "a/b",
    "a:b",
    "a\n",
    "a\u0000",
    "ä",
    "9".repeat(LIMITS.nameCharsMax + 1),
    7,
    null,
    undefined,
    ["a"],
  ])("[LM2] %j is none", (name) => {
    expect(problemOf(() => parseName(name))).toContain(
      'name must be 1 to 64 letters, digits, ".", "_" or "-", the first a letter or digit, got ',
    );
  });
});

describe("admissions", () => {
  test("[LM2] what is asked for is taken as it is, absent fields left out", () => {
    const whole = {
      ...asked,
      parent: idOf("p"),
      regions: ["src/**", "!src/gen/**"],
      network: "none",
      depth: 0,
      degraded: ["same_user"],
    };
    expect(parseAdmission(whole)).toStrictEqual(whole);
    expect(parseAdmission({ ...asked, regions: undefined })).toStrictEqual(asked);
  });

  test("[LM2] a parent is named or null: neither empty nor left out (replication A8)", () => {
    expect(admission({ parent: "" })).toContain("admission.parent must be text of 1 to 128 bytes");
    expect(admission({ parent: undefined })).toContain("admission.parent must be text");
    expect(admission({ parent: 7 })).toContain("got 7");
  });

  test.each([-7, false, "1", 0.5, Number.NaN, -0])(
    "[LM2] a claimed depth of %s is no depth (replication A8)",
    (depth) => {
      expect(admission({ depth })).toContain("admission.depth must be an integer from 0");
    },
  );

  test("[LM2] a reason is text within its bytes, and may be empty here", () => {
    const most = LIMITS.reasonBytesMax;
    expect(admission({ reason: "" })).toBe("taken");
    expect(admission({ reason: "x".repeat(most) })).toBe("taken");
    expect(admission({ reason: "ü".repeat(most / 2) })).toBe("taken");
    expect(admission({ reason: "x".repeat(most + 1) })).toBe(
      "limit_exceeded: admission.reason must be text of 0 to 1024 bytes, got 1025 characters",
    );
    expect(admission({ reason: "ü".repeat(most / 2 + 1) })).toContain("got 1026 bytes");
    expect(admission({ reason: "\udc00" })).toContain("well-formed text");
    expect(admission({ reason: undefined })).toContain("admission.reason must be text");
    expect(problemOf(() => parseReason(""))).toContain("reason must be text of 1 to 1024 bytes");
  });

  test("[LM2] regions are patterns, as many and as long as are taken", () => {
    const patterns = (count: number, length = 1) =>
      admission({ regions: Array.from({ length: count }, () => "x".repeat(length)) });
    expect(patterns(LIMITS.regionPatternsMax)).toBe("taken");
    expect(patterns(LIMITS.regionPatternsMax + 1)).toContain(
      "limit_exceeded: admission.regions must",
    );
    expect(patterns(1, LIMITS.regionPatternBytesMax)).toBe("taken");
    expect(patterns(1, LIMITS.regionPatternBytesMax + 1)).toContain("limit_exceeded");
    expect(admission({ regions: [""] })).toContain("admission.regions[0] must be text of 1 to");
    expect(admission({ regions: "src/**" })).toContain("an array of patterns");
    expect(admission({ network: "all" })).toContain('one of "none", "controller", "open"');
  });

  test("[LM5] what the loop adds cannot be handed in, nor anything unknown", () => {
    expect(admission({ instance: idOf("z") })).toContain("admission.instance must be absent");
    expect(admission({ verdicts: {} })).toContain("admission.verdicts must be absent");
    expect(admission({ nmae: "b" })).toContain("did you mean name?");
  });

  test("[LM4] an error is limit_exceeded only if nothing but a size is wrong", () => {
    expect(admission({ reason: "x".repeat(2_000), network: "all" })).toMatch(/^usage: /);
    expect(admission({ reason: "x".repeat(2_000) })).toMatch(/^limit_exceeded: /);
  });

  test("[LM6] what was taken cannot be changed any more, by nobody (replication A13, A14)", () => {
    const mine = { ...asked, state: { part: ["a"] }, budget: { cpu_milli: 1 } };
    const taken = parseAdmission(mine);
    mine.state.part.push("b");
    mine.budget.cpu_milli = 512;
    expect(taken).toMatchObject({ state: { part: ["a"] }, budget: { cpu_milli: 1 } });
    for (const part of [taken, taken.state, taken.budget]) expect(Object.isFrozen(part)).toBe(true);
  });
});

describe("budgets and charges", () => {
  test("[LM1] a charge names at least one amount, and only consumables", () => {
    const charge = (amounts: unknown) => problemOf(() => parseCharge(amounts));
    expect(charge({ cpu_ms: 0 })).toBe("taken");
    expect(charge({ units: { tokens: 5 } })).toBe("taken");
    expect(charge({})).toContain("amounts must be an object with cpu_ms or units, got {}");
    expect(charge({ cpu_ms: -1 })).toContain("amounts.cpu_ms must be an integer from 0");
    expect(charge({ units: { tokens: -1 } })).toContain("amounts.units.tokens must be");
    expect(charge({ memory_bytes: 1 })).toContain("amounts.memory_bytes must be absent");
    expect(charge({ units: null })).toContain("an object of amounts by unit name, got null");
    expect(charge({ units: new Map([["tokens", 1]]) })).toContain(
      "an object of amounts by unit name",
    );
  });

  test("[LM2] a unit named __proto__ is refused like any other of a wrong name", () => {
    const charge = (text: string) => problemOf(() => parseCharge(JSON.parse(text)));
    const budget = (text: string) => problemOf(() => parseBudget(JSON.parse(text)));
    const expected = 'units must be a unit name of 1 to 32 lowercase letters, digits or "_"';
    expect(budget('{"units":{"__proto__":5,"a":1}}')).toBe(
      `usage: budget.${expected}, a letter first, got "__proto__"`,
    );
    expect(charge('{"units":{"__proto__":5}}')).toContain(`amounts.${expected}`);
    expect(budget('{"units":{"_proto__":5,"a":1}}')).toContain(`budget.${expected}`);
    expect(parseBudget({ units: { constructor: 5 } })).toEqual({ units: { constructor: 5 } });
  });

  test("[LM1] half a core is 500 thousandths, never a fraction (replication G1)", () => {
    expect(problemOf(() => parseBudget({ cpu_milli: 500 }))).toBe("taken");
    expect(problemOf(() => parseBudget({ cpu_milli: 0.5 }))).toContain("got 0.5");
  });
});

describe("manifests", () => {
  const { play } = given(create(), start("p"), start("a", { under: "p" }));
  const manifest = play.manifestOf("a");
  const changed = (changes: object) => problemOf(() => parseManifest({ ...manifest, ...changes }));

  test("[LM10] a manifest that was issued is of the form", () => {
    expect(parseManifest(manifest)).toStrictEqual(manifest);
    expect(parseManifest(play.manifestOf("p"))).toStrictEqual(play.manifestOf("p"));
  });

  test.each([
    { version: 2 },
    { version: "1" },
    { parent: "None" },
    { parent: "null" },
    { parent: "" },
    { parent: undefined },
    { instance: "a:b" },
    { instance: "" },
    { instance: "w-abc" },
    { instance: idOf("a").toUpperCase() },
    { root: null },
    { name: "a:b" },
    { depth: "1" },
    { depth: -7 },
    { depth: false },
    { depth: 65 },
    { depth: 1.5 },
    { state: null },
    { state: [] },
    { budget: { cpu: 1 } },
    { budget: { cpu_milli: 1.0000001 } },
    { regions: "**" },
    { network: 0 },
    { network: "OPEN" },
    { issued_at_ms: "1700000000000" },
    { issued_at_ms: "2026-01-01T00:00:00Z" },
    { register_by_ms: Infinity },
    { expires_at_ms: null },
    { contract_hash: "abc" },
    { key_id: "" },
    { signature: "x" },
  ])("[LM10] a field of another form makes it none: %j (replication A8, E1)", (changes) => {
    expect(changed(changes)).toMatch(/^usage: manifest\./);
  });

  test("[LM10] no field can be left out", () => {
    for (const field of Object.keys(manifest)) {
      const { [field as keyof typeof manifest]: _, ...others } = manifest;
      expect(problemOf(() => parseManifest(others))).toMatch(
        new RegExp(`^usage: manifest\\.${field} must be .*, got (nothing|undefined)$`),
      );
    }
  });
});

describe("other commands about workers", () => {
  const worker = idOf("a");
  const bad = (kind: Parameters<typeof parseCommandData>[0], data: object) =>
    problemOf(() => parseCommandData(kind, data));

  test("[LM2] a stop's reason is a caller's: findings of the kernel cannot be claimed", () => {
    for (const reason of ["requested", "completed", "failed", "quarantine_stopped"])
      expect(bad("worker.stop", { worker, reason, tree: false })).toBe("taken");
    for (const reason of ["expired", "reaped", "silent", "orphaned", "killed", "budget_spent", ""])
      expect(bad("worker.stop", { worker, reason, tree: false })).toContain(
        "worker.stop.reason must",
      );
    expect(bad("worker.stop", { worker, reason: "failed", tree: "yes" })).toContain(
      "true or false",
    );
  });

  test("[LM1] a watcher reports durations and counts, nothing negative (replication B7)", () => {
    const seen = { worker, beat_count: 1, silent_ms: 0, watched_ms: 0, seen: "alive" };
    expect(bad("worker.observe", seen)).toBe("taken");
    for (const field of ["beat_count", "silent_ms", "watched_ms"])
      for (const value of [-1, 0.5, Number.NaN, Infinity, "0"])
        expect(bad("worker.observe", { ...seen, [field]: value })).toContain(
          `worker.observe.${field} must be an integer from 0`,
        );
    expect(bad("worker.observe", { ...seen, seen: true })).toContain('one of "alive", "gone"');
    expect(bad("worker.observe", { ...seen, at_ms: 5 })).toContain("must be absent");
  });

  test("[LM2] a quarantine has reason, source, severity, and evidence within its size", () => {
    const data = { worker, reason: "odd", source: "watch", severity: "high" };
    expect(bad("worker.quarantine", data)).toBe("taken");
    expect(bad("worker.quarantine", { ...data, severity: "info" })).toContain('"low", "medium"');
    expect(bad("worker.quarantine", { ...data, reason: "" })).toContain("worker.quarantine.reason");
    const evidence = (bytes: number) => ({ ...data, evidence: { a: "x".repeat(bytes - 8) } });
    expect(bad("worker.quarantine", evidence(LIMITS.evidenceBytesMax))).toBe("taken");
    expect(bad("worker.quarantine", evidence(LIMITS.evidenceBytesMax + 1))).toMatch(
      /^limit_exceeded: worker\.quarantine\.evidence must be at most 16384 bytes/,
    );
  });

  test("[LM2] a note has text, and not more than its bytes", () => {
    expect(bad("worker.note", { worker, text: "x".repeat(LIMITS.noteBytesMax) })).toBe("taken");
    expect(bad("worker.note", { worker, text: "x".repeat(LIMITS.noteBytesMax + 1) })).toMatch(
      /^limit_exceeded/,
    );
    expect(bad("worker.note", { worker, text: "" })).toContain("text of 1 to 8192 bytes");
  });

  test("[LM2] an end has evidence with a grade, and an outcome of flat measures", () => {
    const evidence = { grade: "swept", facts: { listings: 2 } };
    const end = { worker, evidence, outcome: { exit_code: 255, cpu_ms: 0, oom_killed: false } };
    expect(bad("worker.exited", end)).toBe("taken");
    expect(bad("worker.exited", { ...end, evidence: { grade: "sure", facts: {} } })).toContain(
      'worker.exited.evidence.grade must be one of "observed"',
    );
    expect(bad("worker.exited", { ...end, outcome: { exit_code: 256 } })).toContain("0 to 255");
    expect(bad("worker.exited", { ...end, outcome: { cpu_ms: -1 } })).toContain("outcome.cpu_ms");
    expect(bad("worker.exited", { worker, outcome: {} })).toContain("worker.exited.evidence must");
  });
});
