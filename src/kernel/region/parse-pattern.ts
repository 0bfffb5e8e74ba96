import { intersectSets, subtractSets, type CharSet } from "./char-set.ts";
import type { Folding } from "./folding.ts";
import { LIMITS } from "../limits.ts";
import {
  DEEP,
  DEFAULT_NAMESPACE,
  NAMESPACE,
  PatternError,
  RUN,
  type Item,
  type Pattern,
  type Segment,
  type Step,
} from "./pattern.ts";
import { readTokens, type Token } from "./tokens.ts";

/** Control characters and what some readers take for the end of a line. */
const CONTROL = /[\p{Cc}\u2028\u2029\p{Cs}]/u;

/** Characters that mean something else where they are not escaped. */
const SPECIAL = /[*?[\]{},\\]/g;

/**
 * Parses one pattern, without `!`, into those that it stands for. Throws a {@link PatternError}.
 *
 * `*` is any run of characters of one segment, `?` one of them, `[a-z]` and `[!a-z]` one of a
 * class, `{a,b}` either, `**` any number of whole segments, `\` takes what follows as itself. A
 * leading `name:` is the namespace. `dir/` is `dir/**`; a segment `.` says nothing.
 */
export function parsePattern(text: string, folding: Folding): readonly Pattern[] {
  const normal = text.normalize("NFC");
  if (CONTROL.test(normal)) throw new PatternError("no control character", JSON.stringify(normal));
  const named = NAMESPACE.exec(normal);
  const namespace = named?.[1] ?? DEFAULT_NAMESPACE;
  const path = normal.slice(named?.[0].length ?? 0);
  if (path === "") throw new PatternError("a path", JSON.stringify(normal));
  if (path.startsWith("/")) throw new PatternError("a path below the root of its fleet", path);
  const alternatives = readTokens(path, LIMITS.regionAlternativesMax);
  return alternatives.map((tokens) => patternOf(namespace, tokens, folding));
}

function patternOf(namespace: string, tokens: readonly Token[], folding: Folding): Pattern {
  const parts = splitAt(tokens);
  if (parts.length > 1 && parts.at(-1)?.length === 0) parts.splice(-1, 1, [DEEP_TOKEN]);
  const steps: Step[] = [];
  for (const part of parts) {
    const step = stepOf(part, folding);
    // `**/**` is `**`.
    if (step !== undefined && !(step === DEEP && steps.at(-1) === DEEP)) steps.push(step);
  }
  if (steps.length === 0) throw new PatternError("a segment besides .", ".");
  if (steps.length > LIMITS.regionSegmentsMax)
    throw new PatternError(`at most ${LIMITS.regionSegmentsMax} segments`, `${steps.length}`, true);
  const path = steps.map((step) => (step === DEEP ? DEEP : step.text)).join("/");
  return { namespace, steps, text: writeText(namespace, path) };
}

/** Makes the pattern of one path alone; it may hold characters that no pattern is written with. */
export function literalPattern(
  namespace: string,
  names: readonly string[],
  folding: Folding,
): Pattern {
  const steps = names.map((name) => segmentOf([], name, folding));
  return { namespace, steps, text: writeText(namespace, steps.map(({ text }) => text).join("/")) };
}

const DEEP_TOKEN: Token = { kind: "stars", count: 2 };

function splitAt(tokens: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of tokens)
    if (token.kind === "slash") parts.push([]);
    else parts.at(-1)?.push(token);
  return parts;
}

function writeText(namespace: string, path: string): string {
  const isPlain = namespace === DEFAULT_NAMESPACE && !NAMESPACE.test(path) && path[0] !== "!";
  return isPlain ? path : `${namespace}:${path}`;
}

/** Undefined for `.`, which says nothing. */
function stepOf(part: readonly Token[], folding: Folding): Step | undefined {
  const [first] = part;
  if (first === undefined) throw new PatternError("no empty segment", "//");
  if (first.kind === "stars" && first.count === 2 && part.length === 1) return DEEP;
  const name = part.every((token) => token.kind === "char")
    ? part.map(({ char }) => char).join("")
    : undefined;
  if (name === ".") return undefined;
  if (name === "..") throw new PatternError("no segment ..", "..");
  return segmentOf(part, name, folding);
}

function segmentOf(part: readonly Token[], name: string | undefined, folding: Folding): Segment {
  const { regionSegmentBytesMax: max } = LIMITS;
  // No file system has longer names, and what is in one segment meets all of another.
  if (part.length > max)
    throw new PatternError(`at most ${max} characters in a segment`, `${part.length}`, true);
  if (name !== undefined) {
    const literal = folding.foldText(name);
    const items = Array.from(literal, (char): CharSet => codePointsOf(char));
    return { text: escapeText(name), literal, items };
  }
  const items = part.map((token) => itemOf(token, folding));
  return { text: part.map(writeToken).join(""), literal: undefined, items };
}

function itemOf(token: Token, folding: Folding): Item {
  switch (token.kind) {
    case "char":
      return codePointsOf(folding.foldText(token.char));
    case "one":
      return folding.alphabet;
    case "class": {
      const folded = folding.foldSet(token.set);
      const set = token.isNegated
        ? subtractSets(folding.alphabet, folded)
        : intersectSets(folding.alphabet, folded);
      if (set.length === 0) throw new PatternError("a class of something", writeToken(token));
      return set;
    }
    default:
      if (token.kind === "stars" && token.count === 1) return RUN;
      throw new PatternError("** as a whole segment, and * otherwise", "** beside something else");
  }
}

/** Shared by all patterns: a hundred thousand leases are mostly made of these. */
const ASCII: readonly CharSet[] = Array.from({ length: 0x80 }, (_, code): CharSet => [code, code]);

function codePointsOf(char: string): CharSet {
  const code = char.codePointAt(0) ?? 0;
  return ASCII[code] ?? [code, code];
}

function writeToken(token: Token): string {
  if (token.kind === "char") return escapeText(token.char);
  if (token.kind === "one") return "?";
  if (token.kind === "class") return `[${token.isNegated ? "!" : ""}${writeSet(token.set)}]`;
  return "*";
}

function writeSet(set: CharSet): string {
  let text = "";
  for (let i = 0; i < set.length; i += 2) {
    const [from, to] = [set[i] as number, set[i + 1] as number];
    text += writeMember(from);
    if (to > from) text += `${to > from + 1 ? "-" : ""}${writeMember(to)}`;
  }
  return text;
}

function writeMember(code: number): string {
  const char = String.fromCodePoint(code);
  return /[\]\\[!^-]/.test(char) ? `\\${char}` : char;
}

function escapeText(text: string): string {
  return text.replaceAll(SPECIAL, String.raw`\$&`);
}
