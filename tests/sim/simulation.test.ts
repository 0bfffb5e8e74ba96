import { describe, expect, test } from "vitest";
import { DELIBERATE_FAULTS, type DeliberateFault } from "../../sim/deliberate-fault.ts";
import { simulate, type Result } from "../../sim/simulation.ts";
import { CI_STEPS } from "./ci-seeds.ts";

const SEEDS_MAX = 200;

describe("traces", () => {
  test("[SM1] the same seed gives the same trace, byte for byte (replication H5)", async () => {
    for (const seed of [1, 2, 3, 77, 4_294_967_295]) {
      const once = await simulate({ seed, stepCount: CI_STEPS });
      const again = await simulate({ seed, stepCount: CI_STEPS });
      expect(again.trace).toStrictEqual(once.trace);
      expect(again.digest).toBe(once.digest);
      expect(once.entryCount).toBeGreaterThan(1);
    }
  });

  test("[SM1] another seed gives another trace", async () => {
    const digests = new Set<string>();
    for (const seed of [1, 2, 3, 4, 5])
      digests.add((await simulate({ seed, stepCount: CI_STEPS })).digest);
    expect(digests.size).toBe(5);
  });
});

describe("deliberate faults", () => {
  test("[SM6] an admission reserving nothing is found in 200 seeds (replication H4)", async () => {
    expect(await rulesOfFault("admit-reserves-nothing", "I4")).toContain("I4");
  });

  test("[SM6] an append that ignores the head is found in 200 seeds (replication H4)", async () => {
    const { violations } = await findFault("append-ignores-head");
    expect(violations.length).toBeGreaterThan(0);
  });

  test("[SM6] a restart that forgets the kill is found in 200 seeds (replication H5)", async () => {
    expect(await rulesOfFault("restart-forgets-kill", "I3")).toContain("I3");
  });

  test.each([
    ["acquire-sees-no-leases", "I1"],
    ["acquire-miscounts-slots", "I1"],
    ["acquire-ignores-rights", "I5"],
    ["renew-comes-too-late", "I8"],
    ["lapse-comes-too-early", "I8"],
    ["claim-goes-unchecked", "SM9"],
    ["fence-goes-unchecked", "SM9"],
    ["check-ignores-fence", "SM10"],
    ["queue-is-passed", "SM11"],
    ["queue-is-passed", "I12"],
    ["slot-is-promised-twice", "SM11"],
    ["place-never-ends", "I8"],
    ["circle-goes-unseen", "SM9"],
  ] as const)(
    "[SM6] %s is found in 200 seeds, as %s",
    async (fault, rule) => {
      expect(await rulesOfFault(fault, rule)).toContain(rule);
    },
    180_000,
  );

  test("[SM6] the seed that finds a fault is clean without it (replication H4)", async () => {
    for (const fault of DELIBERATE_FAULTS) {
      const { seed } = await findFault(fault);
      expect((await simulate({ seed, stepCount: CI_STEPS })).violations).toStrictEqual([]);
    }
  }, 180_000);
});

/** What the first run finds broken that finds a fault by a rule. */
async function rulesOfFault(fault: DeliberateFault, by: string): Promise<readonly string[]> {
  const { violations } = await findFault(fault, by);
  return violations.map(({ rule }) => rule);
}

/** The first run that finds a fault by a rule; by default by any but deciding again. */
async function findFault(fault: DeliberateFault, rule?: string): Promise<Result> {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const result = await simulate({ seed, stepCount: CI_STEPS, fault });
    const broken = result.violations.map((violation) => violation.rule);
    if (broken.some((one) => (rule === undefined ? one !== "I7" : one === rule))) return result;
  }
  throw new Error(`${fault} must be found within ${SEEDS_MAX} seeds, by ${rule ?? "any rule"}`);
}
