import { Fault } from "../ports/fault.ts";

/** The oldest Node whose binary interface better-sqlite3 is built for and Stint is tested on. */
const NODE_MIN: readonly number[] = [22, 18];

/** Throws `Fault` `sqlite_unsupported` unless `version` ("24.21.0") is new enough. */
export function demandNode(version: string): void {
  demandVersion("Node", version, NODE_MIN);
}

/** Throws `Fault` `sqlite_unsupported` unless `version` of `what` is `least` or newer. */
export function demandVersion(what: string, version: string, least: readonly number[]): void {
  if (isAtLeast(version.split(".").map(Number), least)) return;
  const message = `${what} must be ${least.join(".")} or newer, got ${version}`;
  throw new Fault("sqlite_unsupported", message);
}

function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  for (const [index, wanted] of least.entries()) {
    const part = version[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
