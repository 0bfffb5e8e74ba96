import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { diffRoster, writeRoster } from "../../src/config/roster-text.ts";
import { EMPTY_ROSTER, type Roster } from "../../src/kernel/roster/roster.ts";
import { parseCommandData } from "../../src/protocol/command.ts";
import { InputError } from "../../src/protocol/input.ts";

const ROSTER = `
[roster]
expected = ["api", "collector", "web"]
every = "20s"

[roster.services.api]
every = "5s"
instances = 2
start = ["./bin/api", "--daemon"]
stop = ["./bin/api", "--stop"]

[roster.services.web]
unit = "web@1.service"
`;

function rosterOf(text: string): Roster {
  return readConfig(text, "stint.toml").roster;
}

function problemOf(text: string): string {
  try {
    readConfig(text, "stint.toml");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "";
}

describe("[RO6] the roster of a config", () => {
  test("becomes what is enacted, each name with its interval and how it is started", () => {
    const roster = rosterOf(ROSTER);
    expect(roster).toEqual({
      expected: [
        {
          name: "api",
          every_ms: 5_000,
          instances: 2,
          start: ["./bin/api", "--daemon"],
          stop: ["./bin/api", "--stop"],
        },
        { name: "collector", every_ms: 20_000, instances: 1 },
        { name: "web", every_ms: 20_000, instances: 1, unit: "web@1.service" },
      ],
    });
    expect(parseCommandData("roster.enact", roster)).toStrictEqual(roster);
    expect(readConfig(ROSTER, "x").notes).toEqual([]);
  });

  test("expects nobody where nothing is said, and every 10 s where no interval is", () => {
    expect(rosterOf("")).toEqual(EMPTY_ROSTER);
    expect(rosterOf("[roster]\n")).toEqual(EMPTY_ROSTER);
    const [api] = rosterOf('[roster]\nexpected = ["api"]\n').expected;
    expect(api).toEqual({ name: "api", every_ms: 10_000, instances: 1 });
  });

  test("that is written is read as the same", () => {
    const roster = rosterOf(ROSTER);
    expect(rosterOf(writeRoster(roster))).toEqual(roster);
    expect(writeRoster(EMPTY_ROSTER)).toBe("");
  });
});

describe("[RO7] what is wrong with a roster is named with its line", () => {
  const one = '[roster]\nexpected = ["api"]\n';
  test.each([
    ['[roster]\nexpected = ["a b"]\n', "stint.toml:2: roster.expected[0] must be 1 to 64 letters"],
    ['[roster]\nexpected = ["v1.2"]\n', "stint.toml:2: roster.expected[0] must be 1 to 64 letters"],
    ['[roster]\nexpected = ["stint"]\n', "not the supervisor's own"],
    ['[roster]\nexpected = ["a", "a"]\n', "roster.expected[1] must be a name that stands once"],
    ['[roster]\nevery = "999ms"\n', 'stint.toml:2: roster.every must be a duration from "1s"'],
    ['[roster]\nevery = "61m"\n', 'stint.toml:2: roster.every must be a duration from "1s"'],
    ["[roster]\nevery = 10\n", 'roster.every must be a duration from "1s" to "1h", got '],
    ["[roster]\nexpect = []\n", "did you mean expected?"],
    [`${one}[roster.services.app]\n`, "must be a name of roster.expected; did you mean api?"],
    [`${one}services = 5\n`, "stint.toml:3: roster.services must be a table, got 5"],
    [`${one}[roster.services.api]\nunits = "a"\n`, "did you mean unit?"],
    [
      `${one}[roster.services.api]\n\ninstances = 0\n`,
      "stint.toml:5: roster.services.api.instances must be an integer from 1 to 1000, got 0",
    ],
    [
      `${one}[roster.services.api]\nstart = []\n`,
      "stint.toml:4: roster.services.api.start must be a program at least",
    ],
    [`${one}[roster.services.api]\nstart = [""]\n`, "must be a program that is not empty"],
    [`${one}[roster.services.api]\nunit = "--now"\n`, "must be the name of a systemd unit"],
    [`${one}[roster.services.api]\nevery = "0s"\n`, "stint.toml:4: roster.services.api.every must"],
    [
      `${one}[roster.services.api]\nunit = "a.service"\nstart = ["x"]\n`,
      "stint.toml:4: roster.services.api.unit must be absent beside start and stop",
    ],
  ])("%j", (text, found) => {
    expect(problemOf(text)).toContain(found);
  });
});

test("[RO8] what enacting would change is named by service and field", () => {
  const before = rosterOf(ROSTER);
  const after = rosterOf(ROSTER.replace('"5s"', '"6s"').replace(', "collector"', ', "new"'));
  expect(diffRoster(before, after)).toEqual([
    { field: "roster.services.api.every", before: '"5s"', after: '"6s"' },
    { field: "roster.services.collector", before: '{ every = "20s", instances = 1 }' },
    { field: "roster.services.new", after: '{ every = "20s", instances = 1 }' },
  ]);
  expect(diffRoster(before, before)).toEqual([]);
  const turned = { expected: before.expected.toReversed() };
  expect(diffRoster(before, turned)).toEqual([
    {
      field: "roster.expected",
      before: '["api", "collector", "web"]',
      after: '["web", "collector", "api"]',
    },
  ]);
});
