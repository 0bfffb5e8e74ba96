import { counted } from "./counted.ts";
import type { Narrator, Progress, Tone } from "./narrator.ts";

/** A terminal as the board needs it. */
export interface Screen {
  write(text: string): void;
  /** Its present width, characters; 0 where it does not say. */
  columns(): number;
  /** Calls back when the width has changed; answers how to stop that. */
  onResize(listener: () => void): () => void;
  /** Breaks a line of the story at blanks into lines of at most so many characters. */
  wrap(text: string, columns: number): string;
  /** Paints a text in a tone; the text itself without colour. */
  paint(text: string, tone: Tone): string;
}

const COLUMNS_DEFAULT = 80;

/** How often the board is drawn anew, ms. */
const DRAW_EVERY_MS = 200;

const BAR_CELLS = 24;

/** How many of the awaited things are named. */
const AWAITED_MAX = 3;

/** Erases from the start of the present line to the end of the screen. */
const ERASE_BELOW = "\r\u001b[J";

/**
 * A narrator for a terminal: the story scrolls, and below it stands a board that is drawn anew. It
 * hides no cursor and sets no mode, so there is nothing to be put back but the board itself.
 */
export class Board implements Narrator {
  readonly #screen: Screen;
  readonly #startedAtMs = performance.now();
  readonly #stopResizing: () => void;
  #timer: NodeJS.Timeout | undefined;
  #look: (() => Progress) | undefined;
  /** How many characters each line of the board takes that is on the screen now. */
  #drawn: readonly number[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#stopResizing = screen.onResize(() => this.#draw(""));
  }

  tell(text: string, tone: Tone = "plain"): void {
    const wrapped = this.#screen.wrap(text, this.#columns());
    this.#draw(`${this.#screen.paint(wrapped, tone)}\n`);
  }

  follow(look: () => Progress): void {
    this.#look = look;
    this.#timer ??= setInterval(() => this.#draw(""), DRAW_EVERY_MS).unref();
    this.#draw("");
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopResizing();
    this.#look = undefined;
    this.#draw("");
  }

  /** Takes the board away, writes what is to be told, and puts it below, all by one write. */
  #draw(told: string): void {
    const columns = this.#columns();
    const lines = this.#look === undefined ? [] : this.#lines(this.#look(), columns);
    const board = lines.map(({ text, tone }) => this.#screen.paint(text, tone)).join("\n");
    const text = `${this.#erase(columns)}${told}${board}`;
    this.#drawn = lines.map(({ text: { length } }) => length);
    if (text !== "") this.#screen.write(text);
  }

  /** A line that was drawn on a wider screen takes several of a narrower one. */
  #erase(columns: number): string {
    if (this.#drawn.length === 0) return "";
    const rows = this.#drawn.reduce((sum, length) => sum + Math.ceil(length / columns || 1), 0);
    return (rows > 1 ? `\u001b[${rows - 1}A` : "") + ERASE_BELOW;
  }

  #lines(progress: Progress, columns: number): readonly { text: string; tone: Tone }[] {
    const { done, total, failed, awaited, workerCount } = progress;
    const cells = Math.round((BAR_CELLS * done) / total);
    const bar = `[${"#".repeat(cells)}${".".repeat(BAR_CELLS - cells)}]`;
    const seconds = Math.floor((performance.now() - this.#startedAtMs) / 1_000);
    const missed = failed === 0 ? "" : `, ${failed} not seen`;
    const workers = counted(workerCount, "worker");
    const head = `${bar} ${done} of ${total} checks${missed}, ${workers}, ${seconds} s`;
    const waits = awaited.slice(0, AWAITED_MAX).map((what) => `  … ${what}`);
    const more =
      awaited.length > AWAITED_MAX ? [`  … and ${awaited.length - AWAITED_MAX} more`] : [];
    const fit = (text: string): string => text.slice(0, Math.max(1, columns - 1));
    return [
      { text: fit(head), tone: failed === 0 ? "good" : "bad" },
      ...[...waits, ...more].map((text) => ({ text: fit(text), tone: "dim" as const })),
    ];
  }

  #columns(): number {
    const columns = this.#screen.columns();
    return columns > 0 ? columns : COLUMNS_DEFAULT;
  }
}
