// What the tests of regions stand on: every short path over a small alphabet, and a matcher that
// shares no code with the rules.
import { expect } from "vitest";
import { parseRegion, type Region } from "../../../src/kernel/region/region.ts";

const LETTERS = ["a", "b", "."];

/** Every name of up to `length` letters that is neither `.` nor `..`. */
export function namesUpTo(length: number, letters: readonly string[] = LETTERS): string[] {
  let longest = [""];
  const all: string[] = [];
  for (let count = 0; count < length; count += 1) {
    longest = longest.flatMap((name) => letters.map((letter) => name + letter));
    all.push(...longest);
  }
  return all.filter((name) => name !== "." && name !== "..");
}

/** Every path of one to `depth` segments of such names. */
export function pathsUpTo(depth: number, names: readonly string[]): string[] {
  let deepest: string[] = [""];
  const all: string[] = [];
  for (let level = 0; level < depth; level += 1) {
    deepest = deepest.flatMap((path) => names.map((name) => (path ? `${path}/${name}` : name)));
    all.push(...deepest);
  }
  return all;
}

/** Parses patterns that a test means to be right. */
export function regionOf(...texts: readonly string[]): Region {
  return caseless(false, texts);
}

/** The same, with letters that differ in case alone being one. */
export function caselessRegionOf(...texts: readonly string[]): Region {
  return caseless(true, texts);
}

function caseless(isCaseless: boolean, texts: readonly string[]): Region {
  const parsed = parseRegion(texts, isCaseless);
  expect(parsed).toMatchObject({ ok: true });
  return (parsed as Extract<typeof parsed, { readonly ok: true }>).region;
}

/** A region as a test of paths, by regular expressions written by hand. */
export function oracleOf(texts: readonly string[]): (path: string) => boolean {
  const tests = texts.map((text) => {
    const isExclude = text.startsWith("!");
    return { isExclude, regex: regexOf(isExclude ? text.slice(1) : text) };
  });
  const some = (path: string, wanted: boolean): boolean =>
    tests.some(({ isExclude, regex }) => isExclude === wanted && regex.test(`${path}/`));
  return (path) => some(path, false) && !some(path, true);
}

function regexOf(pattern: string): RegExp {
  const steps = pattern.split("/").map((step) => (step === "**" ? "(?:[^/]+/)*" : segment(step)));
  return new RegExp(`^${steps.join("")}$`, "u");
}

function segment(text: string): string {
  const written = text
    .replaceAll(/\[!([^\]]*)\]/g, "[^$1/]")
    .replaceAll(/(?<!\[[^\]]*)[.*?{},]/g, (sign) => SIGNS[sign] ?? sign);
  return `${written}/`;
}

const SIGNS: Readonly<Record<string, string>> = {
  ".": "\\.",
  "*": "[^/]*",
  "?": "[^/]",
  "{": "(?:",
  ",": "|",
  "}": ")",
};
