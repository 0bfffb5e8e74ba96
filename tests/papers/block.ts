// The code blocks of a page, with the markers that say how each is to be tried.
//
// A marker is an HTML comment before a block; blank lines and other markers may stand between.

const LANGUAGES = ["sh", "console", "ts", "js", "toml", "json", "jsonl", "text", "py"] as const;

/** How a block is tried; what a language may carry is in {@link demandFitting}. */
export type Language = (typeof LANGUAGES)[number];

const NEEDS = ["bwrap", "root"] as const;

/** What a host may lack: bubblewrap, or the rights of root. The list is closed. */
export type Need = (typeof NEEDS)[number];

/** A code block of a page. */
export interface Block {
  /** The page, from the root of the repository. */
  readonly page: string;
  /** The line of the page that opens the block, from 1. */
  readonly line: number;
  readonly language: Language;
  /** What stands in it, with its last newline; indentation of the fence is taken off. */
  readonly text: string;
  /** `file: NAME`: where a program or a config is written, in the story's folder. */
  readonly file?: string;
  /** `file: NAME, only write`: a later block runs it. */
  readonly isOnlyWritten: boolean;
  /** `exit: N`: how it is to end; default 0. */
  readonly exit: number;
  /** `needs: bwrap, root`: what must be there, or it is skipped loudly. */
  readonly needs: readonly Need[];
  /** `fresh`: begins another story. */
  readonly isFresh: boolean;
  /** `picture`: nothing to be tried. */
  readonly isPicture: boolean;
  /** `output`: what the block before it has printed; `output of: demo`: lines of a real demo. */
  readonly output?: "before" | "demo";
  /** `not run: REASON`. */
  readonly notRun?: string;
}

type Marks = Map<string, string>;

/** Where a paper is wrong about itself; the message begins with page and line. */
export class PageError extends Error {
  constructor(block: Pick<Block, "page" | "line">, message: string) {
    super(`${block.page}:${block.line}: ${message}`);
    this.name = "PageError";
  }
}

/** Reads the blocks of a page. Throws a PageError on a marker or language that is not known. */
export function parseBlocks(page: string, text: string): readonly Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let marks: Marks = new Map();
  // An indented line is code unless it goes on with what the line before it says.
  let mayBeCode = true;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const at = { page, line: index + 1 };
    const fence = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence !== null) {
      const [, indent = "", marker = "", info = ""] = fence;
      const end = lines.findIndex((one, i) => i > index && one.trim() === marker);
      if (end < 0) throw new PageError(at, "a block must be closed, got none of its fence");
      const body = lines.slice(index + 1, end).map((one) => unindent(one, indent));
      blocks.push(blockOf(at, { info, marks, text: body.map((one) => `${one}\n`).join("") }));
      marks = new Map();
      index = end;
      mayBeCode = true;
    } else if (line.trim().startsWith("<!--")) {
      const end = lines.findIndex((one, i) => i >= index && one.includes("-->"));
      if (end < 0) throw new PageError(at, "a comment must be closed, got none of `-->`");
      const comment = lines.slice(index, end + 1).join(" ");
      const [, name = "", value = ""] = /<!--\s*([^:]*?)(?::\s*(.*?))?\s*-->/s.exec(comment) ?? [];
      marks.set(name, value.replaceAll(/\s+/g, " "));
      index = end;
      mayBeCode = true;
    } else {
      demandFenced(at, { line, mayBeCode });
      if (line.trim() !== "") marks = new Map();
      mayBeCode = line.trim() === "" || line.startsWith("#");
    }
  }
  return blocks;
}

/** What a reader sees as code, and this would not: every block of a page has fences of its own. */
function demandFenced(
  at: Pick<Block, "page" | "line">,
  { line, mayBeCode }: { readonly line: string; readonly mayBeCode: boolean },
): void {
  if (mayBeCode && /^(?: {4}| {0,3}\t)\s*\S/.test(line))
    throw new PageError(at, "a block must have fences, got an indented line");
  const outsideOfCode = line.replaceAll(/(`+)[^`]+?\1(?!`)/g, "");
  if (/`{3}|~{3}/.test(outsideOfCode))
    throw new PageError(at, "a fence must begin its line, got text before it");
  const [element] = /<(?:pre|code)\b/i.exec(outsideOfCode) ?? [];
  if (element !== undefined)
    throw new PageError(at, `a block must have fences, got the element ${element}>`);
}

function unindent(line: string, indent: string): string {
  return line.startsWith(indent) ? line.slice(indent.length) : line.trimStart();
}

function blockOf(
  at: Pick<Block, "page" | "line">,
  { info, marks, text }: { readonly info: string; readonly marks: Marks; readonly text: string },
): Block {
  const language = LANGUAGES.find((one) => one === info.trim());
  if (language === undefined)
    throw new PageError(at, `a block must be one of ${LANGUAGES.join(", ")}, got "${info.trim()}"`);
  for (const name of marks.keys())
    if (!MARKERS.includes(name)) throw new PageError(at, `no marker is named "${name}"`);
  const exit = Number(marks.get("exit") ?? 0);
  if (!Number.isInteger(exit) || exit < 0 || exit > 255)
    throw new PageError(at, `exit must be an integer from 0 to 255, got ${marks.get("exit")}`);
  const [file, onlyWrite] = marks.get("file")?.split(/,\s*/) ?? [];
  if (onlyWrite !== undefined && onlyWrite !== "only write")
    throw new PageError(at, `after a file may stand "only write", got "${onlyWrite}"`);
  const notRun = marks.get("not run");
  if (notRun === "") throw new PageError(at, "`not run` must give its reason, got none");
  const outputOf = marks.get("output of");
  if (outputOf !== undefined && outputOf !== "demo")
    throw new PageError(at, `output must be of "demo", got "${outputOf}"`);
  const output = outputOf ?? (marks.has("output") ? "before" : undefined);
  const block: Block = {
    ...at,
    language,
    text,
    ...(file === undefined ? {} : { file }),
    isOnlyWritten: onlyWrite !== undefined,
    exit,
    needs: needsIn(at, marks.get("needs")),
    isFresh: marks.has("fresh"),
    isPicture: marks.has("picture"),
    ...(output === undefined ? {} : { output }),
    ...(notRun === undefined ? {} : { notRun }),
  };
  demandFitting(block);
  return block;
}

function needsIn(at: Pick<Block, "page" | "line">, words: string | undefined): readonly Need[] {
  return (words?.split(/,\s*/) ?? []).map((word) => {
    const need = NEEDS.find((one) => one === word);
    if (need !== undefined) return need;
    throw new PageError(at, `what a block needs must be ${NEEDS.join(" or ")}, got "${word}"`);
  });
}

const MARKERS: readonly string[] = [
  "file",
  "exit",
  "needs",
  "fresh",
  "picture",
  "output",
  "output of",
  "not run",
  "prettier-ignore",
];

/** The only page that shows programs of other systems. */
const OTHER_SYSTEMS = "docs/coming-from.md";

function demandFitting(block: Block): void {
  const { language, page } = block;
  if (language === "py" && page !== OTHER_SYSTEMS)
    throw new PageError(block, `py is what other systems look like, in ${OTHER_SYSTEMS} alone`);
  const isTried = block.isPicture || block.output !== undefined || block.notRun !== undefined;
  if (language === "text" && !isTried)
    throw new PageError(block, "text must be marked as `picture`, `output` or `output of: demo`");
  if (language !== "text" && (block.isPicture || block.output !== undefined))
    throw new PageError(block, `only text is a picture or an output, got ${language}`);
  if (block.file !== undefined && !["ts", "js", "toml", "json"].includes(language))
    throw new PageError(block, `only programs and configs are files, got ${language}`);
}
