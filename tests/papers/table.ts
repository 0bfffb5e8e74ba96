/** A row of a Markdown table; `first` is its first cell without the marks of code. */
export interface Row {
  readonly first: string;
  readonly cells: readonly string[];
}

/** The part of a page under a heading, up to the next heading of its level or above. */
export function section(page: string, heading: string): string {
  const lines = page.split("\n");
  const from = lines.findIndex((line) => line.replace(/^#+ /, "# ") === `# ${heading}`);
  const level = lines[from]?.indexOf(" ") ?? 0;
  if (from < 0) throw new Error(`the page must have the heading "${heading}", it has none`);
  const isOver = (line: string): boolean => {
    const [marks] = /^#+(?= )/.exec(line) ?? [];
    return marks !== undefined && marks.length <= level;
  };
  const length = lines.slice(from + 1).findIndex(isOver);
  return lines.slice(from, length < 0 ? undefined : from + 1 + length).join("\n");
}

/** The rows of the first table of a text, or of the one at `index`, without its head. */
export function tableIn(text: string, index = 0): readonly Row[] {
  const table = [...text.matchAll(/(?:^\|.*\|\n?)+/gm)][index]?.[0];
  if (table === undefined) throw new Error(`a table ${index + 1} must be there, there is none`);
  const [, , ...rows] = table.trim().split("\n");
  return rows.map((row) => {
    const cells = row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { first: (cells[0] ?? "").replaceAll("`", ""), cells };
  });
}

/** The items of the first list of a text, or of the one at `index`, each on one line. */
export function listIn(text: string, index = 0): readonly Row[] {
  const prose = text.replaceAll(/^```[^]*?^```$/gm, "");
  const list = [...prose.matchAll(/(?:^- .*\n?(?:^ {2}.*\n?)*)+/gm)][index]?.[0];
  if (list === undefined) throw new Error(`a list ${index + 1} must be there, there is none`);
  return list.split(/^- /m).flatMap((item) => {
    const text = item.trim().replaceAll(/\s+/g, " ");
    if (text === "") return [];
    const [first = "", ...rest] = text.split(": ");
    return [{ first: first.replaceAll(/[`*]/g, ""), cells: [first, rest.join(": ")] }];
  });
}

/** What is marked as code in a text, each by itself. */
export function codesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}
