// An oracle that shares nothing with the rules: picomatch makes regular expressions of patterns,
// refa makes automata of those and decides about them.
import { array, constantFrom, tuple, type Arbitrary } from "fast-check";
import picomatch from "picomatch";
import { DFA, isDisjointWith, JS, NFA, type ReadonlyDFA, type ReadonlyNFA } from "refa";

/*
 * Where picomatch and Stint mean the same, tried on every pattern of up to three of these steps:
 * all but three things. A `*` after a dot must have a character there (`*.*` has no `a.`). A last
 * `**` after a `*` must have a segment there (`a*` + `/**` has no `ab`); after anything else it
 * need not. And braces hold no slash here: `{a/**,b}` has no `a` there.
 */
const STEPS = [
  "a b ab ** * a* *a *b *a* a*b ? ?? a? ?* .a a.b *.b .*",
  "[ab] [!a] [a-c]* *[!b] [.a]* {a,b} {a*,ba}",
].join(" ");

/** Patterns that mean the same to both. */
export const anyPattern: Arbitrary<string> = array(constantFrom(...STEPS.split(" ")), {
  minLength: 1,
  maxLength: 3,
})
  .filter((steps) => {
    const beforeDeep = steps.findLast((step) => step !== "**");
    return steps.at(-1) !== "**" || beforeDeep?.endsWith("*") !== true;
  })
  .map((steps) => steps.join("/"));

/** Regions of them, with some that are left out. */
export const anyPatterns: Arbitrary<readonly string[]> = tuple(
  array(anyPattern, { minLength: 1, maxLength: 2 }),
  array(anyPattern, { maxLength: 2 }),
).map(([includes, excludes]) => [...includes, ...excludes.map((text) => `!${text}`)]);

/** What picomatch makes of a pattern. */
export function regexOf(pattern: string): RegExp {
  return picomatch.makeRe(pattern, { dot: true, posix: true, literalBrackets: false });
}

/**
 * The same for paths alone, without what refa does not know: it never looks ahead, nor at the
 * edges. What is looked ahead for is that no segment is empty, `.` or `..`, as none of a path is.
 */
export function plainRegexOf(pattern: string): RegExp {
  let { source } = regexOf(pattern);
  while (source.startsWith("^(?:") && source.endsWith(")$")) source = source.slice(4, -2);
  const plain = source
    .replaceAll(String.raw`(?!(?:^|\/)\.{1,2}(?:\/|$))`, "")
    .replaceAll(String.raw`(?!\.{1,2}(?:\/|$))`, "")
    .replaceAll(String.raw`(?!\.{0,1}(?:\/|$))`, "")
    .replaceAll("(?=.)", "")
    .replace(/^\(\?:\^\|/, "(?:|")
    .replace(/\|\$\)$/, "|)")
    .replaceAll("|$)", ")");
  return new RegExp(`^(?:${plain})$`);
}

/** Every path: segments of printable characters, none of them empty, `.` or `..`. */
const NAME = String.raw`(?:[!-\-0-~]|\.[!-\-0-~]|\.\.[!-.0-~])[!-.0-~]*`;
const ALL_PATHS = nfaOf(`${NAME}(?:/${NAME})*`);

/** Whether two regions share a path, as automata say. */
export function sharePath(left: readonly string[], right: readonly string[]): boolean {
  return !isDisjointWith(pathsIn(left), pathsIn(right));
}

/** Whether every path of a region is one of another, as automata say. */
export function isInside(inner: readonly string[], outer: readonly string[]): boolean {
  return isDisjointWith(pathsIn(inner), allBut(outer));
}

const PATHS_IN = new Map<string, ReadonlyNFA>();
const ALL_BUT = new Map<string, ReadonlyDFA>();

function pathsIn(patterns: readonly string[]): ReadonlyNFA {
  return once(PATHS_IN, patterns, () => {
    const included = patterns.filter((text) => !text.startsWith("!"));
    const excluded = patterns.filter((text) => text.startsWith("!")).map((text) => text.slice(1));
    const made = NFA.fromIntersection(nfaOf(unionOf(included)), ALL_PATHS);
    return excluded.length === 0 ? made : NFA.fromIntersection(made, allBut(excluded));
  });
}

function allBut(patterns: readonly string[]): ReadonlyDFA {
  return once(ALL_BUT, patterns, () => {
    const made = DFA.fromFA(pathsIn(patterns));
    made.complement();
    return made;
  });
}

function unionOf(patterns: readonly string[]): string {
  return patterns.map((text) => plainRegexOf(text).source.slice(1, -1)).join("|");
}

function nfaOf(source: string): NFA {
  const { expression, maxCharacter } = JS.Parser.fromLiteral({ source, flags: "" }).parse();
  return NFA.fromRegex(expression, { maxCharacter });
}

/** Single patterns come again: what is made of them is kept. */
function once<T>(made: Map<string, T>, patterns: readonly string[], make: () => T): T {
  const [text] = patterns;
  if (text === undefined || patterns.length > 1) return make();
  const known = made.get(text) ?? make();
  made.set(text, known);
  return known;
}
