import { escapeName, offWorktree } from "../ground/worktree.ts";
import type { LeaseMode } from "../lease/lease.ts";
import { DEEP, DEFAULT_NAMESPACE, type Pattern } from "../region/pattern.ts";
import type { Region } from "../region/region.ts";
import { parseOnce } from "../region/rights.ts";

/** The segments of a folder's path below its ground; none for the ground itself. */
export type FolderPath = readonly string[];

/** What of a region a mount can express: whole folders, but for whole folders in them. */
export interface Folders {
  readonly given: readonly FolderPath[];
  readonly kept: readonly FolderPath[];
  /** The same as patterns, canonical as the region's are. */
  readonly patterns: readonly string[];
}

const NOTHING: Folders = { given: [], kept: [], patterns: [] };

/**
 * The whole folders of a region: patterns like `src/api/**`, none in another. What is left out of
 * them must be whole folders too, or a mount would give more than the region has: then there are
 * none. What is not of files, and what only reads, needs no mount.
 */
export function foldersOf(region: Region, mode: LeaseMode): Folders {
  if (mode === "shared") return NOTHING;
  const left = region.excludes.filter((pattern) => isOfFiles(pattern));
  const kept = left.map(folderIn);
  if (kept.includes(undefined)) return NOTHING;
  const found = region.includes.flatMap((pattern) => {
    const path = isOfFiles(pattern) ? folderIn(pattern) : undefined;
    return path === undefined ? [] : [{ path, text: pattern.text }];
  });
  const outer = found.filter(({ path }) => !found.some((other) => isBelow(path, other.path)));
  if (outer.length === 0) return NOTHING;
  return {
    given: outer.map(({ path }) => path),
    kept: kept.filter((path) => path !== undefined),
    patterns: [...outer.map(({ text }) => text), ...left.map(({ text }) => `!${text}`)],
  };
}

/** The same of a lease's patterns, as they are on the ground of a worktree. */
export function foldersIn(
  { region, mode }: { readonly region: readonly string[]; readonly mode: LeaseMode },
  foldsCase: boolean,
): Folders {
  const parsed = parseOnce(region, foldsCase);
  return parsed.ok ? foldersOf(parsed.region, mode) : NOTHING;
}

/**
 * Patterns widened to the folders that hold what they match: of `src/api/*.ts` and `src/api/x` that
 * is `src/api/**`. What is left out stays left out. Patterns that do not parse stay as they are.
 */
export function widened(patterns: readonly string[], foldsCase: boolean): readonly string[] {
  const parsed = parseOnce(patterns, foldsCase);
  if (!parsed.ok) return patterns;
  const { includes, excludes } = parsed.region;
  const wide = includes.map((pattern) => (isOfFiles(pattern) ? widen(pattern) : pattern.text));
  const texts = [...new Set(wide), ...excludes.map(({ text }) => `!${text}`)];
  const again = parseOnce(texts, foldsCase);
  return again.ok ? again.region.patterns : patterns;
}

function widen({ steps, text }: Pattern): string {
  const wild = steps.findIndex((step) => step === DEEP || step.literal === undefined);
  // Of what has no wildcard the last is the file itself.
  const names = steps.slice(0, wild === -1 ? -1 : wild).flatMap(nameOf);
  return folderIn({ steps }) === undefined ? [...names.map(escapeName), DEEP].join("/") : text;
}

/** The folder that a pattern is all of; undefined where it is not of one. */
function folderIn({ steps }: Pick<Pattern, "steps">): FolderPath | undefined {
  if (steps.at(-1) !== DEEP) return undefined;
  const names = steps.slice(0, -1).map((step) => nameOf(step)[0]);
  return names.includes(undefined) ? undefined : names.filter((name) => name !== undefined);
}

/** The one name that a step matches, as it is written, without escapes; else none. */
function nameOf(step: Pattern["steps"][number]): readonly string[] {
  if (step === DEEP || step.literal === undefined) return [];
  return [step.text.replaceAll(/\\(.)/gs, "$1")];
}

function isOfFiles({ namespace }: Pattern): boolean {
  return namespace === DEFAULT_NAMESPACE;
}

function isBelow(path: FolderPath, other: FolderPath): boolean {
  return path.length > other.length && other.every((name, index) => path[index] === name);
}

/** A folder of a worktree's own ground as it is there, and the worktree. */
export function offOwnGround(path: FolderPath): {
  readonly path: FolderPath;
  readonly worktree: string | undefined;
} {
  const placed = offWorktree([...path.map(escapeName), DEEP].join("/"));
  return placed === undefined
    ? { path, worktree: undefined }
    : { path: path.slice(2), worktree: placed.worktree };
}
