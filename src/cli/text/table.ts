import { graphemesOf } from "./plain.ts";

/** One column of a table: its heading and what it shows of a row. */
export interface Column<T> {
  readonly head: string;
  /** The cell's text: one line, safe to print (see `plain.ts`), coloured or not. */
  cell(row: T): string;
  /** Whether cells end at one edge, as numbers do; default false. */
  readonly isRight?: boolean;
  /**
   * That a table which is too wide does without it, the highest number first; default: never.
   */
  readonly spare?: number;
}

/** What to lay out. */
export interface TableOptions<T> {
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  /** Makes the headings stand back; default: as they are. */
  readonly headStyle?: (text: string) => string;
  /** How wide it may be while there are columns to spare, characters; default: any width. */
  readonly widthMax?: number;
}

const gap = "  ";

/**
 * Lays rows out in columns of even width, a heading above; without a newline at the end.
 * Columns that are empty in every row are left out, so that a table shows what there is to see.
 */
export function tableText<T>(options: TableOptions<T>): string {
  const { columns, rows, headStyle = (text) => text, widthMax } = options;
  const filled = columns
    .map((column) => laidOut(column, rows))
    .filter(({ cells }) => cells.some((cell) => cell !== ""));
  const shown = widthMax === undefined ? filled : withinWidth(filled, widthMax);
  const widths = shown.map(({ width }) => width);
  const line = (cells: readonly string[], style: (text: string) => string): string =>
    cells
      .map((cell, index) => {
        const space = " ".repeat((widths[index] ?? 0) - widthOf(cell));
        const isRight = shown[index]?.column.isRight === true;
        return isRight ? space + style(cell) : style(cell) + space;
      })
      .join(gap)
      .trimEnd();
  const heads = shown.map(({ column }) => column.head);
  const lines = rows.map((_, at) =>
    line(
      shown.map(({ cells }) => cells[at] ?? ""),
      (text) => text,
    ),
  );
  return [line(heads, headStyle), ...lines].join("\n");
}

interface LaidOut<T> {
  readonly column: Column<T>;
  readonly cells: readonly string[];
  readonly width: number;
}

function laidOut<T>(column: Column<T>, rows: readonly T[]): LaidOut<T> {
  const cells = rows.map((row) => column.cell(row));
  // Not by spreading: a table may have more rows than a call has arguments.
  const width = cells.reduce((most, cell) => Math.max(most, widthOf(cell)), widthOf(column.head));
  return { column, cells, width };
}

/** Leaves columns out that may be spared, until the others fit or none is left to spare. */
function withinWidth<T>(all: readonly LaidOut<T>[], widthMax: number): readonly LaidOut<T>[] {
  const total = all.reduce((sum, { width }) => sum + width + gap.length, -gap.length);
  if (total <= widthMax) return all;
  const rank = ({ column }: LaidOut<T>): number => column.spare ?? 0;
  const [first] = all.toSorted((one, other) => rank(other) - rank(one));
  if (first === undefined || rank(first) === 0) return all;
  return withinWidth(
    all.filter((one) => one !== first),
    widthMax,
  );
}

/** Lays out pairs, one a line, values aligned; without a newline at the end. */
export function pairsText(
  pairs: readonly (readonly [name: string, value: string])[],
  style: (text: string) => string = (text) => text,
): string {
  const width = pairs.reduce((most, [name]) => Math.max(most, widthOf(name)), 0);
  return pairs
    .map(([name, value]) => `${style(name)}${" ".repeat(width - widthOf(name))}${gap}${value}`)
    .join("\n");
}

/** East Asian wide and fullwidth blocks, roughly, and emoji. */
const wideRanges = [
  String.raw`\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff`,
  String.raw`\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}`,
];
const wide = new RegExp(`^(?:\\p{Emoji_Presentation}|[${wideRanges.join("")}])`, "u");
const ascii = /^[\x20-\x7e]*$/;

/** How many columns a text takes on a terminal, colours not counted. */
export function widthOf(text: string): number {
  if (ascii.test(text)) return text.length;
  const bare = process.getBuiltinModule("node:util").stripVTControlCharacters(text);
  if (ascii.test(bare)) return bare.length;
  let width = 0;
  for (const character of graphemesOf(bare)) width += wide.test(character) ? 2 : 1;
  return width;
}
