/*
 * The text of a pattern as tokens, and alternatives written out: `a/{b,c/d}` is `a/b` and `a/c/d`.
 */
import { charSetOf, type CharSet } from "./char-set.ts";
import { PatternError } from "./pattern.ts";

/** One sign of a pattern: a character as itself, a class, `?`, a run of stars, or a slash. */
export type Token =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "class"; readonly set: CharSet; readonly isNegated: boolean }
  | { readonly kind: "one" | "slash" }
  | { readonly kind: "stars"; readonly count: number };

const SLASH: Token = { kind: "slash" };
const ONE: Token = { kind: "one" };

/** How deep alternatives may stand in alternatives. */
const nestingMax = 16;

/**
 * Reads a text, after its namespace, into the patterns it stands for, `countMax` at most. Throws a
 * {@link PatternError} for what cannot be meant.
 */
export function readTokens(text: string, countMax: number): readonly (readonly Token[])[] {
  const reader = new Reader(text, countMax);
  const found = reader.readSequence(0);
  reader.demandEnd();
  return found;
}

class Reader {
  readonly #chars: readonly string[];
  readonly #countMax: number;
  #at = 0;

  constructor(text: string, countMax: number) {
    this.#chars = Array.from(text);
    this.#countMax = countMax;
  }

  demandEnd(): void {
    if (this.#at === this.#chars.length) return;
    throw new PatternError("a { for every }, or \\} for a brace", this.#rest());
  }

  readSequence(depth: number): readonly (readonly Token[])[] {
    let found: Token[][] = [[]];
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === undefined || (depth > 0 && (char === "," || char === "}"))) return found;
      if (char === "}") return found;
      if (char === "{") {
        found = this.#join(found, this.#readAlternatives(depth + 1));
        continue;
      }
      const token = this.#readToken(char);
      for (const one of found) one.push(token);
    }
  }

  #readAlternatives(depth: number): readonly (readonly Token[])[] {
    if (depth > nestingMax)
      throw new PatternError(`alternatives at most ${nestingMax} deep`, this.#rest());
    const opening = this.#rest();
    const all: (readonly Token[])[] = [];
    let count = 0;
    do {
      this.#at += 1;
      all.push(...this.readSequence(depth));
      this.#demandFew(all.length);
      count += 1;
    } while (this.#chars[this.#at] === ",");
    if (this.#chars[this.#at] !== "}")
      throw new PatternError("a } for every {, or \\{ for a brace", opening);
    if (count < 2)
      throw new PatternError("two alternatives in braces, as {a,b}, or \\{ for a brace", opening);
    this.#at += 1;
    return all;
  }

  #join(left: readonly Token[][], right: readonly (readonly Token[])[]): Token[][] {
    this.#demandFew(left.length * right.length);
    return left.flatMap((head) => right.map((tail) => [...head, ...tail]));
  }

  #demandFew(count: number): void {
    if (count > this.#countMax)
      throw new PatternError(`at most ${this.#countMax} alternatives`, `${count} or more`, true);
  }

  #readToken(char: string): Token {
    if (char === "[") return this.#readClass();
    this.#at += 1;
    if (char === "/") return SLASH;
    if (char === "?") return ONE;
    if (char === "\\") return { kind: "char", char: this.#escaped() };
    if (char !== "*") return { kind: "char", char };
    let count = 1;
    for (; this.#chars[this.#at] === "*"; this.#at += 1) count += 1;
    return { kind: "stars", count };
  }

  #escaped(): string {
    const char = this.#chars[this.#at];
    if (char === undefined) throw new PatternError("a character after \\", "the end");
    if (char === "/") throw new PatternError("no / after \\", "\\/");
    this.#at += 1;
    return char;
  }

  #readClass(): Token {
    const opening = this.#rest();
    this.#at += 1;
    const isNegated = this.#chars[this.#at] === "!" || this.#chars[this.#at] === "^";
    if (isNegated) this.#at += 1;
    const ranges: [number, number][] = [];
    // A ] that comes first is meant as itself.
    for (let isFirst = true; isFirst || this.#chars[this.#at] !== "]"; isFirst = false) {
      const from = this.#readMember(opening);
      const isRange = this.#chars[this.#at] === "-" && this.#chars[this.#at + 1] !== "]";
      if (isRange) this.#at += 1;
      const to = isRange ? this.#readMember(opening) : from;
      if (to < from) throw new PatternError("a range from a lower to a higher character", opening);
      ranges.push([from, to]);
    }
    this.#at += 1;
    return { kind: "class", set: charSetOf(ranges), isNegated };
  }

  #readMember(opening: string): number {
    const char = this.#chars[this.#at];
    if (char === undefined)
      throw new PatternError("a ] for every [, or \\[ for a bracket", opening);
    if (char === "/") throw new PatternError("no / between [ and ]", opening);
    if (char === "[" && /[:.=]/.test(this.#chars[this.#at + 1] ?? ""))
      throw new PatternError("no named class, and [ between [ and ] written \\[", opening);
    this.#at += 1;
    return (char === "\\" ? this.#escaped() : char).codePointAt(0) ?? 0;
  }

  #rest(): string {
    return this.#chars.slice(this.#at, this.#at + 20).join("");
  }
}
