import type { CommandMap } from "../command.ts";
import { grant, type Ruling } from "../decision.ts";
import type { Event } from "../event.ts";
import type { State } from "../state.ts";
import type { InstanceName } from "./command.ts";
import { isForgettable, rollKey } from "./roll.ts";
import { RollRoom } from "./room.ts";
import { everyOf } from "./roster.ts";
import { judge, type JudgedStatus, type RollStatus, type Sighting } from "./sighting.ts";

/**
 * Decides `roll.observe`: a change is written for each sighting that is judged otherwise than its
 * row stands. A supervisor's word is taken for what it heard and for how long it heard nothing,
 * never for what follows. It goes on in a paused and in a killed fleet: to stand in the roll is no
 * right, and whoever ended a fleet wants to see who ends. Of an instance without room nothing is
 * written; those that have a row go on to be judged.
 */
export function decideRollObserve(state: State, request: CommandMap["roll.observe"]): Ruling {
  const events: Event[] = [];
  const judged = new Map<string, JudgedStatus>();
  let room: RollRoom | undefined;
  for (const sighting of request.sightings) {
    const key = rollKey(sighting);
    const from: RollStatus = judged.get(key) ?? state.roll.get(key)?.status ?? "unknown";
    const every_ms = everyOf(state.roster, sighting.name, sighting.every_ms);
    const { status: to, why } = judge(sighting, every_ms);
    if (from === to) continue;
    if (from === "unknown") {
      room ??= RollRoom.beside(state.roll.values());
      if (!room.admits(state.roster, sighting.name)) continue;
      room.add(sighting.name);
    }
    judged.set(key, to);
    const data = { ...heardOf(sighting), from, to, why, every_ms };
    events.push({ kind: "roll.changed", data });
  }
  return grant(...events);
}

/** What was heard, without what the verdict says of it in its own words. */
function heardOf(sighting: Sighting): Omit<Sighting, "every_ms" | "said"> {
  const { name, instance, silent_ms, beat_count } = sighting;
  return { name, instance, silent_ms, ...(beat_count === undefined ? {} : { beat_count }) };
}

/**
 * Decides `roll.forget`: the rows of those that have stopped or are stale. Whoever was heard again
 * since the supervisor looked stays, and so nobody is forgotten that lives.
 */
export function decideRollForget(state: State, request: CommandMap["roll.forget"]): Ruling {
  const forgotten = new Map<string, InstanceName>();
  for (const one of request.instances) {
    const row = state.roll.get(rollKey(one));
    if (row !== undefined && isForgettable(row)) forgotten.set(rollKey(one), one);
  }
  if (forgotten.size === 0) return grant();
  return grant({ kind: "roll.forgotten", data: { instances: [...forgotten.values()] } });
}
