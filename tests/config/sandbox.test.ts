import { expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { diffContracts, writeContract } from "../../src/config/contract-text.ts";
import { DEFAULT_CONTRACT, type SandboxRules } from "../../src/kernel/fleet/contract.ts";
import { InputError } from "../../src/protocol/input.ts";

/** What a config proposes for sandboxes. */
function sandboxIn(text: string): SandboxRules {
  return readConfig(text, "stint.toml").contract.sandbox;
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

test("[CF2] a section of the sandbox says what differs from the defaults", () => {
  expect(sandboxIn("")).toEqual(DEFAULT_CONTRACT.sandbox);
  expect(sandboxIn("[sandbox]\nwritable = []\n")).toEqual({
    ...DEFAULT_CONTRACT.sandbox,
    writable: [],
  });
  const text =
    '[sandbox]\nwritable = ["~/.cache/x y", "/srv/cache"]\nscratch = "64MiB"\n' +
    'open_files = 256\noutput = "2MiB"\n';
  const whole = {
    ...DEFAULT_CONTRACT.sandbox,
    writable: ["~/.cache/x y", "/srv/cache"],
    scratch_bytes: 64 * 2 ** 20,
    open_files: 256,
    output_bytes: 2 * 2 ** 20,
  };
  expect(sandboxIn(text)).toEqual(whole);
  const written = writeContract({ ...DEFAULT_CONTRACT, sandbox: whole });
  expect(sandboxIn(written)).toEqual(whole);
});

test("[CF3] what is wrong in it is named by its own section, with its line", () => {
  const wrong = ['"cache"', '"~other/x"', '"/a/../b"', '"~/./x"', '""', "7"];
  for (const path of wrong) {
    const [problem = "", ...others] = problemsOf(`[sandbox]\n\nwritable = ["/a", ${path}]\n`);
    expect(others).toEqual([]);
    expect(problem).toMatch(/^stint\.toml:3: sandbox\.writable\[1\] /);
  }
  expect(problemsOf('[sandbox]\nscratch = "1KiB"\n')).toEqual([
    'stint.toml:2: sandbox.scratch a size from "1MiB" to "1TiB", "1KiB"',
  ]);
  expect(problemsOf("[sandbox]\nwriteable = []\n")).toEqual([
    "stint.toml:2: sandbox.writeable absent (no such key; did you mean writable?), []",
  ]);
});

test("[CF7] a change of the sandbox is shown as one of the contract", () => {
  const sandbox = { ...DEFAULT_CONTRACT.sandbox, scratch_bytes: 2 ** 20, writable: [] };
  const after = { ...DEFAULT_CONTRACT, sandbox };
  expect(diffContracts(DEFAULT_CONTRACT, after).map(({ field }) => field)).toEqual([
    "sandbox.writable",
    "sandbox.scratch",
  ]);
});
