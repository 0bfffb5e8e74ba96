import { z } from "zod";
import type { Worktrees } from "../kernel/lane/lane.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Network } from "../kernel/worker/manifest.ts";
import { parserOf, type Parser } from "../protocol/parse.ts";
import { serviceName } from "../protocol/roster/roster.ts";
import { flag, integer, oneOf, plainName, record, text } from "../protocol/scalar.ts";

/** `[fleet]`: what a new fleet is called, and how it is kept. */
export interface FleetSection {
  readonly name?: string;
  readonly store?: "sqlite";
  /** Whether regions fold the case of letters, for the life of a new fleet. */
  readonly fold_case?: boolean;
}

/** `[lanes.NAME]`: a region with a name. */
export interface LaneSection {
  readonly paths: readonly string[];
  readonly exclude?: readonly string[];
  readonly slots?: number;
  readonly alone?: boolean;
  readonly aliases?: readonly string[];
  readonly description?: string;
}

/** `[leases]`: whether ground must be leased to be written. */
export interface LeasesSection {
  readonly require?: boolean;
}

/** `[repository]`: whose ground the files of worktrees are. */
export interface RepositorySection {
  readonly worktrees?: Worktrees;
}

/** `[supervise]`: what `stint supervise --plan` and `--apply` aim at. */
export interface SuperviseSection {
  readonly target?: number;
  readonly lanes?: readonly string[];
  /** A program and its arguments; `{lane}` in them stands for the lane. */
  readonly template?: readonly [string, ...string[]];
  readonly network?: Network;
  readonly reap?: boolean;
  readonly count_spinning?: boolean;
}

/** `[roster]`: who is expected to live; how often each beats is read with its line. */
export interface RosterSection {
  readonly expected?: readonly string[];
  readonly every?: unknown;
  readonly services?: unknown;
}

/** `[roster.services.NAME]`: what is so of one of them; its values are checked afterwards. */
export interface ServiceSection {
  readonly every?: unknown;
  readonly instances?: number;
  readonly unit?: string;
  readonly start?: readonly [string, ...string[]];
  readonly stop?: readonly [string, ...string[]];
}

const patterns = z
  .array(text(LIMITS.regionPatternBytesMax, 1), { error: "an array of patterns" })
  .min(1, { error: "at least one pattern" })
  .max(LIMITS.regionPatternsMax, { error: `at most ${LIMITS.regionPatternsMax} patterns` });

function names(countMax: number): z.ZodType<readonly string[]> {
  return z
    .array(plainName, { error: "an array of names" })
    .max(countMax, { error: `at most ${countMax} names` });
}

/** Parses `[fleet]`. */
export const parseFleetSection: Parser<FleetSection> = parserOf(
  "fleet",
  record({
    name: plainName.optional(),
    store: oneOf(["sqlite"]).optional(),
    fold_case: flag.optional(),
  }) as unknown as z.ZodType<FleetSection>,
);

/** Parses `[lanes.NAME]`. */
export const parseLane: Parser<LaneSection> = parserOf(
  "lane",
  record({
    paths: patterns,
    exclude: patterns.optional(),
    slots: integer(1, LIMITS.laneSlotsMax).optional(),
    alone: flag.optional(),
    aliases: names(LIMITS.laneAliasesMax).optional(),
    description: text(LIMITS.noteBytesMax).optional(),
  }) as unknown as z.ZodType<LaneSection>,
);

/** Parses `[leases]`. */
export const parseLeases: Parser<LeasesSection> = parserOf(
  "leases",
  record({ require: flag.optional() }) as unknown as z.ZodType<LeasesSection>,
);

/** Parses `[repository]`. */
export const parseRepository: Parser<RepositorySection> = parserOf(
  "repository",
  record({
    worktrees: oneOf(["one_ground", "own_ground"]).optional(),
  }) as unknown as z.ZodType<RepositorySection>,
);

/** Parses `[supervise]`. */
export const parseSupervise: Parser<SuperviseSection> = parserOf(
  "supervise",
  record({
    target: integer(0, LIMITS.replicasMax).optional(),
    lanes: names(LIMITS.lanesMax).optional(),
    template: z
      .array(text(LIMITS.pathBytesMax, 1), {
        error: "an array of texts: a program and its arguments",
      })
      .min(1, { error: "at least a program" })
      .max(LIMITS.regionPatternsMax, { error: `at most ${LIMITS.regionPatternsMax} texts` })
      .optional(),
    network: oneOf(["none", "controller", "open"]).optional(),
    reap: flag.optional(),
    count_spinning: flag.optional(),
  }) as unknown as z.ZodType<SuperviseSection>,
);

/** Parses `[roster]`. */
export const parseRosterSection: Parser<RosterSection> = parserOf(
  "roster",
  record({
    expected: z
      .array(serviceName, { error: "an array of names" })
      .max(LIMITS.rosterMax, { error: `at most ${LIMITS.rosterMax} names` })
      .optional(),
    every: z.unknown().optional(),
    services: z.unknown().optional(),
  }) as unknown as z.ZodType<RosterSection>,
);

/** Parses `[roster.services.NAME]`, as far as which keys there are. */
export const parseService: Parser<ServiceSection> = parserOf(
  "service",
  record({
    every: z.unknown().optional(),
    instances: z.unknown().optional(),
    unit: z.unknown().optional(),
    start: z.unknown().optional(),
    stop: z.unknown().optional(),
  }) as unknown as z.ZodType<ServiceSection>,
);
