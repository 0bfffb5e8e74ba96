import { describe, expect, test } from "vitest";
import { DEFAULT_CONTRACT, type Contract } from "../../src/kernel/fleet/contract.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { contractSchema, parseContract } from "../../src/protocol/contract.ts";
import { InputError } from "../../src/protocol/input.ts";
import { parserOf } from "../../src/protocol/parse.ts";

const parseWholeContract = parserOf("contract", contractSchema);

function problemOf(value: unknown, parse: typeof parseContract = parseContract): string {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof InputError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "taken";
}

/** What is no number, though it may look like one (replication G1). */
const impostors: readonly unknown[] = [
  Number.NaN,
  Infinity,
  -Infinity,
  -0,
  1.5,
  -1,
  2 ** 53,
  1e300,
  true,
  false,
  "5",
  "",
  null,
  5n,
  [],
  [5],
  {},
  new Date(5),
  () => 5,
];

/** Least and most of every numeric field. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  max_depth: [LIMITS.depthMin, LIMITS.depthMax],
  max_replicas: [LIMITS.replicasMin, LIMITS.replicasMax],
  max_total: [LIMITS.totalMin, LIMITS.totalMax],
  cooldown_ms: [0, LIMITS.cooldownMsMax],
  lifetime_ms: [LIMITS.lifetimeMsMin, LIMITS.lifetimeMsMax],
  register_within_ms: [LIMITS.registerWithinMsMin, LIMITS.registerWithinMsMax],
  beat_every_ms: [LIMITS.beatEveryMsMin, LIMITS.beatEveryMsMax],
  reap_after_ms: [LIMITS.staleBeats * LIMITS.beatEveryMsMin, LIMITS.reapAfterMsMax],
  tether_ms: [LIMITS.tetherMsMin, LIMITS.tetherMsMax],
  quarantine_max_ms: [LIMITS.quarantineMsMin, LIMITS.quarantineMsMax],
  revoke_grace_ms: [0, LIMITS.revokeMsMax],
  revoke_margin_ms: [0, LIMITS.revokeMsMax],
  clock_tolerance_ms: [LIMITS.clockToleranceMsMin, LIMITS.clockToleranceMsMax],
  refusals_per_minute: [LIMITS.refusalsPerMinuteMin, LIMITS.refusalsPerMinuteMax],
  armed_every_ms: [0, LIMITS.armedEveryMsMax],
};

/** Fields that must go along so that a bound is not refused for another's sake. */
const along: Readonly<Record<string, Partial<Contract>>> = {
  reap_after_ms: { beat_every_ms: LIMITS.beatEveryMsMin },
};

const budgetRanges: Readonly<Record<string, readonly [number, number]>> = {
  cpu_milli: [1, LIMITS.cpuMilliMax],
  memory_bytes: [1, LIMITS.memoryBytesMax],
  processes: [1, LIMITS.processesMax],
  spawns: [0, LIMITS.spawnsMax],
  cpu_ms: [0, LIMITS.cpuMsMax],
  lifetime_ms: [LIMITS.lifetimeMsMin, LIMITS.lifetimeMsMax],
  wall_ms: [1, LIMITS.wallMsMax],
};

describe("numbers", () => {
  test("[LM1] every numeric field of the contract has a range here", () => {
    const numeric = Object.entries(DEFAULT_CONTRACT).filter(
      ([, value]) => typeof value === "number",
    );
    expect(numeric.map(([field]) => field).toSorted()).toStrictEqual(
      Object.keys(ranges).toSorted(),
    );
  });

  test.each(Object.entries(ranges))(
    "[LM1] %s is taken at its bounds and refused one beside them (replication G1)",
    (field, [least, most]) => {
      const expected = `usage: contract.${field} must be an integer from ${least} to ${most}`;
      for (const value of [least, most])
        expect(problemOf({ ...along[field], [field]: value })).toBe("taken");
      for (const value of [least - 1, most + 1])
        expect(problemOf({ [field]: value })).toBe(`${expected}, got ${value}`);
    },
  );

  test.each(Object.keys(ranges))(
    "[LM1] %s takes nothing that only looks like a number (replication G1)",
    (field) => {
      const wrong =
        field === "max_depth" || ranges[field]?.[0] === 0 ? impostors : [0, ...impostors];
      for (const value of wrong)
        expect(problemOf({ [field]: value })).toContain(
          `contract.${field} must be an integer from`,
        );
    },
  );

  test.each(Object.entries(budgetRanges))(
    "[LM1] budget.%s is taken at its bounds and refused one beside them (replication G1)",
    (key, [least, most]) => {
      const lifetime_ms = LIMITS.lifetimeMsMax;
      for (const field of ["budget", "default_child"]) {
        for (const value of [least, most])
          expect(problemOf({ lifetime_ms, [field]: { [key]: value } })).toBe("taken");
        for (const value of [least - 1, most + 1, ...impostors])
          expect(problemOf({ lifetime_ms, [field]: { [key]: value } })).toContain(
            `contract.${field}.${key} must be an integer from ${least} to ${most}, got `,
          );
      }
    },
  );

  test("[LM1] units have names of their own and amounts within bounds", () => {
    const units = (value: unknown) => problemOf({ budget: { units: value } });
    expect(units({ tokens: 0, usd_cents: LIMITS.unitAmountMax })).toBe("taken");
    expect(units({ tokens: LIMITS.unitAmountMax + 1 })).toContain(
      "contract.budget.units.tokens must",
    );
    expect(units({ Tokens: 1 })).toContain('a letter first, got "Tokens"');
    expect(units({ [`a${"b".repeat(LIMITS.unitNameMax)}`]: 1 })).toContain(
      "a unit name of 1 to 32",
    );
    expect(units([1])).toContain("an object of amounts by unit name");
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`u${index}`, 1]));
    expect(units(many)).toBe(
      "limit_exceeded: contract.budget.units must be an object of at most 16 units, got 17 units",
    );
  });
});

test("[LM1] armed checks are off, or a minute apart at least", () => {
  const least = LIMITS.armedEveryMsMin;
  expect(problemOf({ armed_every_ms: least })).toBe("taken");
  for (const value of [1, least - 1])
    expect(problemOf({ armed_every_ms: value })).toBe(
      `usage: contract.armed_every_ms must be 0, or at least a minute (${least}), got ${value}`,
    );
});

describe("words and lists", () => {
  test("[LM1] a choice is one of its words", () => {
    expect(problemOf({ on_orphan: "adopt" })).toBe(
      'usage: contract.on_orphan must be one of "stop", "grandparent", "keep", got "adopt"',
    );
    expect(problemOf({ silent_alive: true })).toContain('one of "flag", "stop", got true');
    expect(problemOf({ allow_degraded: ["same_user"] })).toBe("taken");
    expect(problemOf({ allow_degraded: ["root"] })).toContain(
      'contract.allow_degraded[0] must be one of "same_user", "memory", "cpu", "processes", ' +
        '"network", "leases", got "root"',
    );
    expect(problemOf({ allow_degraded: "same_user" })).toContain("an array of names");
  });

  test("[LM1] stop conditions have names, each its own, and a source within its size", () => {
    const stop = (...conditions: unknown[]) => problemOf({ stop: conditions });
    expect(stop({ name: "a", when: "true" }, { name: "b" })).toBe("taken");
    expect(stop({ name: "a" }, { name: "b" }, { name: "a" })).toBe(
      'usage: contract.stop[2].name must be unlike the others, got "a"',
    );
    expect(stop({ when: "true" })).toContain("contract.stop[0].name must be 1 to 64 letters");
    expect(stop({ name: "a", when: "" })).toContain(
      "contract.stop[0].when must be text of 1 to 4096",
    );
    expect(stop({ name: "a", when: "x".repeat(LIMITS.conditionSourceBytesMax) })).toBe("taken");
    expect(stop({ name: "a", when: "x".repeat(LIMITS.conditionSourceBytesMax + 1) })).toBe(
      "limit_exceeded: contract.stop[0].when must be text of 1 to 4096 bytes, got 4097 characters",
    );
    expect(stop({ name: "a", when: "ü".repeat(2_049) })).toContain("got 4098 bytes");
    expect(stop({ name: "a", if: "true" })).toContain("contract.stop[0].if must be absent");
    const many = Array.from({ length: LIMITS.stopConditionsMax + 1 }, (_, n) => ({
      name: `n${n}`,
    }));
    expect(problemOf({ stop: many })).toBe(
      "limit_exceeded: contract.stop must be an array of at most 64 stop conditions, " +
        "got an array of 65",
    );
    expect(problemOf({ stop: many.slice(1) })).toBe("taken");
  });
});

test("[LC6] conditions on leases have names, each its own, and always a source", () => {
  const deny = (...conditions: unknown[]) => problemOf({ lease_deny_when: conditions });
  expect(deny({ name: "a", when: "true" }, { name: "b", when: "true" })).toBe("taken");
  expect(deny({ name: "a", when: "true" }, { name: "a", when: "false" })).toBe(
    'usage: contract.lease_deny_when[1].name must be unlike the others, got "a"',
  );
  expect(deny({ name: "a" })).toBe(
    "usage: contract.lease_deny_when[0].when must be text of 1 to 4096 bytes, got nothing",
  );
  expect(deny({ name: "a", when: () => true })).toContain("when must be text of 1 to 4096 bytes");
  expect(deny({ name: "a", when: "x".repeat(LIMITS.conditionSourceBytesMax + 1) })).toMatch(
    /^limit_exceeded: /,
  );
  const many = Array.from({ length: LIMITS.leaseConditionsMax + 1 }, (_, index) => ({
    name: `n${index}`,
    when: "true",
  }));
  expect(deny(...many)).toBe(
    "limit_exceeded: contract.lease_deny_when must be an array of at most 64 conditions on " +
      "leases, got an array of 65",
  );
  expect(deny(...many.slice(1))).toBe("taken");
});

describe("fields together", () => {
  test.each([
    { given: { beat_every_ms: 1_000, reap_after_ms: 3_000 }, answer: "taken" },
    {
      given: { beat_every_ms: 1_000, reap_after_ms: 2_999 },
      answer: "usage: contract.reap_after_ms must be at least 3 beats of 1000 ms (3000), got 2999",
    },
    { given: { lifetime_ms: 5_000, register_within_ms: 5_000 }, answer: "taken" },
    {
      given: { lifetime_ms: 5_000, register_within_ms: 5_001 },
      answer:
        "usage: contract.register_within_ms must be at most the lifetime of a worker (5000), " +
        "got 5001",
    },
    { given: { lifetime_ms: 5_000, budget: { lifetime_ms: 5_000 } }, answer: "taken" },
    {
      given: { lifetime_ms: 5_000, default_child: { lifetime_ms: 5_001 } },
      answer:
        "usage: contract.default_child.lifetime_ms must be at most the lifetime of a worker " +
        "(5000), got 5001",
    },
    { given: { budget: { spawns: 3 }, default_child: { spawns: 3 } }, answer: "taken" },
    {
      given: { budget: { spawns: 3 }, default_child: { spawns: 4 } },
      answer:
        "usage: contract.default_child.spawns must be at most what a root may have (3), got 4",
    },
    {
      given: { budget: { units: { a: 1 } }, default_child: { units: { a: 2, b: 9 } } },
      answer:
        "usage: contract.default_child.units.a must be at most what a root may have (1), got 2",
    },
  ])("[CT6] $given: $answer", ({ given, answer }) => {
    expect(problemOf(given)).toBe(answer);
  });

  test("[CT7] what is left out is the default, or what the given fields leave room for", () => {
    expect(parseContract({})).toStrictEqual(DEFAULT_CONTRACT);
    expect(parseContract({ max_depth: undefined })).toStrictEqual(DEFAULT_CONTRACT);
    expect(parseContract({ lifetime_ms: 500 }).register_within_ms).toBe(500);
    expect(parseContract({ beat_every_ms: 60_000 }).reap_after_ms).toBe(180_000);
    expect(parseContract({ beat_every_ms: 500 }).reap_after_ms).toBe(100_000);
  });

  test("[CT7] a whole contract leaves nothing out", () => {
    expect(parseWholeContract(DEFAULT_CONTRACT)).toStrictEqual(DEFAULT_CONTRACT);
    const { tether_ms: _, ...partial } = DEFAULT_CONTRACT;
    expect(problemOf(partial, parseWholeContract)).toBe(
      "usage: contract.tether_ms must be an integer from 1000 to 3600000, got nothing",
    );
  });
});

describe("unknown fields and the caller's names", () => {
  const camel = {
    path: "options.contract",
    rename: (field: string) =>
      field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  };

  test("[LM5] an unknown field is refused, with the nearest known one", () => {
    expect(problemOf({ max_deph: 3 })).toBe(
      "usage: contract.max_deph must be absent (no such field; did you mean max_depth?), got 3",
    );
    expect(problemOf({ budget: { cpu: 1 } })).toContain("did you mean cpu_milli?");
    expect(problemOf({ zzzzzz: 1 })).toBe(
      "usage: contract.zzzzzz must be absent (no such field), got 1",
    );
  });

  test("[LM5] all problems are named at once, in one error", () => {
    const message = problemOf({ max_depth: 65, max_replicas: 0, on_orphan: "x", depth: 1 });
    expect(message.split("; contract.")).toHaveLength(4);
  });

  test("[LM9] fields are shown as the caller writes them, his own keys as they are", () => {
    const wrong = { max_depth: -1, budget: { units: { my_unit: -1 } }, cooldown: 1 };
    const shown = (() => {
      try {
        return parseContract(wrong, camel);
      } catch (error) {
        return (error as InputError).problems.map(({ path }) => path);
      }
    })();
    expect(shown).toStrictEqual([
      "options.contract.maxDepth",
      "options.contract.budget.units.my_unit",
      "options.contract.cooldown",
    ]);
    expect(() => parseContract({ cooldown: 1 }, camel)).toThrow("did you mean cooldownMs?");
  });

  test("[LM9] a key that cannot be a field's is shown as it is, and without a hint", () => {
    for (const parse of [parseContract, parseWholeContract])
      expect(() => parse(JSON.parse('{"__proto__":{"max_depth":3}}'), camel)).toThrow(
        "options.contract.__proto__ must be absent (no such field), got an object with max_depth",
      );
  });

  test.each([undefined, null, 5, "x", [], new Date(0), () => ({})])(
    "[LM1] what is no object is no contract (case %#)",
    (value) => {
      expect(problemOf(value)).toContain("usage: contract must be an object, got ");
    },
  );
});
