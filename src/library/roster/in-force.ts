import type { Roster } from "../../kernel/roster/roster.ts";
import type { State } from "../../kernel/state.ts";
import { InputError } from "../../protocol/input.ts";
import { canonicalText } from "../../runtime/canonical.ts";
import type { ParsedFleetOptions } from "../fleet/options.ts";
import { demand, type Seat } from "../seat.ts";

/**
 * Sees to it that the roster in force is the one that was given. Throws an InputError that names
 * the services in which they differ, or enacts the given one if asked, and where the fleet is still
 * being begun.
 */
export async function ensureRoster(
  seat: Seat,
  { roster: given, enact }: Pick<ParsedFleetOptions, "roster" | "enact">,
): Promise<void> {
  if (given === undefined) return;
  const state = seat.loop.state();
  if (canonicalText(given) === canonicalText(state.roster)) return;
  if (enact || isUntouched(state)) {
    await demand(seat, { kind: "roster.enact", data: given }, seat.owner);
    return;
  }
  const expected = "the roster in force, or given with enact: true";
  const got = `another: ${differingNames(state.roster, given)}`;
  throw new InputError("usage", [{ path: "options.roster", expected, got }]);
}

/** Whoever began it may have died between creating it and enacting its roster. */
function isUntouched({ total_count, roster, roll }: State): boolean {
  return roster.expected.length === 0 && total_count === 0 && roll.size === 0;
}

function differingNames(ours: Roster, theirs: Roster): string {
  const [was, will] = [ours, theirs].map(
    ({ expected }) => new Map(expected.map((one) => [one.name, canonicalText(one)])),
  );
  const names = new Set([...(was?.keys() ?? []), ...(will?.keys() ?? [])]);
  const differing = [...names].filter((name) => was?.get(name) !== will?.get(name));
  return differing.length === 0 ? "its order" : differing.join(", ");
}
