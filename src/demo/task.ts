import { extname, join } from "node:path";
import type { Findings, Part } from "./analysis.ts";

/** What an analyst is told, as the state of its manifest. */
export interface AnalystTask {
  readonly root: string;
  /** The digest of the listing that the part's indexes are about. */
  readonly digest: string;
  readonly part: Part;
  /** Among how many workers a part is divided, by generation: the root's first. */
  readonly fan_out: readonly number[];
  /** What the part is; the contract's stop condition asks. */
  readonly kind: "own" | "vendored";
}

/** What an analyst has recorded when it is done, beside its task. */
export interface AnalystResult {
  readonly findings: Findings;
  /** What was refused to it, in the order it happened. */
  readonly refusals: readonly { readonly code: string; readonly message: string }[];
}

/** The parts that a process of the demo can play; each is a program of its own. */
const PROGRAMS = {
  analyst: "./analyst.ts",
  sleeper: "./sleeper.ts",
  mayfly: "./mayfly.ts",
  latecomer: "./latecomer.ts",
} as const;

/** A part that a process of the demo can play. */
export type Role = keyof typeof PROGRAMS;

/**
 * The command that runs a role under this very Node. `mark` is only there to be seen: whoever
 * lists the host's processes finds everything of this demo by it.
 */
export function commandFor(role: Role, mark: string): [string, ...string[]] {
  // Built, the programs lie there under this file's own extension.
  const program = PROGRAMS[role].replace(/\.ts$/, extname(import.meta.filename));
  return [process.execPath, join(import.meta.dirname, program), mark];
}
