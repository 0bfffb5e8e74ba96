import { dirname } from "node:path";
import { Fault } from "../../../ports/fault.ts";
import type { Nest } from "./nest.ts";
import { isBelow, tryRealpath } from "../../folder/paths.ts";

/** What a sandbox on an upper rung is to see of its host; absolute real paths of folders. */
export interface View {
  readonly cwd: string;
  /** Covered by empty folders. None lies in another. */
  readonly hidden: readonly string[];
  /** Shown all the same; each lies in a hidden one. */
  readonly visible: readonly string[];
  readonly hasNetwork: boolean;
  /** What it may write to, and nothing else; default: whatever its user may. */
  readonly nest?: Nest;
}

/** Sets a sandbox's namespaces up: the program and arguments that a keeper's own follow. */
export type Wrap = (view: View) => readonly string[];

/**
 * Resolves what is to be hidden and shown, as it is now. What is to be hidden and does not exist is
 * left out: there is nothing to cover. Throws `Fault` `sandbox_failed` when a folder that is to be
 * shown, or the one to start in, does not exist.
 */
export function resolveView(view: View): View {
  const hidden = [...new Set(view.hidden.flatMap((path) => tryRealpath(path) ?? []))];
  const outermost = hidden.filter((path) => !hidden.some((other) => isBelow(path, other)));
  const visible = [...new Set(view.visible.map((path) => demandFolder(path)))];
  return {
    cwd: demandFolder(view.cwd),
    hidden: outermost,
    visible: visible.filter((path) => outermost.some((other) => isBelow(path, other))),
    hasNetwork: view.hasNetwork,
    ...(view.nest === undefined ? {} : { nest: view.nest }),
  };
}

/** The folders between a covered one and what is shown in it, outermost first. */
export function foldersBetween(cover: string, path: string): readonly string[] {
  const parents: string[] = [];
  for (let folder = dirname(path); isBelow(folder, cover); folder = dirname(folder)) {
    parents.unshift(folder);
  }
  return parents;
}

function demandFolder(path: string): string {
  const real = tryRealpath(path);
  if (real !== undefined) return real;
  throw new Fault("sandbox_failed", `${path} must exist for a sandbox to be shown it, it does not`);
}
