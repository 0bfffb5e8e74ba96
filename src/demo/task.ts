import { existsSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import type { Findings, Part } from "./tree/analysis.ts";

/** What an analyst is told, as the state of its manifest. */
export interface AnalystTask {
  readonly root: string;
  /** The digest of the listing that the part's indexes are about. */
  readonly digest: string;
  /** Whether git names the files. */
  readonly git: boolean;
  /** The folder of the fleet itself, which is no part of the tree. */
  readonly except: string;
  readonly part: Part;
  /** Among how many workers a part is divided, by generation: the root's first. */
  readonly fan_out: readonly number[];
  /** What the part is; the contract's stop condition asks. */
  readonly kind: "own" | "vendored";
  readonly scratch: ScratchTask;
}

/** What is edited: a clone of the tree, or what stands for it. */
export interface ScratchTask {
  /** Where it lies. */
  readonly dir: string;
  /** What its paths begin with in regions: the fleet's ground is the folder around it. */
  readonly ground: string;
  /** The folder with git's settings. */
  readonly home: string;
  /** The folder of marks. */
  readonly desk: string;
  /** Whether there is git; without it edits are not committed. */
  readonly git: boolean;
  /** Whether it is a clone, and not made of copies. */
  readonly is_clone: boolean;
  /** Which file is whose to edit, by the names of workers. */
  readonly files: Readonly<Record<string, string>>;
}

/** The programs of the demo's workers, each a file of its own beside this one. */
export const PROGRAMS = {
  /** Analyses a part of the tree, alone or by children. */
  analyst: "./analyst.ts",
  /** Hangs. */
  sleeper: "./sleeper.ts",
  /** Dies. */
  mayfly: "./mayfly.ts",
  /** Misses beats for a while and recovers. */
  dozer: "./dozer.ts",
  /** Has descendants that leave its session and its parentage. */
  wanderer: "./wanderer.ts",
  /** Writes and computes without a pause. */
  ticker: "./ticker.ts",
  /** Takes a place. */
  idler: "./idler.ts",
} as const;

/** A part that a worker of the demo can play. */
export type Role = keyof typeof PROGRAMS;

/** How many processes of the wanderer's leave its session and its parentage. */
export const RUNAWAY_COUNT = 3;

/** What a runaway's command line is: nothing else in the fleet has it. */
export const RUNAWAY_COMMAND = ["sleep", "3607"] as const;

/**
 * The command that runs a role under this very Node. `mark` is only there to be seen: whoever
 * lists the host's processes finds everything of this demo by it.
 */
export function commandFor(role: Role, mark: string): [string, ...string[]] {
  return [process.execPath, programFile(role), mark];
}

/** The file of a role: as source, or built, where this file may be part of any other. */
export function programFile(role: Role): string {
  const { filename, dirname: here } = import.meta;
  const name = PROGRAMS[role].replace(/\.ts$/, extname(filename));
  const places = [here, join(here, "demo"), join(here, "../demo")].map((dir) => join(dir, name));
  return places.find((place) => existsSync(place)) ?? join(here, name);
}

/** The program `stint` of the package that this file belongs to: its root is somewhere above. */
export function stintFile(): string {
  let dir: string = import.meta.dirname;
  while (!existsSync(join(dir, BIN)) && dir !== dirname(dir)) dir = dirname(dir);
  return join(dir, BIN);
}

const BIN = "bin/stint.cjs";

/** What an analyst has recorded when it is done, beside its task. */
export interface AnalystResult {
  readonly findings: Findings;
}
