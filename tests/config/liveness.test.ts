import { expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { diffContracts, writeContract } from "../../src/config/contract-text.ts";
import {
  DEFAULT_CONTRACT,
  wholeContract,
  type Contract,
  type LivenessRules,
} from "../../src/kernel/fleet/contract.ts";
import { InputError } from "../../src/protocol/input.ts";

/** What a config proposes for liveness. */
function livenessIn(text: string): LivenessRules {
  return readConfig(text, "stint.toml").contract.liveness;
}

/** The sentences that a config is refused with. */
function problemsOf(text: string): readonly string[] {
  try {
    readConfig(text, "stint.toml");
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map(({ path, expected, got }) => `${path} ${expected}, ${got}`);
  }
}

test("[PV11] `[contract.liveness]` says what differs from the defaults; it is written back", () => {
  expect(livenessIn("")).toEqual(DEFAULT_CONTRACT.liveness);
  const text = '[contract.liveness]\nprogress_within = "2m"\nhalt_spinning_after = "1h"\n';
  const whole = {
    ...DEFAULT_CONTRACT.liveness,
    progress_within_ms: 120_000,
    halt_spinning_after_ms: 3_600_000,
  };
  expect(livenessIn(text)).toEqual(whole);
  expect(livenessIn(writeContract({ ...DEFAULT_CONTRACT, liveness: whole }))).toEqual(whole);
  expect(diffContracts(DEFAULT_CONTRACT, { ...DEFAULT_CONTRACT, liveness: whole })).toEqual([
    { field: "liveness.progress_within", before: '"15m"', after: '"2m"' },
    { field: "liveness.halt_spinning_after", before: '"0s"', after: '"1h"' },
  ]);
});

test("[PV11] what is wrong in it is named with its line", () => {
  expect(problemsOf('[contract.liveness]\ngrace = "31d"\nprogress_within = "0s"\n')).toEqual([
    'stint.toml:3: contract.liveness.progress_within a duration from "1s" to "720h", "0s"',
    'stint.toml:2: contract.liveness.grace a duration from "0s" to "720h", "744h"',
  ]);
  expect(problemsOf("[contract.liveness]\ngraces = 1\n")).toEqual([
    "stint.toml:2: contract.liveness.graces absent (no such key; did you mean grace?), 1",
  ]);
});

test("[PV12] a contract from before there was liveness has its defaults", () => {
  const { liveness: _, ...older } = DEFAULT_CONTRACT;
  expect(wholeContract(older as Contract)).toEqual(DEFAULT_CONTRACT);
  const partial = { ...older, liveness: { grace_ms: 5 } } as unknown as Contract;
  expect(wholeContract(partial).liveness).toEqual({ ...DEFAULT_CONTRACT.liveness, grace_ms: 5 });
});
