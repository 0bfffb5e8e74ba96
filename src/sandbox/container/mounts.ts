// What of its host a container sees. The engine binds folders by their paths:
//
// - what it may write to, at its own path;
// - the folder that it starts in, read-only where that is none of these;
// - in all of that, hidden folders covered by an empty one that cannot be written to;
// - in those again, what it is to see: the folder of its own socket.
//
// Paths can be made to lead elsewhere until it has bound them: what is there then is looked at; see
// host/bound.ts.

import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../../ports/fault.ts";
import type { SandboxSpec } from "../../ports/sandbox.ts";

/** A folder of the host in a container, at the same path. */
export interface Bind {
  /** What is bound there: the folder itself, or an empty one over it. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

/** What is bound, in the order of its paths, and the folders that must be made for it. */
export interface MountPlan {
  readonly binds: readonly Bind[];
  /** Empty folders to make: covers, with what is to be mounted in them. */
  readonly empty: readonly string[];
  /** What of the hidden folders lies in what it sees, and is covered there. */
  readonly covered: readonly string[];
  readonly workingFolder: string;
}

/** What a plan is made of. */
export interface Sights extends Pick<SandboxSpec, "cwd" | "writable" | "visible"> {
  /** Real paths of folders that are not to be seen. */
  readonly hidden: readonly string[];
  /** Where those would lie that are not there. */
  readonly missing: readonly string[];
  /** Where covers are made; nothing of it is seen. */
  readonly coverFolder: string;
}

/**
 * Says what is bound where. Throws `Fault` `sandbox_failed` when it cannot start in its folder, and
 * when a folder that is to be covered in what it sees is not there.
 */
export function planMounts({
  cwd,
  writable,
  visible = [],
  hidden,
  missing,
  coverFolder,
}: Sights): MountPlan {
  const hides = outermost(hidden);
  const shown = visible.flatMap(realOf);
  // Where nothing is written the root that it starts in can be the container's own.
  const isOwnRoot = cwd === "/" && writable?.length === 0;
  const start = cwd === undefined || isOwnRoot ? undefined : demandFolder(cwd, hides);
  const open = (writable ?? []).flatMap(realOf).filter((path) => !isBelowAny(path, hides));
  const isOpen = start === undefined || isBelowAny(start, open);
  const own = [
    ...outermost(open).map((path) => same(path, false)),
    ...(isOpen ? [] : [same(start, writable !== undefined)]),
  ];
  const roots = own.map(({ target }) => target);
  demandNone(missing.filter((path) => isBelowAny(path, roots)));
  const covered = hides.filter((path) => isBelowAny(path, roots));
  const covers = covered.map((target, index) => {
    return { source: join(coverFolder, String(index)), target, isReadOnly: true };
  });
  const inCovers = covers.flatMap(({ source, target }) => {
    const inside = shown.filter((path) => isBelow(path, target));
    return [source, ...inside.map((path) => join(source, path.slice(target.length)))];
  });
  const binds = [...own, ...covers, ...shown.map((path) => same(path, false))];
  return {
    binds: binds.toSorted((a, b) => depthOf(a.target) - depthOf(b.target)),
    empty: inCovers,
    covered,
    workingFolder: start ?? "/",
  };
}

function demandFolder(cwd: string, hides: readonly string[]): string {
  const [real] = realOf(cwd);
  const why =
    real === undefined ? "it is not there" : isBelowAny(real, hides) ? "it is hidden" : undefined;
  if (real !== undefined && real !== "/" && why === undefined) return real;
  const got = why ?? "it is the root of the host";
  const message = `a container must start in a folder that can be shown to it, got ${cwd}: ${got}`;
  throw new Fault("sandbox_failed", message);
}

/** What is not there cannot be covered, and what comes to lie there would be seen. */
function demandNone([missing]: readonly string[]): void {
  if (missing === undefined) return;
  const message =
    `the hidden folder ${missing} must be there to be covered in what a container sees, ` +
    "it is not: nothing is run";
  throw new Fault("sandbox_failed", message);
}

function same(path: string, isReadOnly: boolean): Bind {
  return { source: path, target: path, isReadOnly };
}

function realOf(path: string): readonly string[] {
  return existsSync(path) ? [realpathSync(path)] : [];
}

function outermost(paths: readonly string[]): readonly string[] {
  const all = [...new Set(paths)];
  return all.filter((path) => !all.some((other) => other !== path && isBelow(path, other)));
}

/** Whether a path is a folder or lies in it. */
function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(join(folder, "/"));
}

function isBelowAny(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => isBelow(path, folder));
}

function depthOf(path: string): number {
  return path === dirname(path) ? 0 : path.split("/").length;
}
