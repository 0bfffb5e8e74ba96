import { realpathSync } from "node:fs";

/** Whether a path lies somewhere below another. */
export function isBelow(path: string, other: string): boolean {
  return path !== other && path.startsWith(other === "/" ? other : `${other}/`);
}

/** The real path of what lies there; undefined when it is not there, or not to be seen. */
export function tryRealpath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Not there, or not for this user to see: then not for its workers either.
    return undefined;
  }
}
