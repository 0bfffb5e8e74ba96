// docs/cli.md is made from the verbs, and a test of theirs sees to it that it is up to date. Here
// the examples that it shows: each must be a call that its verb takes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseVerb } from "../../src/cli/parse.ts";
import { loadVerbs } from "../../src/cli/verbs.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/cli.md"), "utf8");
const VERBS = await loadVerbs();

/** The calls of `stint` in a line of shell: each with its words, as a shell would part them. */
function callsIn(line: string): readonly (readonly string[])[] {
  const words = (line.match(/(?:'[^']*'|"[^"]*"|\$\(|\)|[^\s'"()])+|[|)]/g) ?? []).map((word) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"),
  );
  const calls: string[][] = [];
  let current: string[] | undefined;
  for (const word of words) {
    if (/^(?:\w+=)?(?:\$\()?stint$/.test(word)) calls.push((current = []));
    else if (/^(\||>|\))$/.test(word)) current = undefined;
    else current?.push(word.replace(/\)?;$/, ""));
    if (word.endsWith(";")) current = undefined;
  }
  return calls;
}

const LINES = [...PAGE.matchAll(/^ {2}\$ (.*)$/gm)].map((match) => match[1] ?? "");
const SECTIONS = [...PAGE.matchAll(/^## stint (.*)$/gm)].map((match) => match[1] ?? "");

describe("[PP6] every example of the command line is a call that its verb takes", () => {
  test("the page has every verb that is shown, and examples", () => {
    const shown = VERBS.filter(({ isHidden }) => isHidden !== true).map(({ name }) => name);
    expect(SECTIONS).toEqual(shown);
    expect(LINES.length).toBeGreaterThan(shown.length);
  });

  test.each(LINES)("%s", (line) => {
    const calls = callsIn(line);
    expect(calls.length).toBeGreaterThan(0);
    for (const words of calls) {
      const [first = "", second = ""] = words;
      const verb =
        VERBS.find(({ name }) => name === `${first} ${second}`) ??
        VERBS.find(({ name }) => name === first);
      expect(verb, `"${first}" must be a verb`).toBeDefined();
      if (verb === undefined) return;
      const rest = words.slice(verb.name.split(" ").length);
      // Undefined is a call for help, which no example is.
      expect(parseVerb(verb, rest)).toBeDefined();
    }
  });

  test("a call that a verb does not take is found", () => {
    const verb = VERBS.find(({ name }) => name === "stop");
    if (verb === undefined) throw new Error("there must be a verb stop");
    expect(() => parseVerb(verb, ["--graze", "5s"])).toThrow(/--graze/);
  });
});
