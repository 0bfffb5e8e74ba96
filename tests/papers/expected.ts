// What a page says that is printed, against what was printed. `…` in a line stands for any text,
// alone on a line for any lines or none.

const ANY = "…";

/** Whether what was printed is what was expected; blanks at line ends do not count. */
export function isAsExpected(expected: string, printed: string): boolean {
  return matches(linesOf(expected), linesOf(printed));
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function matches(expected: readonly string[], printed: readonly string[]): boolean {
  const [first, ...others] = expected;
  if (first === undefined) return printed.length === 0;
  if (first.trim() !== ANY) {
    const line = printed[0];
    return line !== undefined && isLine(first, line) && matches(others, printed.slice(1));
  }
  // The fewest lines for which the rest fits.
  return printed.some((_, index) => matches(others, printed.slice(index))) || others.length === 0;
}

function isLine(expected: string, line: string): boolean {
  const parts = expected.split(ANY).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "u").test(line);
}

/** A command of a `console` block and what the page says that it prints. */
export interface Prompted {
  readonly command: string;
  readonly expected: string;
}

/** Takes a `console` block apart; undefined when it does not begin with a prompt. */
export function promptsOf(text: string): readonly Prompted[] | undefined {
  const parts = text.split(/^\$ /m);
  if (parts[0] !== "") return undefined;
  return parts.slice(1).map((part) => {
    // A command goes on after a line that ends in a backslash.
    const [, command = "", expected = ""] = /^((?:[^\n]*\\\n)*[^\n]*\n)(.*)$/s.exec(part) ?? [];
    return { command, expected };
  });
}

/**
 * A line of a demo with what differs from run to run replaced: ids, hashes, numbers, blanks. A
 * plain 0 stays: that nothing is left is no chance. One with a unit of time may be another number.
 */
export function withoutChance(line: string): string {
  return line
    .trim()
    .replaceAll(/\bw-[a-z2-7]{4,16}\b/g, "w-ID")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "HASH")
    .replaceAll(/\d+(?:[.,]\d+)*(?= ?(?:ms|s|ticks)\b)/g, "N")
    .replaceAll(/\d+(?:[.,]\d+)*/g, (number) => (number === "0" ? number : "N"))
    .replaceAll(/\s+/g, " ");
}
