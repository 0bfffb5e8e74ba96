// [roster]: who is expected to live, as a config proposes it.

import { LIMITS } from "../kernel/limits.ts";
import {
  EMPTY_ROSTER,
  SUPERVISOR_NAME,
  type Expected,
  type Roster,
} from "../kernel/roster/roster.ts";
import { describeValue } from "../protocol/input.ts";
import { parseExpected, parseRoster } from "../protocol/roster/roster.ts";
import { parseDuration } from "./amount.ts";
import { nearest } from "../kernel/lane/nearest.ts";
import { parseRosterSection, parseService } from "./section.ts";
import type { Reader } from "./reader.ts";

/** Reads the roster of a config; none is expected where nothing is said. */
export function readRoster(reader: Reader, table: unknown): Roster {
  if (table === undefined) return EMPTY_ROSTER;
  const section = reader.part(() => parseRosterSection(table));
  if (section === undefined) return EMPTY_ROSTER;
  const { expected: names = [], every, services: given } = section;
  const path = ["roster"];
  const everyMs = readEvery(reader, every, [...path, "every"]) ?? LIMITS.rollEveryMsDefault;
  checkNames(reader, names);
  const services = reader.table(given ?? {}, [...path, "services"]);
  checkServices(reader, Object.keys(services), names);
  const expected = names.flatMap((name) => {
    const service = readService(reader, services[name], name);
    return service === undefined ? [] : [{ every_ms: everyMs, instances: 1, ...service, name }];
  });
  const roster = { expected };
  if (reader.problems.length === 0) reader.part(() => parseRoster(roster), path);
  return roster;
}

function readService(reader: Reader, given: unknown, name: string): Partial<Expected> | undefined {
  if (given === undefined) return {};
  const path = ["roster", "services", name];
  const section = reader.part(() => parseService(given), path);
  if (section === undefined) return undefined;
  const { every, ...others } = section;
  const every_ms = readEvery(reader, every, [...path, "every"]);
  const { unit, start, stop } = others;
  if (unit !== undefined && (start ?? stop) !== undefined)
    reader.object([...path, "unit"], "absent beside start and stop", describeValue(unit));
  const known = { ...others, ...(every_ms === undefined ? {} : { every_ms }) };
  // Each by itself, so that what is wrong is named with its line.
  const whole = { every_ms: LIMITS.rollEveryMsDefault, instances: 1, ...known, name: "x" };
  return reader.part(() => parseExpected(whole), path) === undefined ? undefined : known;
}

function readEvery(reader: Reader, given: unknown, path: readonly string[]): number | undefined {
  if (given === undefined) return undefined;
  const shown = typeof given === "string" ? given : describeValue(given);
  const expected = 'a duration from "1s" to "1h"';
  const ms = reader.part(() => parseDuration(shown, "every", expected), path);
  if (ms === undefined) return undefined;
  if (ms >= LIMITS.rollEveryMsMin && ms <= LIMITS.rollEveryMsMax) return ms;
  reader.object(path, expected, describeValue(given));
  return undefined;
}

function checkNames(reader: Reader, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    const path = ["roster", "expected", String(index)];
    if (name === SUPERVISOR_NAME)
      reader.object(path, "the name of a service, not the supervisor's own", describeValue(name));
    if (names.indexOf(name) !== index)
      reader.object(path, "a name that stands once", describeValue(name));
  }
}

function checkServices(
  reader: Reader,
  services: readonly string[],
  names: readonly string[],
): void {
  for (const name of services) {
    if (names.includes(name)) continue;
    const like = nearest(name, names);
    const hint = like === undefined ? "" : `; did you mean ${like}?`;
    reader.object(["roster", "services", name], `a name of roster.expected${hint}`, "another");
  }
}
