import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { diffContracts, writeContract } from "../../src/config/contract-text.ts";
import { DEFAULT_CONTRACT, type KillCondition } from "../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { parseContractOptions, showContract } from "../../src/library/fleet/contract.ts";
import { parseContract } from "../../src/protocol/contract.ts";
import { InputError } from "../../src/protocol/input.ts";

const HOG: KillCondition = {
  name: "hog",
  description: "Looked at first",
  when: 'has(worker.memory_bytes) && worker.memory_bytes > 1024 && worker.name != "db"',
  for_ms: 90_000,
  action: "quarantine",
};

const TEXT = `
[[contract.kill_when]]
name = "hog"
description = "Looked at first"
when = 'has(worker.memory_bytes) && worker.memory_bytes > 1024 && worker.name != "db"'
for = "1m30s"
action = "quarantine"

[[contract.kill_when]]
name = "crowd"
when = "fleet.active_count > 40"
for = "0s"
action = "kill"
`;

const CROWD: KillCondition = {
  name: "crowd",
  when: "fleet.active_count > 40",
  for_ms: 0,
  action: "kill",
};

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map(({ path, expected, got }) => `${path} | ${expected} | ${got}`);
  }
}

const ofText = (text: string): readonly string[] =>
  problemsOf(() => readConfig(text, "stint.toml"));

describe("[KW8] kill conditions in a config", () => {
  test("are read, and written so that they read the same", () => {
    const { contract } = readConfig(TEXT, "stint.toml");
    expect(contract.kill_when).toEqual([HOG, CROWD]);
    expect(readConfig(writeContract(contract), "x").contract).toEqual(contract);
  });

  test("are shown one by one where they differ", () => {
    const before = { ...DEFAULT_CONTRACT, kill_when: [HOG] };
    const after = { ...DEFAULT_CONTRACT, kill_when: [{ ...HOG, for_ms: 0 }, CROWD] };
    const changes = diffContracts(before, after);
    expect(changes).toHaveLength(2);
    expect(changes[0]?.field).toBe("kill_when.hog");
    expect(changes[0]?.before).toContain('for = "90s", action = "quarantine" }');
    expect(changes[0]?.after).toContain('for = "0s", action = "quarantine" }');
    expect(changes[1]).toMatchObject({ field: "kill_when.crowd" });
  });

  test("every field is named with its line, in the words of a config", () => {
    const swap = (from: string, to: string): readonly string[] => ofText(TEXT.replace(from, to));
    expect(swap('for = "1m30s"', "for = 90")).toEqual([
      'stint.toml:6: contract.kill_when[0].for | a duration such as "90s", "1h30m" or ' +
        '"500ms" | "90"',
    ]);
    expect(swap('for = "1m30s"', 'for = "25h"')).toEqual([
      'stint.toml:6: contract.kill_when[0].for | a duration from "0s" to "24h" | "25h"',
    ]);
    expect(swap('for = "1m30s"\n', "")).toHaveLength(1);
    expect(swap('action = "quarantine"', 'action = "freeze"')[0]).toContain(
      'contract.kill_when[0].action | one of "pause", "quarantine", "stop", "kill" | "freeze"',
    );
    expect(swap('action = "quarantine"', 'acton = "stop"')[0]).toMatch(
      /^stint\.toml:7: .*\[0\]\.acton \| absent \(no such key; did you mean action/,
    );
    expect(swap("worker.memory_bytes > 1024", "worker.size > 1")[0]).toMatch(
      /^stint\.toml:5: .*\[0\]\.when \| a condition that passes its check \(.*"size"/,
    );
    expect(swap('action = "kill"', 'action = "stop"')[0]).toMatch(
      /^stint\.toml:11: .*\[1\]\.when \| .* must name worker for the action "stop"/,
    );
    expect(ofText('[contract]\nkill_when = "x"\n')[0]).toContain("an array of kill conditions");
    expect(ofText("[contract]\nkill_when = [1]\n")[0]).toContain("| a table |");
  });
});

describe("[KW8] kill conditions of a contract", () => {
  const parse = (kill_when: unknown): readonly string[] =>
    problemsOf(() => parseContract({ kill_when }));

  test("have names of their own, and are at most 64", () => {
    expect(parse([HOG, HOG])).toEqual(['contract.kill_when[1].name | unlike the others | "hog"']);
    const many = Array.from({ length: LIMITS.killConditionsMax + 1 }, (_, index) => ({
      ...CROWD,
      name: `c${index}`,
    }));
    expect(parse(many)[0]).toContain("an array of at most 64 kill conditions");
    expect(parse(many.slice(1))).toEqual([]);
  });

  test.each(["name", "when", "for_ms", "action"] as const)("%s must be given", (field) => {
    const { [field]: _, ...without } = HOG;
    expect(parse([without])[0]).toMatch(new RegExp(`^contract\\.kill_when\\[0\\]\\.${field} \\|`));
  });

  test("have a time of at most a day, both ends included", () => {
    expect(parse([{ ...HOG, for_ms: 0 }])).toEqual([]);
    expect(parse([{ ...HOG, for_ms: LIMITS.killConditionForMsMax }])).toEqual([]);
    for (const for_ms of [-1, LIMITS.killConditionForMsMax + 1, 0.5])
      expect(parse([{ ...HOG, for_ms }])).toHaveLength(1);
  });

  test("are `killWhen` in the library, in and out", () => {
    const { for_ms: forMs, ...others } = HOG;
    const { contract } = parseContractOptions({ killWhen: [{ ...others, forMs }] });
    expect(contract.kill_when).toEqual([HOG]);
    expect(showContract(contract).killWhen).toEqual([{ ...others, forMs }]);
    expect(
      problemsOf(() => parseContractOptions({ killWhen: [{ ...others, forMs: -1 }] }))[0],
    ).toContain("contract.killWhen[0].forMs");
  });
});
