// That all goes on once the faults stop: what is seen where it does not.
import { expect, test } from "vitest";
import type { DeliberateFault } from "../../sim/deliberate-fault.ts";
import { simulate } from "../../sim/simulation.ts";
import { CI_STEPS } from "./ci-seeds.ts";

const SEEDS_MAX = 200;

/** What is said of the first seed in which a fault breaks a rule. */
async function saidOf(fault: DeliberateFault, rule: string): Promise<string> {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const { violations } = await simulate({ seed, stepCount: CI_STEPS, fault });
    const found = violations.find((violation) => violation.rule === rule);
    if (found !== undefined) return found.message;
  }
  throw new Error(`${fault} must break ${rule} within ${SEEDS_MAX} seeds`);
}

test("[SM12] whoever waits for what he could have, because nobody tells him, is seen", async () => {
  expect(await saidOf("turn-goes-untold", "SM12")).toMatch(/waits for \d+ ms for what he could/);
}, 180_000);

test("[SM13] the dead whom a watcher never sees silent for long are seen", async () => {
  expect(await saidOf("silence-begins-anew", "SM13")).toMatch(/is dead, and not reaped \d+ ms/);
}, 180_000);

test("[SM14] a worker that is reaped before it was silent for its time is seen", async () => {
  expect(await saidOf("reap-comes-too-early", "SM14")).toMatch(/had been silent for \d+ ms/);
}, 180_000);

test("[SM15] an archive that does not give back what went into it is seen", async () => {
  expect(await saidOf("archive-forgets-entries", "SM3")).toMatch(/not what was appended/);
}, 180_000);
