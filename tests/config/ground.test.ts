import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/config.ts";
import { diffGround, writeGround } from "../../src/config/ground-text.ts";
import { DEFAULT_GROUND_RULES, type GroundRules } from "../../src/kernel/lane/lane.ts";
import { parseCommandData } from "../../src/protocol/command.ts";
import { InputError } from "../../src/protocol/input.ts";

const LANES = `
[fleet]
fold_case = true

[lanes.api]
description = "The interface"
paths = ["src/api/**", "docs/api.md"]
exclude = ["src/api/gen/**"]
slots = 2
aliases = ["http", "rest"]

[lanes."v1.2"]
paths = ["port:8080"]
alone = true

[leases]
require = true

[repository]
worktrees = "own_ground"
`;

function groundOf(text: string): GroundRules {
  return readConfig(text, "stint.toml").ground;
}

/** What is wrong with a text, in one line; empty where nothing is. */
function problemsOf(text: string): string {
  try {
    readConfig(text, "stint.toml");
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "";
}

describe("[LN1] the lanes of a config", () => {
  test("become the rules that are enacted", () => {
    const ground = groundOf(LANES);
    expect(ground).toEqual({
      lanes: [
        {
          name: "api",
          region: ["src/api/**", "docs/api.md", "!src/api/gen/**"],
          slots: 2,
          aliases: ["http", "rest"],
          description: "The interface",
        },
        { name: "v1.2", region: ["port:8080"], alone: true },
      ],
      worktrees: "own_ground",
      require: true,
    });
    expect(parseCommandData("lanes.enact", ground)).toStrictEqual(ground);
    expect(readConfig(LANES, "x").fleet.fold_case).toBe(true);
    expect(readConfig(LANES, "x").notes).toEqual([]);
  });

  test("are none where nothing is said, and what is said by default is no more than that", () => {
    expect(groundOf("")).toEqual(DEFAULT_GROUND_RULES);
    const said = '[repository]\nworktrees = "one_ground"\n[leases]\nrequire = false\n';
    expect(groundOf(said)).toEqual(DEFAULT_GROUND_RULES);
    expect(groundOf('[lanes.a]\npaths = ["a"]\nalone = false\naliases = []\n').lanes).toEqual([
      { name: "a", region: ["a"] },
    ]);
  });
});

describe("[LN2] what is wrong with a lane is named with its line", () => {
  test.each([
    [
      '[lanes.api]\n\npaths = ["a", "src/["]\n',
      /^stint\.toml:3: lanes\.api\.paths\[1\] must be a pattern with .*, got .* in "src\/\["$/,
    ],
    [
      '[lanes.a]\npaths = ["../x"]\n',
      /^stint\.toml:2: lanes\.a\.paths\[0\] must be .*no segment \.\./,
    ],
    ['[lanes.a]\npaths = ["/x"]\n', /paths\[0\] must be a pattern with a path below the root/],
    [
      '[lanes.a]\npaths = ["x"]\nexclude = ["!y"]\n',
      'stint.toml:3: lanes.a.exclude[0] must be a pattern without a leading "!", got "!y"',
    ],
    ['[lanes.a]\npaths = ["!x"]\n', 'lanes.a.paths[0] must be a pattern without a leading "!"'],
    [
      '[lanes.a]\npaths = ["x"]\nexclude = ["**"]\n',
      /^stint\.toml:2: lanes\.a\.paths must be such that there is a region that has something/,
    ],
    ["[lanes.a]\npaths = []\n", "stint.toml:2: lanes.a.paths must be at least one pattern, got []"],
    [
      "[lanes.a]\nslots = 2\n",
      "stint.toml:1: lanes.a.paths must be an array of patterns, got nothing",
    ],
    [
      '[lanes.a]\npath = ["x"]\n',
      "lanes.a.path must be absent (no such field; did you mean paths?)",
    ],
    [
      '[lanes.a]\npaths = ["x"]\nslots = 0\n',
      "stint.toml:3: lanes.a.slots must be an integer from 1",
    ],
    [
      '[lanes."two words"]\npaths = ["x"]\n',
      'stint.toml:1: lanes."two words" must be 1 to 64 letters',
    ],
    ['[lanes."v1.2"]\npaths = ["["]\n', 'stint.toml:2: lanes."v1.2".paths[0] must be'],
    ["[lanes]\na = 5\n", "stint.toml:2: lanes.a must be an object, got 5"],
    ["lanes = 5\n", "stint.toml:1: lanes must be a table, got 5"],
    [
      '[lanes.a]\npaths = ["x"]\n[lanes.b]\npaths = ["y"]\naliases = ["z", "a"]\n',
      'stint.toml:5: lanes.b.aliases[1] must be a name of its own (lane a has it), got "a"',
    ],
    [
      '[lanes.a]\npaths = ["x"]\naliases = ["z", "z"]\n',
      "lanes.a.aliases[1] must be a name of its own",
    ],
    ["[leases]\nrequire = 1\n", "stint.toml:2: leases.require must be true or false, got 1"],
    ["[leases]\nrequired = true\n", "did you mean require?"],
    [
      '[repository]\nworktrees = "own"\n',
      'stint.toml:2: repository.worktrees must be one of "one_ground", "own_ground", got "own"',
    ],
    ["[lane.api]\n", "stint.toml:1: lane must be absent (no such key; did you mean lanes?)"],
  ])("%j", (text, problem) => {
    const said = problemsOf(text);
    const isSaid = typeof problem === "string" ? said.includes(problem) : problem.test(said);
    expect({ said, isSaid }).toEqual({ said, isSaid: true });
  });

  test("everything that is wrong is named at once", () => {
    const text = '[lanes.a]\npaths = ["["]\nslots = 1\n[lanes.b]\npaths = ["y", "//"]\n';
    expect(problemsOf(text)).toMatch(/toml:2: lanes\.a\.paths\[0\].*toml:5: lanes\.b\.paths\[1\]/);
  });

  test("whether a region has something is looked at as the fleet would fold it", () => {
    const text = '[lanes.a]\npaths = ["readme"]\nexclude = ["README"]\n';
    expect(problemsOf(text)).toBe("");
    expect(problemsOf(`[fleet]\nfold_case = true\n${text}`)).toContain("lanes.a.paths must be");
  });

  test("what is too many is told of the lane, and of all", () => {
    const paths = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, index) => `f${index}`));
    const both = `[lanes.a]\npaths = ${paths(200)}\nexclude = ["x/${"?".repeat(5)}"]\n`;
    expect(problemsOf(both)).toBe("");
    const excludes = JSON.stringify(Array.from({ length: 100 }, (_, index) => `g${index}`));
    expect(problemsOf(`[lanes.a]\npaths = ${paths(200)}\nexclude = ${excludes}\n`)).toMatch(
      /^stint\.toml:\d: lanes\.a.* must be .*at most 256/,
    );
    const many = Array.from({ length: 257 }, (_, index) => `[lanes.l${index}]\npaths = ["a"]\n`);
    expect(problemsOf(many.join(""))).toContain("lanes must be an array of at most 256 lanes");
  });
});

describe("[LN3] lanes and rules that are written as a config", () => {
  test("are read as the same", () => {
    const ground = groundOf(LANES);
    expect(groundOf(writeGround(ground))).toEqual(ground);
    expect(writeGround(ground)).toContain('[lanes."v1.2"]\npaths = ["port:8080"]\nalone = true\n');
    expect(writeGround(DEFAULT_GROUND_RULES).trim()).toBe("");
  });
});

describe("[LN4] what enacting would change is told by lane", () => {
  const before = groundOf(LANES);
  const diff = (after: GroundRules, foldsCase = false) => diffGround(before, after, foldsCase);

  test("nothing, where two texts mean the same ground, in whichever order", () => {
    expect(diff(before)).toEqual([]);
    const lanes = before.lanes.toReversed().map((lane) => ({
      ...lane,
      region: lane.region.toReversed().map((one) => one.replace("src/api/**", "src/./api/")),
    }));
    expect(diff({ ...before, lanes })).toEqual([]);
  });

  test("a lane that is new or gone as a whole, one that stays by its fields", () => {
    const [api, old] = before.lanes;
    const web = { name: "web", region: ["web/**", "!web/x"], slots: 3 };
    const { slots: _, ...bare } = { ...api, name: "api", region: ["src/api/**"] };
    expect(diff({ ...before, lanes: [bare, web] })).toEqual([
      {
        field: "lanes.api.paths",
        before: '["docs/api.md", "src/api/**"]',
        after: '["src/api/**"]',
      },
      { field: "lanes.api.exclude", before: '["src/api/gen/**"]' },
      { field: "lanes.api.slots", before: "2" },
      {
        field: `lanes."${old?.name}"`,
        before: '{ paths = ["port:8080"], alone = true }',
      },
      {
        field: "lanes.web",
        after: '{ paths = ["web/**"], exclude = ["web/x"], slots = 3 }',
      },
    ]);
  });

  test("the other rules about ground", () => {
    expect(diff({ ...before, worktrees: "one_ground", require: false })).toEqual([
      { field: "leases.require", before: "true", after: "false" },
      { field: "repository.worktrees", before: '"own_ground"', after: '"one_ground"' },
    ]);
  });
});
