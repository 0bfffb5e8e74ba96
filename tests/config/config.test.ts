import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { diffContracts, linesOf, writeContract } from "../../src/config/contract-text.ts";
import { CONTRACT_FIELDS, BUDGET_FIELDS, SANDBOX_FIELDS } from "../../src/config/field.ts";
import { writeTemplate } from "../../src/config/template.ts";
import { evaluateCondition } from "../../src/kernel/condition/condition.ts";
import type { AdmissionContext } from "../../src/kernel/condition/context/admission.ts";
import { DEFAULT_CONTRACT, type Contract } from "../../src/kernel/fleet/contract.ts";
import { DEFAULT_GROUND_RULES } from "../../src/kernel/lane/lane.ts";
import { InputError } from "../../src/protocol/input.ts";

const whole = `
[fleet]
name = "site"
store = "sqlite"
fold_case = false

[contract]
max_depth = 2
cooldown = "1s"
lifetime = "1h30m"
allow_degraded = ["same_user", "network"]

[contract.budget]
cpu = 2.0
memory = "2GiB"
wall = "1h"
spawns = 100
units.tokens = 1_000_000

[contract.default_child]
memory = "256MiB"

[[contract.stop]]
name = "few"
when = "active_count >= 5"

[lanes.api]
paths = ["src/api/**"]
exclude = ["src/api/gen/**"]
slots = 2

[roster]
expected = ["api", "collector"]
`;

/** The problems of a text, as sentences. */
function problemsOf(text: string): readonly string[] {
  try {
    readConfig(text, "stint.toml");
  } catch (error) {
    if (error instanceof InputError) return error.message.split("; ");
    throw error;
  }
  return [];
}

describe("stint.toml", () => {
  test("[CF2] durations, sizes and cores become the contract's ms, bytes and thousandths", () => {
    const { contract, fleet } = readConfig(whole, "stint.toml");
    expect(fleet).toEqual({ name: "site", store: "sqlite", fold_case: false });
    expect(contract).toMatchObject({
      max_depth: 2,
      max_replicas: DEFAULT_CONTRACT.max_replicas,
      cooldown_ms: 1_000,
      lifetime_ms: 5_400_000,
      allow_degraded: ["same_user", "network"],
      budget: {
        cpu_milli: 2_000,
        memory_bytes: 2 ** 31,
        wall_ms: 3_600_000,
        spawns: 100,
        units: { tokens: 1_000_000 },
      },
      default_child: { memory_bytes: 2 ** 28 },
      stop: [{ name: "few", when: "active_count >= 5" }],
    });
  });

  test("[CF2] every field of the contract and of a budget has its name in TOML", () => {
    const fields = Object.values(CONTRACT_FIELDS).map(({ wire }) => wire);
    const wireNames = [...fields, "sandbox", "retention"];
    expect(Object.values(SANDBOX_FIELDS).map(({ wire }) => wire)).toEqual(
      Object.keys(DEFAULT_CONTRACT.sandbox),
    );
    expect(wireNames.toSorted()).toEqual(Object.keys(DEFAULT_CONTRACT).toSorted());
    expect(Object.values(BUDGET_FIELDS).map(({ wire }) => wire)).toEqual([
      "cpu_milli",
      "memory_bytes",
      "processes",
      "wall_ms",
      "lifetime_ms",
      "cpu_ms",
      "spawns",
      "units",
    ]);
  });

  test("[CF3] an unknown key is named with its line and the nearest that is known", () => {
    expect(problemsOf('[fleet]\nname = "x"\n\n[contract]\nmax_depht = 3\n')).toEqual([
      "stint.toml:5: contract.max_depht must be absent (no such key",
      "did you mean max_depth?), got 3",
    ]);
    expect(problemsOf("[contrct]\n")[0]).toMatch(/^stint\.toml:1: contrct must be absent/);
    expect(problemsOf("[contract]\ncooldown_ms = 5\n").join()).toContain("did you mean cooldown?");
    expect(problemsOf('[contract.budget]\nmemroy = "1GiB"\n')[0]).toMatch(
      /^stint\.toml:2: contract\.budget\.memroy must be absent/,
    );
  });

  test.each([
    [
      "[contract]\nmax_depth = 99\n",
      "stint.toml:2: contract.max_depth must be an integer from 0 to 64, got 99",
    ],
    [
      '[contract]\n\nlifetime = "31d"\n',
      'stint.toml:3: contract.lifetime must be a duration from "1ms" to "720h", got "744h"',
    ],
    [
      "[contract.budget]\ncpu = 0.0\n",
      "stint.toml:2: contract.budget.cpu must be a number of cores from 0.001 to 1000000.0, " +
        "got 0.0",
    ],
    [
      '[contract.budget]\nmemory = "2000TiB"\n',
      'stint.toml:2: contract.budget.memory must be a size from "1B" to "1024TiB", got "2000TiB"',
    ],
    [
      '[contract]\nreap_after = "1s"\n',
      'stint.toml:2: contract.reap_after must be at least 3 beats of 10000 ms ("30s"), got "1s"',
    ],
    [
      '[contract]\nbudget.memory = "1GiB"\ndefault_child.memory = "2GiB"\n',
      'contract.default_child.memory must be at most what a root may have ("1GiB"), got "2GiB"',
    ],
    [
      "[contract.budget]\nunits.wall = 9007199254740991\n",
      "contract.budget.units.wall must be an integer from 0 to 4503599627370496, " +
        "got 9007199254740991",
    ],
    [
      "[contract]\nlifetime = 90\n",
      'stint.toml:2: contract.lifetime must be a duration such as "90s", "1h30m" or "500ms"',
    ],
    ['[contract]\nbudget = "x"\n', 'stint.toml:2: contract.budget must be a table, got "x"'],
    ['[fleet]\nstore = "postgres"\n', 'stint.toml:2: fleet.store must be "sqlite", got "postgres"'],
    [
      '[lanes.api]\nslots = 0\npaths = ["a"]\n',
      "stint.toml:2: lanes.api.slots must be an integer from 1 to 10000, got 0",
    ],
    ["[lanes.api]\n", "stint.toml:1: lanes.api.paths must be an array of patterns, got nothing"],
    ["[roster]\nexpected = [1]\n", "stint.toml:2: roster.expected[0] must be"],
  ])("[CF3] %j is answered with its place", (text, expected) => {
    expect(problemsOf(text).join("; ")).toContain(expected);
  });

  test("[CF3] everything that is wrong is named at once", () => {
    const text = '[contract]\nmax_depht = 1\nlifetime = "soon"\n[fleet]\nnmae = "x"\n';
    const lines = problemsOf(text)
      .join("; ")
      .match(/stint\.toml:\d+/g);
    expect(lines?.toSorted()).toEqual(["stint.toml:2", "stint.toml:3", "stint.toml:5"]);
  });

  test("[CF3] what is no TOML is answered with line and column", () => {
    expect(problemsOf("[contract]\nmax_depth = \n").join()).toMatch(
      /^stint\.toml:2:\d+ must be TOML \(https:\/\/toml\.io\), got /,
    );
  });

  test("[CF4] a stop condition is checked, and told with its own line", () => {
    const text =
      '[[contract.stop]]\nname = "a"\nwhen = "depth > 1"\n\n' +
      '[[contract.stop]]\nname = "b"\nwhen = "dpth > 1"\n';
    expect(problemsOf(text).join("; ")).toMatch(
      /^stint\.toml:7: contract\.stop\[1\]\.when must be/,
    );
    const none = problemsOf('[[contract.stop]]\nname = "a"\n').join();
    expect(none).toContain("contract.stop[0].when must be CEL text, got nothing");
  });

  test("[CF4] a condition on leases is checked by the names of leases", () => {
    const text = (when: string) =>
      `[[contract.lease_deny_when]]\nname = "a"\n\nwhen = ${JSON.stringify(when)}\n`;
    expect(readConfig(text("held > 1"), "x").contract.lease_deny_when).toEqual([
      { name: "a", when: "held > 1" },
    ]);
    expect(problemsOf(text("depth > 1")).join("; ")).toMatch(
      /^stint\.toml:4: contract\.lease_deny_when\[0\]\.when must be a condition that passes its/,
    );
  });

  test("[CF5] what has no effect yet is said to have none", () => {
    expect(readConfig('[contract]\nrevoke_margin = "2s"\n', "stint.toml").notes).toEqual([
      "contract.revoke_margin is checked for its form and has no effect in this version",
    ]);
    expect(readConfig(whole, "stint.toml").notes).toEqual([]);
    expect(readConfig("", "stint.toml").notes).toEqual([]);
  });

  test("[CF6] a contract that is written is read as the same", () => {
    const { contract } = readConfig(whole, "stint.toml");
    expect(readConfig(writeContract(contract), "x").contract).toEqual(contract);
    expect(readConfig(writeContract(DEFAULT_CONTRACT), "x").contract).toEqual(DEFAULT_CONTRACT);
    const odd: Contract = {
      ...DEFAULT_CONTRACT,
      lifetime_ms: 86_400_001,
      stop: [{ name: "q", description: 'a "quoted"\nline \u007f', when: "depth > 1" }],
      lease_deny_when: [
        { name: "q", description: "its own", when: 'lane == "api"' },
        { name: "r", when: "held > 1" },
      ],
    };
    expect(readConfig(writeContract(odd), "x").contract).toEqual(odd);
  });

  test("[CF6] the file that init writes proposes the defaults and can be used", () => {
    const apart = readConfig(writeTemplate({ name: "a-b", isSameUser: false }), "x");
    expect(apart.contract).toEqual(DEFAULT_CONTRACT);
    const text = writeTemplate({ name: "site", isSameUser: true });
    expect(readConfig(text, "x").contract.allow_degraded).toEqual(["same_user", "network"]);
    expect(text).toContain("`stint run` asks for open, `stint spawn` for\n# controller");
    const uncommented = text.replaceAll(/^# (?=[[\w.]+( =|\]))/gm, "");
    expect(uncommented).toContain('\nmemory = "2GiB"\n');
    expect(readConfig(uncommented, "x").contract).toMatchObject({
      max_depth: 3,
      budget: { units: { tokens: 1_000_000 } },
      stop: [{ name: "few-siblings" }],
      lease_deny_when: [{ name: "few-leases" }],
    });
    expect(apart.ground).toEqual(DEFAULT_GROUND_RULES);
    const { ground, fleet } = readConfig(uncommented, "x");
    expect(ground).toMatchObject({ worktrees: "one_ground", require: false });
    expect(ground.lanes.map(({ name }) => name)).toEqual(["api", "tests", "release"]);
    expect(ground.lanes[1]?.slots).toBe(2);
    expect(ground.lanes[2]?.alone).toBe(true);
    expect(fleet.fold_case).toBe(true);
  });

  test("[CF6] every default stands in that file as a comment, as it is", () => {
    const lines = writeTemplate({ name: "a", isSameUser: false }).split("\n");
    const shown = lines.flatMap((line) => /^# (\w+ = .+?)(?: +#.*)?$/.exec(line)?.[1] ?? []);
    const { lanes: _, ...ground } = DEFAULT_GROUND_RULES;
    const defaults = [
      ...linesOf(DEFAULT_CONTRACT, CONTRACT_FIELDS),
      ...linesOf(DEFAULT_CONTRACT.sandbox, SANDBOX_FIELDS),
      ...Object.entries(ground).map(([name, value]) => `${name} = ${JSON.stringify(value)}`),
    ];
    expect(defaults.length).toBeGreaterThan(25);
    expect(shown).toEqual(expect.arrayContaining(defaults));
    // And a meaning with each, but for those that have a paragraph of their own.
    const bare = lines.filter((line) => /^# \w+ = [^#]+$/.test(line));
    const named = Object.keys(CONTRACT_FIELDS).filter((field) => field !== "allow_degraded");
    expect(named.filter((field) => bare.some((line) => line.startsWith(`# ${field} =`)))).toEqual(
      [],
    );
  });

  test.each([
    ["a root", null, false],
    ["a fifth child", 4, false],
    ["a sixth child", 5, true],
  ])("[CF6] the condition in the file that init writes decides about %s", (_, count, triggered) => {
    const text = writeTemplate({ name: "site", isSameUser: false });
    const { contract } = readConfig(text.replaceAll(/^# (?=[[\w.]+( =|\]))/gm, ""), "x");
    const parent =
      count === null
        ? null
        : { id: "w-a", name: "a", depth: 0, state: {}, children_count: count, budget: {} };
    const context: AdmissionContext = {
      active_count: 0,
      total_count: 0,
      depth: 0,
      name: "b",
      reason: "",
      state: {},
      budget: {},
      parent,
      root: parent,
      contract,
    };
    expect(evaluateCondition(contract.stop[0]?.when ?? "", context)).toEqual({ triggered });
  });

  test("[CF7] two contracts differ in the fields in which they are written otherwise", () => {
    const { contract } = readConfig(whole, "stint.toml");
    expect(diffContracts(contract, contract)).toEqual([]);
    const changes = diffContracts(DEFAULT_CONTRACT, contract);
    expect(changes).toContainEqual({ field: "max_depth", before: "3", after: "2" });
    expect(changes).toContainEqual({ field: "cooldown", before: '"0s"', after: '"1s"' });
    expect(changes).toContainEqual({ field: "budget.memory", after: '"2GiB"' });
    expect(changes).toContainEqual({ field: "stop.few", after: '"active_count >= 5"' });
    const deny: Contract = { ...contract, lease_deny_when: [{ name: "x", when: "held > 1" }] };
    expect(diffContracts(contract, deny)).toEqual([
      { field: "lease_deny_when.x", after: '"held > 1"' },
    ]);
    expect(diffContracts(contract, DEFAULT_CONTRACT)).toContainEqual({
      field: "stop.few",
      before: '"active_count >= 5"',
    });
  });
});
