// [lanes.NAME], [leases] and [repository]: what a config proposes about ground.

import type { GroundRules, Lane } from "../kernel/lane/lane.ts";
import { parseRegion } from "../kernel/region/region.ts";
import { narrowTo } from "../kernel/region/rights.ts";
import { describeValue, InputError } from "../protocol/input.ts";
import { parseGroundRules } from "../protocol/lease.ts";
import { parseName } from "../protocol/worker.ts";
import type { Reader, Table } from "./reader.ts";
import { parseLane, parseLeases, parseRepository, type LaneSection } from "./section.ts";

/**
 * Reads the ground of a config; regions are as they are written, not canonical. `isCaseless`:
 * whether the config folds the case of letters. Objects to every lane that would be refused.
 */
export function readGround(reader: Reader, table: Table, isCaseless: boolean): GroundRules {
  const sections = Object.entries(reader.table(table["lanes"] ?? {}, ["lanes"]));
  const lanes = sections.flatMap(([name, section]) => {
    reader.part(() => parseName(name), ["lanes", name]);
    const lane = reader.part(() => parseLane(section), ["lanes", name]);
    if (lane === undefined) return [];
    checkRegion(reader, { name, lane, isCaseless });
    return [laneOf(name, lane)];
  });
  checkNames(reader, lanes);
  const { require = false } = reader.part(() => parseLeases(table["leases"] ?? {})) ?? {};
  const repository = reader.part(() => parseRepository(table["repository"] ?? {}));
  const ground: GroundRules = {
    lanes,
    worktrees: repository?.worktrees ?? "one_ground",
    require,
  };
  if (reader.problems.length === 0) checkSizes(reader, ground);
  return ground;
}

function laneOf(name: string, section: LaneSection): Lane {
  const { paths, exclude = [], slots, alone, aliases = [], description } = section;
  return {
    name,
    region: [...paths, ...exclude.map((pattern) => `!${pattern}`)],
    ...(slots === undefined ? {} : { slots }),
    // What is so without a word is left out, so that saying it is no change.
    ...(alone === true ? { alone } : {}),
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(description === undefined ? {} : { description }),
  };
}

/** Each pattern is looked at by itself, so that the one that is wrong can be named. */
function checkRegion(
  reader: Reader,
  so: { readonly name: string; readonly lane: LaneSection; readonly isCaseless: boolean },
): void {
  const { name, lane, isCaseless } = so;
  const countBefore = reader.problems.length;
  for (const field of ["paths", "exclude"] as const)
    for (const [index, pattern] of (lane[field] ?? []).entries()) {
      const path = ["lanes", name, field, String(index)];
      if (pattern.startsWith("!")) {
        reader.object(path, 'a pattern without a leading "!"', describeValue(pattern));
        continue;
      }
      const parsed = parseRegion([pattern], isCaseless);
      if (parsed.ok) continue;
      const { expected, got } = parsed.problem;
      reader.object(path, `a pattern with ${expected}`, `${got} in ${describeValue(pattern)}`);
    }
  if (reader.problems.length > countBefore) return;
  const narrowed = narrowTo(laneOf(name, lane).region, null, { isCaseless });
  if (narrowed.kind === "inside" || narrowed.kind === "outside") return;
  reader.object(["lanes", name, "paths"], `such that there is ${narrowed.expected}`, narrowed.got);
}

/** Objects to a name or alias that two lanes have, or that one has twice. */
function checkNames(reader: Reader, lanes: readonly Lane[]): void {
  const owners = new Map<string, string>();
  for (const { name } of lanes) owners.set(name, name);
  for (const { name, aliases = [] } of lanes)
    for (const [index, alias] of aliases.entries()) {
      const owner = owners.get(alias);
      const path = ["lanes", name, "aliases", String(index)];
      const expected = `a name of its own (lane ${owner} has it)`;
      if (owner !== undefined) reader.object(path, expected, describeValue(alias));
      owners.set(alias, name);
    }
}

/** What is too large as a whole; every part of it has been looked at. */
function checkSizes(reader: Reader, ground: GroundRules): void {
  try {
    parseGroundRules(ground);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const { path, expected, got } of error.problems) {
      const index = /^ground\.lanes\[(\d+)\]/.exec(path)?.[1];
      const name = index === undefined ? undefined : ground.lanes[Number(index)]?.name;
      reader.object(["lanes", ...(name === undefined ? [] : [name])], expected, got);
    }
  }
}
