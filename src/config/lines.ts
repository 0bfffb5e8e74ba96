/** Where the keys of a TOML text stand, to say so when one of them is wrong. */
export interface Lines {
  /** The line, from 1 on, of the deepest part of a dotted path that stands in the text. */
  lineOf(path: readonly string[]): number;
}

const bareOrQuoted = `(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')`;
const dotted = `${bareOrQuoted}(?:\\s*\\.\\s*${bareOrQuoted})*`;
const header = new RegExp(`^\\s*(\\[\\[?)\\s*(${dotted})\\s*\\]\\]?\\s*(?:#.*)?$`);
const assignment = new RegExp(`^\\s*(${dotted})\\s*=`);
const longQuotes = /"""|'''/g;

/**
 * Finds the lines of the keys of a TOML text that has been parsed without error. Keys within inline
 * tables are found by the line that their table begins in.
 */
export function findLines(text: string): Lines {
  const lines = new Map<string, number>();
  const counts = new Map<string, number>();
  let table: readonly string[] = [];
  let isInText = false;
  for (const [index, line] of text.split("\n").entries()) {
    const wasInText = isInText;
    if ((line.match(longQuotes)?.length ?? 0) % 2 === 1) isInText = !isInText;
    if (wasInText) continue;
    const [, bracket, name] = header.exec(line) ?? [];
    if (name !== undefined) {
      table = bracket === "[[" ? nextItem(name, counts) : splitKey(name);
      note(lines, table, index + 1);
    }
    const key = name === undefined ? assignment.exec(line)?.[1] : undefined;
    if (key !== undefined) note(lines, [...table, ...splitKey(key)], index + 1);
  }
  return { lineOf: (path) => lineOf(lines, path) };
}

/** The path of the next table of an array of tables: its name and its place in the array. */
function nextItem(name: string, counts: Map<string, number>): readonly string[] {
  const path = splitKey(name);
  const key = keyOf(path);
  const count = counts.get(key) ?? 0;
  counts.set(key, count + 1);
  return [...path, String(count)];
}

/** Notes a path and those above it that were not named themselves. */
function note(lines: Map<string, number>, path: readonly string[], line: number): void {
  for (let length = 1; length <= path.length; length += 1) {
    const key = keyOf(path.slice(0, length));
    if (!lines.has(key)) lines.set(key, line);
  }
}

function lineOf(lines: ReadonlyMap<string, number>, path: readonly string[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines.get(keyOf(path.slice(0, length)));
    if (line !== undefined) return line;
  }
  return 1;
}

function splitKey(key: string): readonly string[] {
  const parts = key.match(new RegExp(bareOrQuoted, "g")) ?? [];
  return parts.map((part) => part.replaceAll(/^["']|["']$/g, ""));
}

function keyOf(path: readonly string[]): string {
  return path.join("\0");
}
