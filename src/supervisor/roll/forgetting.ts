import { LIMITS } from "../../kernel/limits.ts";
import type { OrderedMap } from "../../kernel/ordered-map.ts";
import type { InstanceName } from "../../kernel/roster/command.ts";
import { isForgettable, type RollRow } from "../../kernel/roster/roll.ts";
import { RollRoom } from "../../kernel/roster/room.ts";
import type { Roster } from "../../kernel/roster/roster.ts";

/** A roll, or a name of it, that is fuller than this part of what it can have is crowded. */
const CROWDED = 0.75;

/**
 * Who is to be forgotten, who ended first before others: whoever ended before an instant, and where
 * a roll or a name is crowded as many more as it takes that it is not. So one that makes up
 * instances, or begins anew under another one again and again, does not shut itself or others out.
 */
export function whoToForget(
  { roll, roster }: { readonly roll: OrderedMap<RollRow>; readonly roster: Roster },
  beforeMs: number,
): readonly InstanceName[] {
  const room = RollRoom.beside(roll.values());
  const ended = [...roll.values()].filter(isForgettable);
  const forgotten: InstanceName[] = [];
  for (const { name, instance, since_ms } of ended.toSorted((a, b) => a.since_ms - b.since_ms)) {
    const isCrowded =
      room.count(name) > CROWDED * LIMITS.rollInstancesMax ||
      room.taken(roster) > CROWDED * LIMITS.rollRowsMax;
    if (since_ms > beforeMs && !isCrowded) continue;
    room.remove(name);
    forgotten.push({ name, instance });
  }
  return forgotten;
}
