import { expect, test } from "vitest";
import { wrapLine } from "../../src/cli/demonstration/narrator.ts";
import { Board, type Screen } from "../../src/demo/telling/board.ts";
import type { Progress } from "../../src/demo/telling/narrator.ts";

/** A terminal that does what the board asks of one: it wraps, moves up, and erases below. */
class Terminal implements Screen {
  readonly wrap = wrapLine;
  readonly rows: string[] = [""];
  width: number;
  #resized: () => void = () => undefined;
  #row = 0;
  #column = 0;

  constructor(width: number) {
    this.width = width;
  }

  columns(): number {
    return this.width;
  }

  onResize(listener: () => void): () => void {
    this.#resized = listener;
    return () => (this.#resized = () => undefined);
  }

  paint(text: string): string {
    return text;
  }

  /** Makes it wider; what stands on it stays as it is. */
  widen(width: number): void {
    this.width = width;
    this.#resized();
  }

  write(text: string): void {
    // oxlint-disable-next-line eslint/no-control-regex -- what steers a terminal
    for (const piece of text.match(/\u001b\[(\d*)([A-Z])|[^\u001b]/gu) ?? []) this.#take(piece);
  }

  #take(piece: string): void {
    if (piece.endsWith("A") && piece.length > 1) this.#row -= Number(piece.slice(2, -1));
    else if (piece.endsWith("J") && piece.length > 1) {
      this.rows.splice(this.#row + 1);
      this.rows[this.#row] = (this.rows[this.#row] ?? "").slice(0, this.#column);
    } else if (piece === "\r") this.#column = 0;
    else if (piece === "\n") this.#next();
    else {
      if (this.#column === this.width) this.#next();
      const row = this.rows[this.#row] ?? "";
      this.rows[this.#row] = row.slice(0, this.#column) + piece + row.slice(this.#column + 1);
      this.#column += 1;
    }
  }

  #next(): void {
    this.#row += 1;
    this.#column = 0;
    if (this.rows.length === this.#row) this.rows.push("");
  }
}

const progress: Progress = {
  done: 5,
  total: 20,
  failed: 0,
  awaited: ["the dozer is stale", "a replication is refused by max_replicas, which takes a while"],
  workerCount: 7,
};

test("[DM13] the story scrolls above a board that is cut to the terminal's width", () => {
  const terminal = new Terminal(40);
  const board = new Board(terminal);
  try {
    board.tell("first");
    board.follow(() => progress);
    board.tell(`second, ${"which is longer than the terminal is wide ".repeat(2)}`);
    board.tell("third");
    expect(terminal.rows.slice(0, 4)).toEqual([
      "first",
      "second, which is longer than the",
      "terminal is wide which is longer than",
      "the terminal is wide ",
    ]);
    expect(terminal.rows.slice(-4)).toEqual([
      "third",
      "[######..................] 5 of 20 chec",
      "  … the dozer is stale",
      "  … a replication is refused by max_rep",
    ]);
    terminal.widen(60);
    expect(terminal.rows.slice(-3)[0]).toBe(
      "[######..................] 5 of 20 checks, 7 workers, 0 s",
    );
  } finally {
    board.close();
  }
});

test("[DM13] a board that is closed is gone from the terminal, and stays away", () => {
  const terminal = new Terminal(60);
  const board = new Board(terminal);
  board.follow(() => ({ ...progress, failed: 1 }));
  expect(terminal.rows[0]).toContain("5 of 20 checks, 1 not seen");
  board.tell("first");
  board.close();
  board.close();
  board.tell("last");
  expect(terminal.rows).toEqual(["first", "last", ""]);
});

test("[DM13] a line of the story is broken between words, and goes on below its own text", () => {
  const entry = "   8  REFUSED    root (w-jrthgq), cooldown: a parent must wait, it waited 63 ms";
  expect(wrapLine(entry, 60)).toBe(
    "   8  REFUSED    root (w-jrthgq), cooldown: a parent must\n" +
      "                 wait, it waited 63 ms",
  );
  expect(wrapLine("✓ the kill left no process: none", 20)).toBe(
    "✓ the kill left no\nprocess: none",
  );
  const unbroken = `▸ ${"x".repeat(50)} y`;
  expect(wrapLine(unbroken, 40)).toBe(`▸ ${"x".repeat(50)}\n  y`);
  expect(wrapLine("", 80)).toBe("");
});
