// docs/contract.md against the program. What the page should say is asked of the parser, so that
// neither this test nor the page has to be kept in step with a list.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../../src/config/config.ts";
import { parseCores, parseDuration, parseSize } from "../../../src/config/amount.ts";
import { writeCores, writeDuration, writeSize } from "../../../src/config/amount.ts";
import { writeContract } from "../../../src/config/contract-text.ts";
import {
  BUDGET_FIELDS,
  CONTRACT_FIELDS,
  KILL_CONDITION_FIELDS,
  LIVENESS_FIELDS,
  RETENTION_FIELDS,
  SANDBOX_FIELDS,
  type Field,
} from "../../../src/config/field.ts";
import {
  checkCondition,
  checkLeaseCondition,
  evaluateCondition,
  evaluateLeaseCondition,
} from "../../../src/kernel/condition/condition.ts";
import {
  CONTEXT_TYPES,
  type AdmissionContext,
} from "../../../src/kernel/condition/context/admission.ts";
import {
  LEASE_CONTEXT_TYPES,
  type LeaseContext,
} from "../../../src/kernel/condition/context/lease.ts";
import { MEASURE_TYPES } from "../../../src/kernel/condition/context/measure.ts";
import type { CelFields } from "../../../src/kernel/condition/vocabulary.ts";
import { flatten, isCapacity } from "../../../src/kernel/budget/allowance.ts";
import type { Budget } from "../../../src/kernel/budget/budget.ts";
import {
  DEFAULT_CONTRACT,
  DEGRADATIONS,
  KILL_ACTIONS,
} from "../../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../../src/kernel/limits.ts";
import { STOP_WORDS } from "../../../src/library/explain/happened.ts";
import { toCamel } from "../../../src/library/names.ts";
import { InputError } from "../../../src/protocol/input.ts";
import { PROBLEMS } from "../../../src/protocol/problem.ts";
import { codesIn, section, tableIn } from "../table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../../docs/contract.md"), "utf8");

const SPEC = readFileSync(join(import.meta.dirname, "../../../SPEC.md"), "utf8");

const KEYS = tableIn(section(PAGE, "Every key"));
const BUDGET_KEYS = tableIn(section(PAGE, "Budgets"));

/** What the parser objects to in a config, without its places. */
function objectionsTo(text: string): readonly string[] {
  try {
    readConfig(text, "x");
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map(({ expected }) => expected);
  }
}

/** A value of a key's form that no key takes, as a config writes it. */
const BEYOND: Readonly<Record<Field["form"], string>> = {
  plain: "-1",
  duration: '"9007199254740991ms"',
  size: '"8191TiB"',
  cores: "0.0",
  budget: "-1",
  liveness: "-1",
  conditions: "-1",
  kill_conditions: "-1",
};

/** The ends of a range, or the words of a choice, as the parser names them. */
function rangeOf(write: (value: string) => string, form: Field["form"]): readonly string[] {
  const [expected = ""] = objectionsTo(write(BEYOND[form]));
  const range = /^(?:an integer|a duration|a size|a number of cores) from (\S+) to (\S+)$/;
  const [, least, most] = range.exec(expected) ?? [];
  if (least !== undefined && most !== undefined) return [least, most];
  if (expected.startsWith("one of ")) return expected.slice("one of ".length).split(", ");
  throw new Error(`no range is in "${expected}"`);
}

/** How the amounts of a form are read and written in a config. */
interface Amounts {
  readonly read: (text: string) => number;
  readonly write: (amount: number) => string;
}

const PLAIN: Amounts = { read: Number, write: String };

const AMOUNTS: Partial<Readonly<Record<Field["form"], Amounts>>> = {
  duration: { read: (text) => parseDuration(text, ""), write: quoting(writeDuration) },
  size: { read: (text) => parseSize(text, ""), write: quoting(writeSize) },
  cores: { read: (text) => parseCores(text, ""), write: writeCores },
};

/** The value one step outside of a range, as a config writes it; undefined where none can be. */
function stepBeyond(end: string, form: Field["form"], by: 1 | -1): string | undefined {
  const { read, write } = AMOUNTS[form] ?? PLAIN;
  const beyond = read(end.replaceAll('"', "")) + by;
  return beyond < 0 && form !== "plain" ? undefined : write(beyond);
}

function quoting(write: (amount: number) => string): (amount: number) => string {
  return (amount) => `"${write(amount)}"`;
}

/** Keys that a bound of another key must not be in the way of. */
const ROOM: Readonly<Record<string, string>> = { reap_after: 'beat_every = "100ms"\n' };

describe("[PP20] the page of the contract names every key as the program has it", () => {
  test("the keys of a contract and of a budget, in the order of the program", () => {
    expect(KEYS.map(({ first }) => first)).toEqual(Object.keys(CONTRACT_FIELDS));
    expect(BUDGET_KEYS.map(({ first }) => first)).toEqual(Object.keys(BUDGET_FIELDS));
  });

  test("each key of a contract has a part of its own, in the same order", () => {
    const headings = [...section(PAGE, "Every key").matchAll(/^### (.*)$/gm)];
    expect(headings.map(([, heading]) => heading)).toEqual(Object.keys(CONTRACT_FIELDS));
  });

  test.each([...KEYS, ...BUDGET_KEYS])("the names of $first", ({ first, cells }) => {
    const fields = BUDGET_KEYS.some((row) => row.cells === cells) ? BUDGET_FIELDS : CONTRACT_FIELDS;
    const wire = fields[first]?.wire ?? "";
    const library = first === "stop" ? "stopConditions" : toCamel(wire);
    expect(cells.slice(1, 3)).toEqual([`\`${library}\``, `\`${wire}\``]);
  });

  test.each(KEYS)("the default of $first", ({ first, cells }) => {
    const { contract } = readConfig("[contract]\n", "x");
    expect(contract).toEqual(DEFAULT_CONTRACT);
    const line = writeContract(contract)
      .split("\n")
      .find((one) => one.startsWith(`${first} = `));
    const { budget, default_child, stop, lease_deny_when, kill_when } = contract;
    const empty = { budget: {}, default_child: {}, stop: [], lease_deny_when: [], kill_when: [] };
    expect({ budget, default_child, stop, lease_deny_when, kill_when }).toEqual(empty);
    const nothing = first === "liveness" ? "(its own)" : "(nothing)";
    const isTable = Object.hasOwn(empty, first) || first === "liveness";
    expect(line === undefined).toBe(isTable);
    expect(cells[3]).toBe(line === undefined ? nothing : `\`${line.slice(first.length + 3)}\``);
  });

  const ranged = KEYS.filter(({ first }) =>
    ["plain", "duration", "size", "cores"].includes(CONTRACT_FIELDS[first]?.form ?? ""),
  );

  test.each(ranged)("the range of $first is what its parser says", ({ first, cells }) => {
    const { form = "plain" } = CONTRACT_FIELDS[first] ?? {};
    const isList = first === "allow_degraded";
    const write = (value: string): string => `[contract]\n${first} = ${isList ? '["x"]' : value}\n`;
    expect(codesIn(cells[4] ?? "")).toEqual(rangeOf(write, form));
  });

  test.each(ranged)("both ends of $first are taken, and a step beyond is not", (row) => {
    const { form = "plain" } = CONTRACT_FIELDS[row.first] ?? {};
    const values = codesIn(row.cells[4] ?? "");
    const isList = row.first === "allow_degraded";
    const objections = (value: string): readonly string[] =>
      objectionsTo(
        `[contract]\n${ROOM[row.first] ?? ""}${row.first} = ${isList ? `[${value}]` : value}\n`,
      );
    for (const value of values) expect(objections(value)).toEqual([]);
    if (values[0]?.startsWith('"') === true && form === "plain") return;
    const [least = "", most = ""] = values;
    const beyond = [stepBeyond(least, form, -1), stepBeyond(most, form, 1)];
    for (const value of beyond.filter((one) => one !== undefined))
      expect(objections(value)).toHaveLength(1);
    expect(beyond.at(-1)).toBeDefined();
  });

  test.each(BUDGET_KEYS)("the range and kind of the budget's $first", ({ first, cells }) => {
    const { form = "plain", wire = "" } = BUDGET_FIELDS[first] ?? {};
    const key = first === "units" ? "units.tokens" : first;
    const room = '[contract]\nlifetime = "720h"\n';
    const write = (value: string): string => `${room}[contract.budget]\n${key} = ${value}\n`;
    const range = codesIn(cells[4] ?? "");
    expect(range).toEqual(rangeOf(write, form));
    for (const value of range) expect(objectionsTo(write(value))).toEqual([]);
    expect(objectionsTo(write(stepBeyond(range[1] ?? "", form, 1) ?? ""))).toHaveLength(1);
    const budget: Budget = { [wire]: wire === "units" ? { a: 1 } : 1 };
    const [flat] = Object.keys(flatten(budget));
    const kind = flat === undefined ? "bound" : isCapacity(flat) ? "capacity" : "consumable";
    expect(cells[3]).toBe(kind);
  });

  test("the keys of the sandbox, with names, defaults and ranges", () => {
    const rows = tableIn(section(PAGE, "The sandbox"));
    expect(rows.map(({ first }) => first)).toEqual(Object.keys(SANDBOX_FIELDS));
    const lines = writeContract(DEFAULT_CONTRACT).split("\n");
    for (const { first, cells } of rows) {
      const wire = SANDBOX_FIELDS[first]?.wire ?? "";
      expect(cells.slice(1, 3)).toEqual([`\`${toCamel(wire)}\``, `\`${wire}\``]);
      const line = lines.find((one) => one.startsWith(`${first} = `)) ?? "";
      expect(cells[3]).toBe(`\`${line.slice(first.length + 3)}\``);
    }
    const amounts = { scratch: "size", open_files: "plain", output: "size" } as const;
    for (const [key, form] of Object.entries(amounts)) {
      const range = codesIn(rows.find(({ first }) => first === key)?.cells[4] ?? "");
      expect(range).toEqual(rangeOf((value) => `[sandbox]\n${key} = ${value}\n`, form));
    }
    const folders = Array.from({ length: LIMITS.writableFoldersMax + 1 }, (_, at) => `"/${at}"`);
    expect(objectionsTo(`[sandbox]\nwritable = [${folders.join(",")}]\n`)).toEqual([
      `at most ${LIMITS.writableFoldersMax} folders`,
    ]);
    const most = rows.find(({ first }) => first === "writable")?.cells[4];
    expect(most).toContain(`\`${LIMITS.writableFoldersMax}\` folders`);
  });

  test("the keys of liveness, with names, defaults and ranges", () => {
    const rows = tableIn(section(PAGE, "Who gets anywhere"));
    expect(rows.map(({ first }) => first)).toEqual(Object.keys(LIVENESS_FIELDS));
    const lines = writeContract(DEFAULT_CONTRACT).split("\n");
    for (const { first, cells } of rows) {
      const wire = LIVENESS_FIELDS[first]?.wire ?? "";
      expect(cells.slice(1, 3)).toEqual([`\`${toCamel(wire)}\``, `\`${wire}\``]);
      const line = lines.find((one) => one.startsWith(`${first} = `)) ?? "";
      expect(cells[3]).toBe(`\`${line.slice(first.length + 3)}\``);
      const write = (value: string): string => `[contract.liveness]\n${first} = ${value}\n`;
      expect(codesIn(cells[4] ?? "")).toEqual(rangeOf(write, "duration"));
    }
  });

  test("the keys of retention, with names, defaults and ranges", () => {
    const rows = tableIn(section(PAGE, "Retention"));
    expect(rows.map(({ first }) => first)).toEqual(Object.keys(RETENTION_FIELDS));
    const lines = writeContract(DEFAULT_CONTRACT).split("\n");
    for (const { first, cells } of rows) {
      const wire = RETENTION_FIELDS[first]?.wire ?? "";
      expect(cells.slice(1, 3)).toEqual([`\`${toCamel(wire)}\``, `\`${wire}\``]);
      const line = lines.find((one) => one.startsWith(`${first} = `)) ?? "";
      const [off, least, most = ""] = codesIn(cells[4] ?? "");
      expect([cells[3], off]).toEqual([
        `\`${line.slice(first.length + 3)}\``,
        line.slice(first.length + 3),
      ]);
      const write = (value: string): string => `[retention]\n${first} = ${value}\n`;
      for (const value of [off, least, most]) expect(objectionsTo(write(value ?? ""))).toEqual([]);
      const [below, beyond] = first === "keep" ? ['"89999s"', '"87601h"'] : ["999", "1000000001"];
      for (const value of [below, beyond]) expect(objectionsTo(write(value))).toHaveLength(1);
    }
  });

  test("the words of allow_degraded, each explained", () => {
    const rows = tableIn(section(PAGE, "allow_degraded"));
    expect(rows.map(({ first }) => first)).toEqual(DEGRADATIONS);
  });

  test("every key stands in exactly one row of what binds when", () => {
    const rows = tableIn(section(PAGE, "Putting it in force"));
    const keys = rows.flatMap(({ cells }) => codesIn(cells[0] ?? ""));
    expect(keys.toSorted()).toEqual(Object.keys(CONTRACT_FIELDS).toSorted());
  });

  test("every word in it with an underscore is a name or a code of the program", () => {
    const documents = [CONTRACT_FIELDS, BUDGET_FIELDS, SANDBOX_FIELDS, LIVENESS_FIELDS];
    const names = [...documents, RETENTION_FIELDS].flatMap((fields) =>
      Object.entries(fields).flatMap(([key, { wire }]) => [key, wire]),
    );
    const seen = [CONTEXT_TYPES, LEASE_CONTEXT_TYPES].flatMap((types) => Object.keys(types));
    const words = [...names, ...DEGRADATIONS, ...seen, "children_count"];
    const known = new Set([...words, ...Object.keys(PROBLEMS), ...Object.keys(STOP_WORDS)]);
    const prose = PAGE.replaceAll(/^```[^]*?^```$/gm, "");
    const others = codesIn(prose).filter((code) => /^[a-z]+(_[a-z]+)+$/.test(code));
    expect(new Set(others.filter((code) => !known.has(code)))).toEqual(
      new Set(["exists_one", "retry_after_ms", "fold_case", "snake_case"]),
    );
  });

  test("the order of the checks is that of the rules", () => {
    const [rule = ""] = /^- \*\*AD17\*\* .*$/m.exec(SPEC) ?? [];
    const [, list = ""] = /Every check of an admission, in its order: ([^.]*)\./.exec(PAGE) ?? [];
    expect(codesIn(list)).toEqual(codesIn(rule).filter((code) => code !== "instance_taken"));
  });
});

describe("[PP21] the page of the contract says what a condition can be", () => {
  const types = tableIn(section(PAGE, "What a condition sees"));
  const [, admitted = ""] = /only the functions (.*); got/.exec(problemOf("foo(1)")) ?? [];

  test("every name of the context, with its type", () => expectTypes(types, CONTEXT_TYPES));

  test("every field of parent and root", () => {
    const [, fields = ""] = /only the fields (.*) of/.exec(problemOf("parent.x == 1")) ?? [];
    const row = types.find(({ first }) => first === "parent");
    expect(codesIn(row?.cells[2] ?? "")).toEqual(fields.split(", "));
  });

  test("every function and macro", () => {
    const rows = tableIn(section(PAGE, "What of CEL there is"));
    const cell = (kind: string): readonly string[] =>
      codesIn(rows.find(({ cells }) => cells[0] === kind)?.cells[1] ?? "");
    expect([...cell("functions"), ...cell("macros")]).toEqual(admitted.split(", "));
  });

  test("every operator and literal that it names is one", () => {
    const asked =
      "!(-depth + 1 - 1 * 1 / 1 % 2 == 1) && depth != 2 || depth < 1 && depth <= 1 || " +
      "depth > 1 && depth >= 1 || depth in [1, 2] ? parent.depth == 1 : state['a'] == null";
    expect(checkCondition(asked)).toEqual({ ok: true });
    const rows = tableIn(section(PAGE, "What of CEL there is"));
    const operators = codesIn(rows.find(({ cells }) => cells[0] === "operators")?.cells[1] ?? "");
    for (const operator of operators)
      for (const part of ["?:", "[]"].includes(operator) ? operator.split("") : [operator])
        expect(asked).toContain(part.replaceAll("\\", ""));
    for (const literal of codesIn(
      rows.find(({ cells }) => cells[0] === "literals")?.cells[1] ?? "",
    ))
      expect(checkCondition(`dyn(${literal}) == null`)).toEqual({ ok: true });
  });

  const leftOut = tableIn(section(PAGE, "What of CEL there is"), 1);

  test.each(leftOut)("left out: $first", ({ cells }) => {
    const examples = codesIn(cells[1] ?? "");
    expect(examples).not.toEqual([]);
    for (const example of examples) expect(checkCondition(example).ok).toBe(false);
  });

  test("its limits", () => {
    const limits = section(PAGE, "What of CEL there is").replaceAll(/\s+/g, " ");
    const [, bytes] = /(at most \d+ bytes)/.exec(problemOf(`depth == 1${" ".repeat(5_000)}`)) ?? [];
    const wide = `[${"1, ".repeat(300)}1] == []`;
    const [, nodes] = /(at most \d+ nodes in \d+ levels)/.exec(problemOf(wide)) ?? [];
    const long = verdictOf("state.long.all(x, x == 1)", { long: Array(5_000).fill(1) });
    const [, elements] = /(at most \d+ elements)/.exec(long) ?? [];
    const heavy = "state.long.exists(x, state.text.contains(state.sought))";
    const slow = { long: Array(1_000).fill(1), text: "a".repeat(20_000), sought: "b".repeat(9) };
    const [, steps] = /in (\d+ steps)/.exec(verdictOf(heavy, slow)) ?? [];
    const conditions = Array(65).fill('[[contract.stop]]\nname = "a"\nwhen = "depth > 1"\n');
    const [many = ""] = objectionsTo(conditions.join(""));
    const [, count] = /(at most \d+) stop conditions/.exec(many) ?? [];
    for (const limit of [bytes, nodes, elements, `at most ${steps}`, count])
      expect(limits).toContain(limit);
  });

  const [text = ""] =
    /(?<=<!-- file: conditions\.toml -->\n\n```toml\n)[^`]*/.exec(PAGE)?.values() ?? [];

  test.each(readConfig(text, "x").contract.stop)("$name is decided about root and child", (one) => {
    expect(verdictsOf(one.when ?? "")).toEqual(EXPECTED[one.name]);
  });
});

/** Each name of a context has a row, with its type; records are described in words. */
function expectTypes(rows: ReturnType<typeof tableIn>, context: CelFields): void {
  expect(rows.map(({ first }) => first)).toEqual(Object.keys(context));
  for (const { first, cells } of rows) {
    const type = context[first];
    const told = cells[1]?.replaceAll("\\", "") ?? "";
    const isRecord = typeof type !== "string";
    expect(isRecord ? told.split(" ")[0] : told).toBe(isRecord ? "record" : type);
  }
}

describe("[PP21] the page of the contract says what a condition on leases can be", () => {
  const part = section(PAGE, "Conditions on leases");
  const rows = tableIn(part);
  const fieldsOf = (name: string): readonly string[] => {
    const source = `${name}.x == 1`;
    const checked = checkLeaseCondition(source);
    const problem = checked.ok ? "" : checked.problem;
    return (/only the fields (.*) of/.exec(problem)?.[1] ?? "").split(", ");
  };

  test("every name, with its type", () => expectTypes(rows, LEASE_CONTEXT_TYPES));

  test("every field of holder and worker", () => {
    const told = (name: string): readonly string[] =>
      codesIn(rows.find(({ first }) => first === name)?.cells[2] ?? "");
    expect(told("worker")).toEqual(fieldsOf("worker"));
    expect(new Set(told("holder").filter((one) => !["worker", "outside"].includes(one)))).toEqual(
      new Set(fieldsOf("holder")),
    );
  });

  const [text = ""] =
    /(?<=<!-- file: leases\.toml -->\n\n```toml\n)[^`]*/.exec(PAGE)?.values() ?? [];
  const { lease_deny_when } = readConfig(text, "x").contract;

  test.each(lease_deny_when)(
    "$name is decided about a stranger, a root and a grandchild",
    (one) => {
      const verdicts = LEASES.map((changes) => {
        const verdict = evaluateLeaseCondition(one.when, { ...STRANGER, ...changes });
        return "error" in verdict ? verdict.error : verdict.triggered;
      });
      expect(verdicts).toEqual(DENIED[one.name]);
    },
  );
});

describe("[PP21] the page of the contract says what a kill condition can be", () => {
  const part = section(PAGE, "Kill conditions");
  const keys = tableIn(part);
  const names = tableIn(part, 1);

  test("every key of a table, and the words of an action", () => {
    expect(keys.map(({ first }) => first)).toEqual(Object.keys(KILL_CONDITION_FIELDS));
    const row = keys.find(({ first }) => first === "action");
    expect(codesIn(row?.cells[1] ?? "")).toEqual(KILL_ACTIONS.map((action) => `"${action}"`));
  });

  test("every measure, with its type", () => {
    const types = Object.entries(MEASURE_TYPES).flatMap(([record, fields]) =>
      Object.entries(fields).map(([field, type]) => [
        `${record}.${field}`,
        typeof type === "string" ? type : "record",
      ]),
    );
    const told = names.map(({ first, cells }) => [first, cells[1]?.replaceAll("\\", "")]);
    expect(told).toEqual(types);
  });

  test("its range of times", () => {
    const table = (time: string): string =>
      `[[contract.kill_when]]\nname = "a"\nwhen = "fleet.active_count > 1"\nfor = "${time}"\n` +
      'action = "pause"\n';
    const row = keys.find(({ first }) => first === "for");
    const [least, most] = codesIn(row?.cells[1] ?? "");
    const [expected = ""] = objectionsTo(table("25h"));
    expect(expected).toBe(`a duration from ${least} to ${most}`);
    for (const end of [least, most])
      expect(objectionsTo(table(end?.replaceAll('"', "") ?? ""))).toEqual([]);
  });
});

const STRANGER: LeaseContext = {
  holder: { kind: "outside", name: "ci", id: "", depth: 0 },
  worker: null,
  mode: "exclusive",
  lane: "",
  region: ["**"],
  ttl_ms: 300_000,
  key: "",
  run_id: "",
  also_held: [],
  active_leases: 0,
  held: 0,
  active_count: 0,
  contract: DEFAULT_CONTRACT,
};

const WORKER = { id: "w-a", name: "a", depth: 0, state: {}, children_count: 0, budget: {} };

/** A stranger who takes everything, a root that releases, a grandchild with three leases. */
const LEASES: readonly Partial<LeaseContext>[] = [
  {},
  {
    holder: { kind: "worker", name: "a", id: "w-a", depth: 0 },
    worker: WORKER,
    lane: "release",
    region: ["CHANGELOG.md"],
  },
  {
    holder: { kind: "worker", name: "c", id: "w-c", depth: 2 },
    worker: { ...WORKER, id: "w-c", name: "c", depth: 2 },
    region: ["src/**"],
    held: 3,
  },
];

/** Which of {@link LEASES} each condition of the page refuses. */
const DENIED: Readonly<Record<string, readonly boolean[]>> = {
  few: [false, false, true],
  "short-for-all": [true, false, false],
  "releases-are-ours": [false, true, false],
  "children-stay-small": [false, false, true],
};

/** Whom the conditions of the page hold for, of the four candidates of {@link verdictsOf}. */
const EXPECTED: Readonly<Record<string, readonly boolean[]>> = {
  siblings: [false, false, true, false],
  "half-full-for-grandchildren": [false, false, false, true],
  "no-second-root": [false, true, false, false],
  "one-path-per-lineage": [false, false, true, false],
  "needs-a-ticket": [false, true, false, false],
  "too-much-memory": [false, false, false, true],
  labels: [false, false, false, true],
};

/** Asks about a first root, a second root, a child, and a grandchild in a crowd. */
function verdictsOf(when: string): readonly (boolean | string)[] {
  const parent = {
    id: "w-a",
    name: "a",
    depth: 0,
    state: { path: "src/a" },
    children_count: 5,
    budget: {},
  };
  const grandparent = { ...parent, depth: 1, children_count: 1 };
  const candidates: readonly Partial<AdmissionContext>[] = [
    { reason: "TICKET-1" },
    { active_count: 1, name: "b" },
    { active_count: 6, depth: 1, parent, root: parent, state: { path: "src/a" } },
    {
      active_count: 40,
      depth: 2,
      parent: grandparent,
      root: parent,
      state: { labels: ["new", "frozen"] },
      budget: { memory_bytes: 2 ** 40 },
    },
  ];
  return candidates.map((one) => {
    const verdict = evaluateCondition(when, { ...NOBODY, ...one });
    return "error" in verdict ? verdict.error : verdict.triggered;
  });
}

const NOBODY: AdmissionContext = {
  active_count: 0,
  total_count: 0,
  depth: 0,
  name: "a",
  reason: "",
  state: {},
  budget: {},
  parent: null,
  root: null,
  contract: DEFAULT_CONTRACT,
};

function verdictOf(when: string, state: AdmissionContext["state"]): string {
  const verdict = evaluateCondition(when, { ...NOBODY, state });
  return "error" in verdict ? verdict.error : String(verdict.triggered);
}

function problemOf(source: string): string {
  const checked = checkCondition(source);
  return checked.ok ? "" : checked.problem;
}
