import type { Entry } from "../entry.ts";
import type { OrderedMap } from "../ordered-map.ts";
import type { State } from "../state.ts";
import { rollKey, type RollRow } from "./roll.ts";

/** An entry about the roster and the roll. */
export type RosterEntry = Extract<
  Entry,
  { readonly kind: `${"roster" | "roll" | "control" | "service"}.${string}` }
>;

/** The state after an entry about the roster and the roll. */
export function evolveRoster(state: State, entry: RosterEntry): State {
  switch (entry.kind) {
    case "roster.enacted":
      return { ...state, roster: entry.data };
    case "roll.changed":
      return { ...state, roll: changed(state.roll, entry) };
    case "roll.forgotten": {
      const { instances } = entry.data;
      const roll = instances.reduce((rows, one) => rows.delete(rollKey(one)), state.roll);
      return { ...state, roll };
    }
    // What was asked of services, and what became of it, is for the record and those who hear it.
    case "control.requested":
    case "service.acted":
      return state;
  }
}

function changed(
  roll: OrderedMap<RollRow>,
  { data, at_ms }: Entry<"roll.changed">,
): OrderedMap<RollRow> {
  const { name, instance, to, every_ms } = data;
  const key = rollKey(data);
  const first_ms = roll.get(key)?.first_ms ?? at_ms;
  return roll.set(key, { name, instance, status: to, since_ms: at_ms, first_ms, every_ms });
}
