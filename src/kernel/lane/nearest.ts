/** One character in so many may be wrong for a name still to be taken for another. */
const charsPerEdit = 3;
const editsMax = 3;
const comparedCharsMax = 64;

/** The name that is most like a wrong one, or undefined when none is; the first of equals. */
export function nearest(wrong: string, names: readonly string[]): string | undefined {
  if (wrong.length > comparedCharsMax) return undefined;
  const word = plain(wrong);
  let best: string | undefined;
  let least = Math.min(editsMax, Math.max(1, Math.floor(word.length / charsPerEdit))) + 1;
  for (const name of names) {
    const edits = editsBetween(word, plain(name), least);
    if (edits >= least) continue;
    least = edits;
    best = name;
  }
  return best;
}

/** `maxDepth`, `max-depth` and `max_depth` are the same word in other clothes. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** A word that goes on where the other ends counts as one edit: `cpu` is meant for `cpu_milli`. */
function editsBetween(word: string, name: string, most: number): number {
  const isBeginning = word.length >= charsPerEdit && name.startsWith(word) && name !== word;
  return isBeginning ? 1 : editDistance([word, name], most);
}

/**
 * The least count of characters put in, taken out, changed or swapped with their neighbour
 * (optimal string alignment), or any number that is not below `most`. O(n · most): what lies
 * farther from the diagonal takes as many edits as it is away from it.
 */
function editDistance([left, right]: readonly [string, string], most: number): number {
  if (Math.abs(left.length - right.length) >= most) return most;
  let before: readonly (number | undefined)[] = [];
  let row: readonly (number | undefined)[] = Array.from({ length: most }, (_, column) => column);
  for (let line = 1; line <= left.length; line += 1) {
    const next: number[] = [];
    const first = Math.max(0, line - most);
    if (first === 0) next[0] = line;
    for (
      let column = Math.max(1, first);
      column <= Math.min(right.length, line + most);
      column += 1
    ) {
      const isSame = left[line - 1] === right[column - 1];
      const isSwapped =
        left[line - 1] === right[column - 2] && left[line - 2] === right[column - 1];
      const changed = (row[column - 1] ?? most) + (isSame ? 0 : 1);
      const swapped = isSwapped ? (before[column - 2] ?? Infinity) + 1 : Infinity;
      const inserted = Math.min(row[column] ?? most, next[column - 1] ?? most) + 1;
      next[column] = Math.min(changed, swapped, inserted);
    }
    before = row;
    row = next;
  }
  return row[right.length] ?? most;
}
