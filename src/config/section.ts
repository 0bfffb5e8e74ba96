import { z } from "zod";
import { LIMITS } from "../kernel/limits.ts";
import { parserOf, type Parser } from "../protocol/parse.ts";
import { flag, integer, oneOf, plainName, record, text } from "../protocol/scalar.ts";

/** `[fleet]`: what a new fleet is called, and how it is kept. */
export interface FleetSection {
  readonly name?: string;
  readonly store?: "sqlite";
  /** Whether regions fold the case of letters; for later versions. */
  readonly fold_case?: boolean;
}

/** `[lanes.NAME]`: a region with a name; for later versions. */
export interface LaneSection {
  readonly paths: readonly string[];
  readonly exclude?: readonly string[];
  readonly slots?: number;
  readonly alone?: boolean;
  readonly aliases?: readonly string[];
  readonly description?: string;
}

/** `[roster]`: who is expected; for later versions. */
export interface RosterSection {
  readonly expected?: readonly string[];
}

const slotsMax = 10_000;

const patterns = z
  .array(text(LIMITS.regionPatternBytesMax, 1), { error: "an array of patterns" })
  .min(1, { error: "at least one pattern" })
  .max(LIMITS.regionPatternsMax, { error: `at most ${LIMITS.regionPatternsMax} patterns` });

const names = z
  .array(plainName, { error: "an array of names" })
  .max(LIMITS.regionPatternsMax, { error: `at most ${LIMITS.regionPatternsMax} names` });

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
    slots: integer(1, slotsMax).optional(),
    alone: flag.optional(),
    aliases: names.optional(),
    description: text(LIMITS.noteBytesMax).optional(),
  }) as unknown as z.ZodType<LaneSection>,
);

/** Parses `[roster]`. */
export const parseRoster: Parser<RosterSection> = parserOf(
  "roster",
  record({ expected: names.optional() }) as unknown as z.ZodType<RosterSection>,
);
