import { array, assert, constant, constantFrom, property, tuple } from "fast-check";
import { expect, test } from "vitest";
import { splitArgv } from "../../src/cli/argv.ts";
import { parseFlags } from "../../src/cli/flags.ts";
import { parseVerb, type Parsed } from "../../src/cli/parse.ts";
import type { Verb } from "../../src/cli/verb.ts";
import { loadVerbs } from "../../src/cli/verbs.ts";

/** What is typed beside the flags of a verb: values that are good, bad, and look like flags. */
const WORDS = ["a", "api,web", "5m", "0s", "17", "l-3", "", "-", "--", "-5", "--json", "--fleet"];

/** What a reading came to, or the message that it failed with. */
function outcomeOf(read: () => Parsed | undefined): unknown {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

test("[CL1] a line that is read fast is read as by the parser of everything", async () => {
  const verbs = await loadVerbs();
  let fastCount = 0;
  const lines = constantFrom(...verbs).chain((verb: Verb) => {
    const flags = (verb.options ?? []).map(({ flags: typed }) => typed.split(/[ ,]/)[0] ?? "");
    const word = constantFrom(...WORDS, ...flags, ...flags);
    return tuple(constant(verb), array(word, { maxLength: 8 }));
  });
  assert(
    property(lines, ([verb, words]) => {
      const fast = outcomeOf(() => parseFlags(verb, words));
      if (fast === undefined) return;
      fastCount += 1;
      expect({ verb: verb.name, words, read: fast }).toEqual({
        verb: verb.name,
        words,
        read: outcomeOf(() => parseVerb(verb, words)),
      });
    }),
    { numRuns: 3_000 },
  );
  expect(fastCount).toBeGreaterThan(100);
});

test("[CL1] what programs type of leases is read fast", async () => {
  const verbs = await loadVerbs();
  const lines = [
    "lease acquire --lane api --holder w-abcd --ttl 5m --json",
    "lease acquire --region a b --exclude c --holder x --key k --json --fleet /tmp",
    "lease renew l-3 --token-file f --json",
    "lease release --lane api --holder x --json",
    "lease check a b c --holder x --fence 3 --strict --json",
  ];
  for (const line of lines) {
    const [group, name, ...words] = line.split(" ");
    const verb = verbs.find((one) => one.name === `${group} ${name}`);
    expect(verb && parseFlags(verb, words)).toEqual(verb && parseVerb(verb, words));
  }
});

test("[CL35] an option that means one thing is taken once, and says no secret", async () => {
  const verbs = await loadVerbs();
  const verb = verbs.find(({ name }) => name === "lease acquire");
  const words = "--lane api --lane web --holder x".split(" ");
  const readTwice = (): unknown => verb && (parseFlags(verb, words) ?? parseVerb(verb, words));
  expect(readTwice).toThrow("--lane must be given once, got it again");
  const fleets = "--lane api --holder x --fleet a --fleet b".split(" ");
  expect(() => verb && (parseFlags(verb, fleets) ?? parseVerb(verb, fleets))).toThrow(
    "--fleet must be given once, got it again",
  );
  expect(() => splitArgv("--fleet a --fleet=b lease ls".split(" "))).toThrow("once, got it again");
  expect(verb && parseVerb(verb, "--region a --region b --holder x".split(" "))).toMatchObject({
    given: { options: { region: ["a", "b"] } },
  });
});
