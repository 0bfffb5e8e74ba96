import { canonicalLane } from "../kernel/lane/canonical.ts";
import { DEFAULT_GROUND_RULES, type GroundRules, type Lane } from "../kernel/lane/lane.ts";
import { flatChanges, type Change } from "./change.ts";
import { quote } from "./contract-text.ts";
import { writeKey } from "./reader.ts";

/** Writes the lanes and rules about ground as tables of a config; nothing for the defaults. */
export function writeGround({ lanes, worktrees, require }: GroundRules): string {
  const { worktrees: shared } = DEFAULT_GROUND_RULES;
  return [
    ...lanes.flatMap((lane) => [
      "",
      `[lanes.${writeKey(lane.name)}]`,
      ...fieldsOf(lane).map(([field, value]) => `${field} = ${value}`),
    ]),
    ...(require ? ["", "[leases]", "require = true"] : []),
    ...(worktrees === shared ? [] : ["", "[repository]", `worktrees = ${quote(worktrees)}`]),
    "",
  ].join("\n");
}

/**
 * What enacting `after` would change in `before`: a lane that is new or gone as a whole, one that
 * stays by its fields. Two ways to write one region are no change.
 */
export function diffGround(
  before: GroundRules,
  after: GroundRules,
  foldsCase: boolean,
): readonly Change[] {
  const names = [before, after].map(({ lanes }) => new Set(lanes.map(({ name }) => name)));
  const isInBoth = (name: string): boolean => names.every((known) => known.has(name));
  const flatten = ({ lanes }: GroundRules): ReadonlyMap<string, string> =>
    new Map(lanes.flatMap((lane) => flatLane(canonicalLane(lane, foldsCase), isInBoth(lane.name))));
  return [
    ...flatChanges(flatten(before), flatten(after)),
    ...flatChanges(othersOf(before), othersOf(after)),
  ];
}

/** What is said about ground besides its lanes. */
function othersOf({ require, worktrees }: GroundRules): ReadonlyMap<string, string> {
  return new Map([
    ["leases.require", String(require)],
    ["repository.worktrees", quote(worktrees)],
  ]);
}

type Field = readonly [string, string];

function flatLane(lane: Lane, isByField: boolean): readonly Field[] {
  const path = `lanes.${writeKey(lane.name)}`;
  const fields = fieldsOf(lane);
  if (isByField) return fields.map(([field, value]) => [`${path}.${field}`, value]);
  return [[path, `{ ${fields.map(([field, value]) => `${field} = ${value}`).join(", ")} }`]];
}

/** The fields of a lane as a config writes them. */
function fieldsOf({ region, slots, alone, aliases = [], description }: Lane): readonly Field[] {
  const paths = region.filter((pattern) => !pattern.startsWith("!"));
  const exclude = region.filter((pattern) => pattern.startsWith("!"));
  const fields: [string, string | undefined][] = [
    ["description", description === undefined ? undefined : quote(description)],
    ["paths", list(paths)],
    ["exclude", list(exclude.map((pattern) => pattern.slice(1)))],
    ["slots", slots === undefined ? undefined : String(slots)],
    ["alone", alone === true ? "true" : undefined],
    ["aliases", list(aliases)],
  ];
  return fields.flatMap(([field, value]) => (value === undefined ? [] : [[field, value] as const]));
}

function list(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : `[${texts.map(quote).join(", ")}]`;
}
