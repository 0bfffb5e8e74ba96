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

const FOLDS: readonly Fold[] = FOLDING_RUNS.split(" ").flatMap(readRun);

function readRun(run: string): readonly Fold[] {
  const [from = 0, to = 0, step = 1, distance = 0] = run.split(",").map((n) => parseInt(n, 36));
  const folds: Fold[] = [];
  for (let char = from; char <= to; char += step) folds.push([char, char + distance]);
  return folds;
}

const FOLDED = new Map(FOLDS);
const FOLDING: CharSet = charSetOf(FOLDS.map(([char]) => [char, char]));

/**
 * Letters that differ in case alone are the same, by Unicode's simple case folding: no character
 * becomes two, so `ß` is not `ss`.
 */
export const CASELESS: Folding = {
  alphabet: subtractSets(SEGMENT_CHARS, FOLDING),
  foldText(text) {
    // Folding may leave a letter before a mark that the two together have a character for.
    const folded = Array.from(text.normalize("NFC"), foldChar).join("").normalize("NFC");
    return Array.from(folded, foldChar).join("");
  },
  foldSet(set) {
    if (intersectSets(set, FOLDING).length === 0) return set;
    const folded = FOLDS.filter(([char]) => intersectSets(set, [char, char]).length > 0);
    const kept = subtractSets(set, FOLDING);
    const ranges = folded.map(([, to]) => [to, to] as const);
    for (let i = 0; i < kept.length; i += 2)
      ranges.push([kept[i] as number, kept[i + 1] as number]);
    return charSetOf(ranges);
  },
};

function foldChar(char: string): string {
  const folded = FOLDED.get(char.codePointAt(0) ?? 0);
  return folded === undefined ? char : String.fromCodePoint(folded);
}
