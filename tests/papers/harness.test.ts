import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { environmentOf, listProcesses, type ProcessRow } from "../support/process-table.ts";
import { parseBlocks } from "./block.ts";
import { isAsExpected, promptsOf, withoutChance } from "./expected.ts";
import { installedPackage } from "./installed.ts";
import { beginStory, type Story } from "./story.ts";
import { tryBlock } from "./trial.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let story: Story | undefined;

beforeAll(async () => {
  story = await beginStory();
});
afterAll(async () => story?.end());

/** A block of a page, with its markers before it. */
function block(language: string, text: string, ...markers: readonly string[]): string {
  const before = markers.map((one) => `<!-- ${one} -->\n`).join("");
  return `${before}\`\`\`${language}\n${text}\n\`\`\`\n`;
}

/** Tries all blocks of a page in the one story; answers what the last one printed. */
async function tell(...blocks: readonly string[]): Promise<string | undefined> {
  if (story === undefined) throw new Error("a story must have begun");
  let printed: string | undefined;
  for (const one of parseBlocks("docs/made.md", blocks.join("\n")))
    printed = await tryBlock(one, { story, printed });
  return printed;
}

describe("[PP1] a page that is right passes", () => {
  test("its blocks run in one folder, one after another", async () => {
    const printed = await tell(
      block("sh", "echo one > counted\ntest -d .git && test -f src/count.js"),
      block(
        "js",
        'import { readFileSync } from "node:fs";\nconsole.log(readFileSync("counted", "utf8"));',
      ),
      block("text", "one", "output"),
      block(
        "console",
        "$ cat counted\none\n$ node src/main.js README.md src/count.js\n… README.md\n…",
      ),
      block("sh", "exit 3", "exit: 3"),
    );
    expect(printed).toBe("");
  });

  test("a console is one shell, and its last command may fail as it should", async () => {
    const printed = await tell(
      block(
        "console",
        "$ cd src\n$ word=told\n$ printf $word; ls; false\ntoldcount.js\nmain.js",
        "exit: 1",
      ),
      block("console", "$ echo one \\\n    two\none two"),
    );
    expect(printed).toBe("one two\n");
  });

  test("programs are checked against the package's types, and run with it", async () => {
    const printed = await tell(
      block("ts", "export const depth: number = 3;", "file: shared.ts, only write"),
      block(
        "ts",
        [
          'import { memory, openFleet } from "stint";',
          'import { depth } from "./shared.ts";',
          'const given = { store: memory(), secret: "x".repeat(32) };',
          "const fleet = await openFleet({ ...given, contract: { maxDepth: depth } });",
          "console.log(fleet.contract.maxDepth);",
          "await fleet.close();",
        ].join("\n"),
      ),
    );
    expect(printed).toBe("3\n");
  });

  test("a config is written, or must hold; the program called is the built one", async () => {
    const printed = await tell(
      block("toml", "[contract]\nmax_depth = 2"),
      block("toml", "[contract]\nmax_depth = 4", "file: stint.toml"),
      block("sh", "stint init\nstint contract show | grep -q 'max_depth = 4'"),
      block("json", '{ "a": [1] }'),
      block("jsonl", '{"a":1}\n{"a":2}'),
    );
    expect(printed).toBe(undefined);
  });
});

describe("[PP2] a page that is wrong fails, at its line", () => {
  const typed = 'const depth: number = "three";';
  test.each([
    ["a command that fails", block("sh", "false\necho on"), /made\.md:1: must exit with 0, got 1/],
    ["a pipe of which a part fails", block("sh", "false | cat"), /must exit with 0, got 1/],
    ["a command that should fail", block("sh", "true", "exit: 3"), /must exit with 3, got 0/],
    ["an unset variable", block("sh", 'echo "$unheard"'), /unbound variable/],
    ["what a command prints", block("console", "$ echo one\ntwo"), /must print\ntwo\n/],
    ["more than a page shows", block("console", "$ printf 'a\\nb\\n'\na"), /must print/],
    ["a prompt that fails midway", block("console", "$ false\n$ true"), /must exit with 0, got 1/],
    ["a console without a prompt", block("console", "echo one"), /must begin with `\$ `/],
    ["a wrong type", block("ts", typed), /must be accepted.*not assignable/s],
    [
      "an import that is not there",
      block("ts", 'import { open } from "stint"; open();'),
      /no exported member/,
    ],
    ["a program that throws", block("js", 'throw new Error("told");'), /told/],
    ["a syntax that nobody runs", block("js", "await (", "file: a.mjs, only write"), /SyntaxError/],
    ["a config", block("toml", "[contract]\nmax_deep = 2"), /max_deep/],
    ["a document", block("json", "{ a: 1 }"), /json must parse/],
    ["a line of a document", block("jsonl", "{}\n{,}"), /jsonl must parse/],
    ["an output", block("sh", "echo one") + block("text", "two", "output"), /must print\ntwo/],
    ["an output of nothing", block("text", "two", "output"), /after a block that ran/],
    ["a text without a marker", block("text", "one"), /must be marked/],
    ["a language", block("ruby", "puts 1"), /must be one of sh, console/],
    ["another system's program", block("py", "print(1)"), /in docs\/coming-from\.md alone/],
    ["a marker", block("sh", "true", "exits: 3"), /no marker is named "exits"/],
    ["an exit", block("sh", "true", "exit: three"), /exit must be an integer/],
    ["an exemption without a reason", block("sh", "true", "not run:"), /must give its reason/],
    ["a fence that is left open", "```sh\ntrue\n", /must be closed/],
    [
      "a need that nobody knows",
      block("sh", "true", "needs: docker"),
      /bwrap or root, got "docker"/,
    ],
    ["indented code", "As such:\n\n    stint init\n", /made\.md:3: .* got an indented line/],
    ["code after a tab", "# Head\n\tstint init\n", /got an indented line/],
    ["an element with code", "Run <pre>stint init</pre>\n", /got the element <pre>/],
    ["a block in a quotation", "> ```sh\n> true\n> ```\n", /must begin its line/],
    ["a block beside its mark of a list", "- ```sh\n  true\n  ```\n", /must begin its line/],
  ])("%s", async (_, page, expected) => {
    await expect(async () => tell(page)).rejects.toThrow(expected);
  });
});

test("[PP2] what only looks like a block is none", async () => {
  const text = "- one\n    goes on\n\nCode such as `<pre>` or `` ``` ``.\n\n| `<code>` |\n";
  expect(parseBlocks("docs/made.md", text)).toEqual([]);
});

describe("[PP1] what a page shows is compared with what is printed", () => {
  test.each([
    ["one\n", "one\n", true],
    ["one", "one  \n\n", true],
    ["o…e", "once more\n", true],
    ["o…e", "two\n", false],
    ["a.c", "abc", false],
    ["…", "", true],
    ["one\n…\nfour", "one\ntwo\nthree\nfour", true],
    ["one\n…\nfour", "one\nfour", true],
    ["one\n…\nfour", "one\ntwo", false],
    ["…\nfour", "one\nfour\nfive", false],
    ["", "one", false],
    ["one", "", false],
  ])("%j against %j", (expected, printed, outcome) => {
    expect(isAsExpected(expected, printed)).toBe(outcome);
  });

  test("a console is commands and what is below each", () => {
    expect(promptsOf("$ a\n$ b \\\n  c\nd\n")).toEqual([
      { command: "a\n", expected: "" },
      { command: "b \\\n  c\n", expected: "d\n" },
    ]);
  });

  test("a line of a demo is compared without its ids and numbers, and by nothing less", () => {
    const line = "  7  REFUSED root (w-66mkvs), waited 0 ms";
    expect(withoutChance(line)).toBe(withoutChance("12 REFUSED  root (w-aaaaaaaa), waited 31 ms"));
    expect(withoutChance("state 01dd82d44a64581c")).toBe(withoutChance("state a1b2c3d4e5f60718"));
    expect(withoutChance(line)).not.toBe(withoutChance("7 REFUSED root (w-66mkvs), waits 0 ms"));
    const proven = "39 processes before, 0 after, in 0.3 s";
    expect(withoutChance(proven)).toBe(withoutChance("7 processes before, 0 after, in 0 s"));
    expect(withoutChance(proven)).not.toBe(
      withoutChance("39 processes before, 10 after, in 0.3 s"),
    );
  });
});

test("[PP3] what a story has begun is gone with it", async () => {
  const other = await beginStory();
  const outcome = await other.run("bash", [
    "-ec",
    "stint init >&2; stint spawn --name still -- sleep 300 >&2; setsid sleep 301 & echo begun",
  ]);
  expect(outcome.output).toMatch(/begun/);
  const isOurs = (pid: number): boolean => environmentOf(pid).includes(`HOME=${other.env["HOME"]}`);
  const ours = (): readonly ProcessRow[] => listProcesses().filter(({ pid }) => isOurs(pid));
  try {
    // What is becoming its program shows no environment for a moment.
    await expect.poll(() => ours().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(3);
  } finally {
    await other.end();
  }
  expect(ours()).toEqual([]);
  expect(existsSync(other.dir)).toBe(false);
});

test("[PP3] a fleet that a story only has a link to lives on", async () => {
  const outside = await beginStory();
  try {
    const begun = await outside.run("bash", ["-ec", "stint init; stint spawn -- sleep 300"]);
    expect(begun).toMatchObject({ exit: 0 });
    const other = await beginStory();
    symlinkSync(outside.dir, join(other.dir, "linked"));
    await other.end();
    const looked = await outside.run("stint", ["workers", "--json"]);
    const { data } = JSON.parse(looked.output) as {
      readonly data: { readonly workers: unknown[] };
    };
    expect(data.workers).toHaveLength(1);
    // And it is not taken for a package to link to.
    vi.stubEnv("STINT_PAPERS_PACKAGE", outside.dir);
    await expect(installedPackage()).rejects.toThrow(/without a fleet, got one in .*\.git\/stint$/);
  } finally {
    vi.unstubAllEnvs();
    await outside.end();
  }
});
