import { canonicalLane } from "../../kernel/lane/canonical.ts";
import { DEFAULT_GROUND_RULES, type GroundRules } from "../../kernel/lane/lane.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { InputError } from "../../protocol/input.ts";
import type { ParsedFleetOptions } from "../fleet/options.ts";
import { demand, type Seat } from "../seat.ts";

/**
 * Sees to it that the lanes and rules about ground in force are those that were given. Throws an
 * InputError that names the differences, or enacts the given ones if asked, and where the fleet is
 * still being begun. How a fleet folds case cannot be changed at all.
 */
export async function ensureGround(
  seat: Seat,
  options: Pick<ParsedFleetOptions, "ground" | "foldCase" | "enact">,
): Promise<void> {
  const { ground: given, foldCase, enact } = options;
  const state = seat.loop.state();
  const { foldsCase, rules } = state.book;
  if (foldCase !== undefined && foldCase !== foldsCase)
    throw wrong("foldCase", `${String(foldsCase)}, as the fleet was created`, String(foldCase));
  if (given === undefined) return;
  const differences = listDifferences(rules, given, foldsCase);
  if (differences.length === 0) return;
  if (enact || isUntouched(state)) {
    await demand(seat, { kind: "lanes.enact", data: given }, seat.owner);
    return;
  }
  const expected = "the lanes and rules in force, or given with enact: true";
  throw wrong("lanes", expected, `others: ${differences.join("; ")}`);
}

/** Whoever began it may have died between creating it and enacting its lanes. */
function isUntouched({ total_count, book: { rules, leases } }: State): boolean {
  const isPlain = JSON.stringify(rules) === JSON.stringify(DEFAULT_GROUND_RULES);
  return isPlain && total_count === 0 && leases.size === 0;
}

/** Where they differ, each as `name: in force …, given …`; the order of lanes is no difference. */
function listDifferences(
  inForce: GroundRules,
  given: GroundRules,
  foldsCase: boolean,
): readonly string[] {
  const [ours, theirs] = [fieldsOf(inForce, foldsCase), fieldsOf(given, foldsCase)];
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((field) => ours.get(field) !== theirs.get(field))
    .map((field) => {
      const [our = "nothing", their = "nothing"] = [ours.get(field), theirs.get(field)];
      return `${field}: in force ${our}, given ${their}`;
    });
}

function fieldsOf(
  { lanes, worktrees, require }: GroundRules,
  foldsCase: boolean,
): ReadonlyMap<string, string> {
  return new Map([
    ...lanes.map((lane): [string, string] => {
      const { name, alone = false, aliases = [], ...others } = canonicalLane(lane, foldsCase);
      const { region, slots, description } = others;
      return [`lanes.${name}`, JSON.stringify({ region, slots, alone, aliases, description })];
    }),
    ["worktrees", JSON.stringify(worktrees)],
    ["requireLease", String(require)],
  ]);
}

function wrong(field: string, expected: string, got: string): InputError {
  const path = `options.${field}`;
  return new InputError("usage", [{ path, expected, got: got.slice(0, LIMITS.noteBytesMax) }]);
}
