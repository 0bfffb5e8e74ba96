import type { Expected, Roster } from "../kernel/roster/roster.ts";
import { writeDuration } from "./amount.ts";
import { flatChanges, type Change } from "./change.ts";
import { quote } from "./contract-text.ts";
import { writeKey } from "./reader.ts";

/** Writes who is expected as tables of a config; nothing where nobody is. */
export function writeRoster({ expected }: Roster): string {
  if (expected.length === 0) return "";
  return [
    "",
    "[roster]",
    `expected = ${list(expected.map(({ name }) => name))}`,
    ...expected.flatMap((service) => [
      "",
      `[roster.services.${writeKey(service.name)}]`,
      ...fieldsOf(service).map(([field, value]) => `${field} = ${value}`),
    ]),
    "",
  ].join("\n");
}

/**
 * What enacting `after` would change in `before`: a service that is new or gone as a whole, one
 * that stays by its fields; and their order, where that is all that changes it.
 */
export function diffRoster(before: Roster, after: Roster): readonly Change[] {
  const names = [before, after].map(({ expected }) => expected.map(({ name }) => name));
  const isInBoth = (name: string): boolean => names.every((known) => known.includes(name));
  const flatten = ({ expected }: Roster): ReadonlyMap<string, string> =>
    new Map(expected.flatMap((service) => flatService(service, isInBoth(service.name))));
  const changes = flatChanges(flatten(before), flatten(after));
  if (changes.length > 0) return changes;
  const [was, will] = names.map((known) => new Map([["roster.expected", list(known)]]));
  return was === undefined || will === undefined ? [] : flatChanges(was, will);
}

type Field = readonly [string, string];

function flatService(service: Expected, isByField: boolean): readonly Field[] {
  const path = `roster.services.${writeKey(service.name)}`;
  const fields = fieldsOf(service);
  if (isByField) return fields.map(([field, value]) => [`${path}.${field}`, value]);
  return [[path, `{ ${fields.map(([field, value]) => `${field} = ${value}`).join(", ")} }`]];
}

/** The fields of a service as a config writes them. */
function fieldsOf({ every_ms, instances, unit, start, stop }: Expected): readonly Field[] {
  const fields: [string, string | undefined][] = [
    ["every", quote(writeDuration(every_ms))],
    ["instances", String(instances)],
    ["unit", unit === undefined ? undefined : quote(unit)],
    ["start", start === undefined ? undefined : list(start)],
    ["stop", stop === undefined ? undefined : list(stop)],
  ];
  return fields.flatMap(([field, value]) => (value === undefined ? [] : [[field, value] as const]));
}

function list(texts: readonly string[]): string {
  return `[${texts.map(quote).join(", ")}]`;
}
