// The tables of docs/coming-from.md that set a name of a prior system beside one of ours.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseBlocks } from "./block.ts";
import { codesIn } from "./table.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/coming-from.md"), "utf8");

/** A row of such a table. */
export interface Pair {
  /** The heading that it stands under. */
  readonly section: string;
  /** Theirs, each with the name of what it belongs to. */
  readonly theirs: readonly string[];
  /** The cell with ours. */
  readonly ours: string;
}

/** A name that begins with a point belongs to what the one before it in its cell does. */
function withOwners(codes: readonly string[]): readonly string[] {
  let owner = "";
  return codes.map((code) => {
    if (code.startsWith(".") && owner !== "") return `${owner}${code}`;
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

/** The text under a heading of the page. Throws an Error where it has none. */
export function partOf(heading: string): string {
  const text = SECTIONS.get(heading);
  if (text === undefined) throw new Error(`the page must have the heading "${heading}"`);
  return text;
}

/** The rows of all tables of the page whose first column is about a system. */
export function pairsAbout(system: string): readonly Pair[] {
  return [...SECTIONS.keys()].flatMap((heading) => pairsIn(heading, `| \`${system}`));
}

function pairsIn(heading: string, head: string): readonly Pair[] {
  const tables = [...partOf(heading).matchAll(/(?:^\|.*\|\n)+/gm)].map(([table]) => table);
  return tables
    .filter((table) => table.startsWith(head))
    .flatMap((table) => table.trim().split("\n").slice(2))
    .map((row) => {
      const [theirs = "", ours = ""] = cellsOf(row);
      return { section: heading, theirs: withOwners(codesIn(theirs)), ours };
    });
}

const TRIED: readonly string[] = ["sh", "console", "ts", "js", "toml"];

/** What is set beside theirs and stands in no program or command of its section that is tried. */
export function untriedIn(pairs: readonly Pair[]): readonly string[] {
  return pairs.flatMap(({ section, ours }) => {
    const tried = triedIn(section);
    return codesIn(ours).filter((code) => !tried.includes(inOneLine(code)));
  });
}

/** Programs and commands of a section that are tried, in one line. */
function triedIn(heading: string): string {
  const blocks = parseBlocks("docs/coming-from.md", partOf(heading));
  const tried = blocks.filter(
    ({ language, notRun }) => TRIED.includes(language) && notRun === undefined,
  );
  return inOneLine(tried.map(({ text }) => text).join("\n"));
}

function inOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

/** The rows that have nothing of ours and do not say so either. */
export function blankIn(pairs: readonly Pair[]): readonly Pair[] {
  return pairs.filter(({ ours }) => codesIn(ours).length === 0 && !/^nothing\b/.test(ours));
}
