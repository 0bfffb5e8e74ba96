/** A count with its noun, in the plural unless it is one: `1 file`, `3 files`, `2 processes`. */
export function counted(count: number, noun: string): string {
  const ending = noun.endsWith("s") ? "es" : "s";
  return `${count} ${noun}${count === 1 ? "" : ending}`;
}
