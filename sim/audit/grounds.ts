/*
 * What regions are, seen by trying: a region is the set of those resources of a small world that
 * its patterns have. Every pattern that a simulation makes up tells these resources apart, so two
 * regions share something, or lie in each other, just if their sets do. Nothing here is shared with
 * the kernel's automata.
 */

import { LIMITS } from "../../src/kernel/limits.ts";

/** Names that the paths of a simulated world are made of. */
const NAMES = ["src", "SRC", "api", "gen", "a", "docs"];

/** Folders under which the ground of worktrees lies; the first is that of none. */
const FOLDERS = ["", "worktree/main/", "worktree/w1/"];

const RESOURCES: readonly string[] = [
  ...FOLDERS.flatMap((folder) => pathsOf(3).map((path) => `${folder}${path}`)),
  "port:1",
  "port:2",
  "branch:main",
];

/** Patterns of a region, and whether letters that differ in case alone are one. */
export interface Ground {
  readonly patterns: readonly string[];
  readonly foldsCase: boolean;
}

interface Form {
  readonly namespace: string;
  readonly steps: readonly string[];
}

const HAD = new Map<string, ReadonlySet<string>>();
const SHARED = new Map<string, boolean>();
const FORMS = new Map<string, readonly Form[]>();
const PLACES = new Map<string, Form>();

/** Whether regions lie in others, as far as the resources of a simulated world tell. */
export function isWithin(inner: Ground, outer: Ground): boolean {
  const had = resourcesOf(inner);
  return had.size > 0 && [...had].every((resource) => hasResource(outer, resource));
}

/** Whether two regions share a resource. */
export function overlap(left: Ground, right: Ground): boolean {
  const key = `${keyOf(left)}\0${keyOf(right)}`;
  const known = SHARED.get(key);
  if (known !== undefined) return known;
  const isShared =
    [...resourcesOf(left)].some((resource) => hasResource(right, resource)) ||
    [...resourcesOf(right)].some((resource) => hasResource(left, resource));
  SHARED.set(key, isShared);
  return isShared;
}

/** Whether two regions are the same. */
export function isSameGround(left: Ground, right: Ground): boolean {
  return isWithin(left, right) && isWithin(right, left);
}

/** Why patterns make no region, by the code that says so; null when they do. */
export function problemOf(ground: Ground): "region_invalid" | "region_too_large" | null {
  const problem = formProblemOf(ground);
  if (problem !== null) return problem;
  return resourcesOf(ground).size === 0 ? "region_invalid" : null;
}

/** The same, whether or not the region has anything. */
export function formProblemOf({ patterns }: Ground): "region_invalid" | "region_too_large" | null {
  const forms = patterns.flatMap((pattern) => formsOf(pattern));
  if (forms.length > LIMITS.regionAlternativesMax) return "region_too_large";
  const isMalformed = forms.some(({ steps }) => steps.includes("") || steps.includes(".."));
  return isMalformed ? "region_invalid" : null;
}

/** Patterns as a fleet writes them that means the ones given: what it compares. */
export function inOneForm(patterns: readonly string[]): string {
  const whole = [...new Set(patterns.map((pattern) => pattern.replace(/\/$/, "/**")))];
  const isOut = (pattern: string): boolean => pattern.startsWith("!");
  const [kept, out] = [whole.filter((one) => !isOut(one)), whole.filter(isOut)];
  return [...kept.toSorted(), ...out.toSorted()].join("\n");
}

/** Patterns on the ground of a worktree: only files have ground of their own there. */
export function onGroundOf(worktree: string | null, patterns: readonly string[]): string[] {
  if (worktree === null) return [...patterns];
  return patterns.flatMap((pattern) => {
    const lead = pattern.startsWith("!") ? "!" : "";
    const text = pattern.slice(lead.length);
    if (text.startsWith("*:")) return [pattern, `${lead}worktree/*/${text.slice(2)}`];
    return /^[a-z]+:/.test(text) ? [pattern] : [`${lead}worktree/${worktree}/${text}`];
  });
}

/** Whether a region has a resource, written with its namespace where that is not `file`. */
export function hasResource({ patterns, foldsCase }: Ground, resource: string): boolean {
  const { namespace, steps: path } = placeOf(foldsCase ? resource.toLowerCase() : resource);
  const isMatched = (pattern: string): boolean =>
    formsOf(foldsCase ? pattern.toLowerCase() : pattern).some(
      (form) =>
        (form.namespace === "*" || form.namespace === namespace) && matches(form.steps, path),
    );
  const isOut = patterns.some((one) => one.startsWith("!") && isMatched(one.slice(1)));
  return !isOut && patterns.some((one) => !one.startsWith("!") && isMatched(one));
}

/** Every resource of the small world that a region has, and those that it names one by one. */
function resourcesOf(ground: Ground): ReadonlySet<string> {
  const key = keyOf(ground);
  const known = HAD.get(key);
  if (known !== undefined) return known;
  const named = ground.patterns.filter((pattern) => !/[!*?{[]/.test(pattern));
  const all = [...RESOURCES, ...named].filter((resource) => hasResource(ground, resource));
  const had = new Set(all);
  HAD.set(key, had);
  return had;
}

function keyOf({ patterns, foldsCase }: Ground): string {
  return `${foldsCase ? "i" : "e"}${patterns.join("\n")}`;
}

function matches(steps: readonly string[], path: readonly string[]): boolean {
  const [step, ...others] = steps;
  if (step === undefined) return path.length === 0;
  const [name, ...below] = path;
  if (step === "**") return matches(others, path) || (path.length > 0 && matches(steps, below));
  return name !== undefined && isLike(step, name) && matches(others, below);
}

function isLike(step: string, name: string): boolean {
  if (!step.includes("*")) return step === name;
  const [start = "", end = ""] = step.split("*");
  return name.startsWith(start) && name.endsWith(end) && name.length >= start.length + end.length;
}

function formsOf(pattern: string): readonly Form[] {
  const known = FORMS.get(pattern);
  if (known !== undefined) return known;
  const forms = withoutBraces(pattern.replace(/^!/, "")).map(formOf);
  FORMS.set(pattern, forms);
  return forms;
}

function placeOf(resource: string): Form {
  const known = PLACES.get(resource);
  if (known !== undefined) return known;
  const place = formOf(resource);
  PLACES.set(resource, place);
  return place;
}

function formOf(text: string): Form {
  const [, namespace = "file", path = ""] = /^(?:(\*|[a-z]+):)?(.*)$/s.exec(text) ?? [];
  const steps = path.replace(/\/$/, "/**").split("/");
  return { namespace, steps };
}

function withoutBraces(pattern: string): readonly string[] {
  const found = /^([^{]*)\{([^}]*)\}(.*)$/s.exec(pattern);
  if (found === null) return [pattern];
  const [, before = "", within = "", after = ""] = found;
  const tails = withoutBraces(after);
  return within.split(",").flatMap((one) => tails.map((tail) => `${before}${one}${tail}`));
}

function pathsOf(depth: number): readonly string[] {
  if (depth === 0) return [];
  const deeper = pathsOf(depth - 1);
  return NAMES.flatMap((name) => [name, ...deeper.map((path) => `${name}/${path}`)]);
}
