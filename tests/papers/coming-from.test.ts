// docs/coming-from.md against the public names of the Python package `replication` 2.0.0. The names
// were listed by its users; nothing of it is needed to run this.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseBlocks } from "./block.ts";
import { NAMES } from "./replication-names.ts";
import { codesIn } from "./table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/coming-from.md"), "utf8");

/** Heads of the columns that set a name of theirs beside one of ours. */
const THEIRS = /^\| `replication/;

interface Pair {
  readonly section: string;
  /** Theirs, each with the name of its class. */
  readonly theirs: readonly string[];
  /** The cell with ours. */
  readonly ours: string;
}

/** A name that begins with a point belongs to the class of the one before it in its cell. */
function withClasses(codes: readonly string[]): readonly string[] {
  let owner = "";
  return codes.map((code) => {
    if (code.startsWith(".")) return `${owner}${code}`;
    owner = code.split(".", 1)[0] ?? "";
    return code;
  });
}

function cellsOf(row: string): readonly string[] {
  return row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The parts of the page by their headings; what is before the first one has none. */
const SECTIONS = new Map(
  PAGE.split(/^## /m).map((text, index) => {
    const [heading = ""] = text.split("\n", 1);
    return index === 0 ? ["", text] : [heading, text.slice(heading.length)];
  }),
);

function section(heading: string): string {
  const text = SECTIONS.get(heading);
  if (text === undefined) throw new Error(`the page must have the heading "${heading}"`);
  return text;
}

/** The rows of all tables of a section that set theirs beside ours. */
function pairsIn(heading: string): readonly Pair[] {
  const tables = [...section(heading).matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) => table);
  return tables
    .filter((table) => THEIRS.test(table))
    .flatMap((table) => table.trim().split("\n").slice(2))
    .map((row) => {
      const [theirs = "", ours = ""] = cellsOf(row);
      return { section: heading, theirs: withClasses(codesIn(theirs)), ours };
    });
}

const PAIRS = [...SECTIONS.keys()].flatMap(pairsIn);

const TRIED: readonly string[] = ["sh", "console", "ts", "js", "toml"];

/** Programs and commands of a section that are tried, in one line. */
function triedIn(heading: string): string {
  const blocks = parseBlocks("docs/coming-from.md", section(heading));
  const tried = blocks.filter(
    ({ language, notRun }) => TRIED.includes(language) && notRun === undefined,
  );
  return inOneLine(tried.map(({ text }) => text).join("\n"));
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

describe("[PP30] the page sets ours beside every public name of the prior system", () => {
  const named = new Set([
    ...PAIRS.flatMap(({ theirs }) => theirs),
    ...codesIn(section("What has no successor").replaceAll("\n", " ")),
    ...codesIn(section("Refusals").replaceAll(/```.*?```/gs, "")),
  ]);

  test.each(Object.entries(NAMES))("all names of %s", (_, names) => {
    expect(names.filter((name) => !named.has(name))).toEqual([]);
  });

  test("no name of theirs that is none", () => {
    const known = new Set(Object.values(NAMES).flat());
    const found = PAIRS.flatMap(({ theirs }) => theirs);
    expect(found.filter((name) => !known.has(name))).toEqual([]);
  });

  test("every row has something of ours, or says that there is nothing", () => {
    expect(PAIRS.length).toBeGreaterThan(150);
    const blank = PAIRS.filter(
      ({ ours }) => codesIn(ours).length === 0 && !/^nothing\b/.test(ours),
    );
    expect(blank).toEqual([]);
  });
});

test("[PP30] what it sets beside them stands in a program or command that is run", () => {
  const missing = PAIRS.flatMap(({ section: heading, ours }) => {
    const tried = triedIn(heading);
    return codesIn(ours).filter((code) => !tried.includes(inOneLine(code)));
  });
  expect(missing).toEqual([]);
});
