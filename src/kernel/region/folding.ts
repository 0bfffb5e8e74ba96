import { charSetOf, intersectSets, SEGMENT_CHARS, subtractSets, type CharSet } from "./char-set.ts";
import { FOLDING_RUNS } from "./folding-table.ts";

/** How a fleet tells letters apart: exactly, or whatever their case. */
export interface Folding {
  /** What a segment may hold once it is folded. */
  readonly alphabet: CharSet;
  /** A text as it is compared: NFC, and folded where case does not count. */
  foldText(text: string): string;
  /** The folded forms of a set. */
  foldSet(set: CharSet): CharSet;
}

/** Every letter is itself. */
export const EXACT: Folding = {
  alphabet: SEGMENT_CHARS,
  foldText: (text) => text.normalize("NFC"),
  foldSet: (set) => set,
};

/** One character that folds, and what to. */
type Fold = readonly [char: number, folded: number];

/** All that is known of folding. */
interface Table {
  readonly folds: readonly Fold[];
  readonly folded: ReadonlyMap<number, number>;
  /** The characters that fold to another. */
  readonly folding: CharSet;
  readonly alphabet: CharSet;
}

let unpacked: Table | undefined;

/** The table, unpacked when letters are first folded: most fleets tell them apart. */
function table(): Table {
  unpacked ??= unpack();
  return unpacked;
}

function unpack(): Table {
  const folds = FOLDING_RUNS.split(" ").flatMap(readRun);
  const folding = charSetOf(folds.map(([char]) => [char, char]));
  return {
    folds,
    folded: new Map(folds),
    folding,
    alphabet: subtractSets(SEGMENT_CHARS, folding),
  };
}

function readRun(run: string): readonly Fold[] {
  const [from = 0, to = 0, step = 1, distance = 0] = run.split(",").map((n) => parseInt(n, 36));
  const folds: Fold[] = [];
  for (let char = from; char <= to; char += step) folds.push([char, char + distance]);
  return folds;
}

/**
 * Letters that differ in case alone are the same, by Unicode's simple case folding: no character
 * becomes two, so `ß` is not `ss`.
 */
export const CASELESS: Folding = {
  get alphabet() {
    return table().alphabet;
  },
  foldText(text) {
    // Folding may leave a letter before a mark that the two together have a character for.
    const folded = Array.from(text.normalize("NFC"), foldChar).join("").normalize("NFC");
    return Array.from(folded, foldChar).join("");
  },
  foldSet(set) {
    const { folds, folding } = table();
    if (intersectSets(set, folding).length === 0) return set;
    const folded = folds.filter(([char]) => intersectSets(set, [char, char]).length > 0);
    const kept = subtractSets(set, folding);
    const ranges = folded.map(([, to]) => [to, to] as const);
    for (let i = 0; i < kept.length; i += 2)
      ranges.push([kept[i] as number, kept[i + 1] as number]);
    return charSetOf(ranges);
  },
};

function foldChar(char: string): string {
  const folded = table().folded.get(char.codePointAt(0) ?? 0);
  return folded === undefined ? char : String.fromCodePoint(folded);
}
