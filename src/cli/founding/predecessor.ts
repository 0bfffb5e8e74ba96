import { readdirSync } from "node:fs";
import type { JsonObject } from "../../kernel/json.ts";
import { isLive, type State } from "../../kernel/state.ts";
import { Refused } from "../../library/refused.ts";
import { Fault } from "../../ports/fault.ts";
import { isPermit } from "../../system/places.ts";
import { holdsFleet } from "../place.ts";

/** The fleet that lies in a state folder. */
export type Predecessor =
  | { readonly kind: "none" }
  | { readonly kind: "alive"; readonly state: State; readonly seq: number }
  | { readonly kind: "killed"; readonly fleet: string | undefined };

/**
 * Looks at the fleet in a state folder. One whose journal cannot be read counts as killed when its
 * permit is gone: that is what a kill leaves where it could not write. Throws the journal's fault
 * otherwise.
 */
export async function lookAt(stateDir: string): Promise<Predecessor> {
  if (!holdsFleet(stateDir)) return { kind: "none" };
  const { readFleet } = await import("../../compose/reading.ts");
  try {
    const { state, seq } = await readFleet(stateDir);
    // A journal that nothing was ever written to: whoever began it died before its first entry.
    if (state.fleet === null) return { kind: "none" };
    if (state.status !== "killed") return { kind: "alive", state, seq };
    mustBeEnded(state);
    return { kind: "killed", fleet: state.fleet };
  } catch (error) {
    const isBroken = error instanceof Fault && error.code.startsWith("journal_");
    if (!isBroken || hasPermit(stateDir)) throw error;
    return { kind: "killed", fleet: undefined };
  }
}

/** The refusal of a fleet that is killed, with the line to type. */
export function killedRefusal(fleet: string | undefined): Refused {
  return new Refused({
    code: "fleet_killed",
    message:
      "the fleet must be alive, it was killed for good: `stint init --new-fleet` archives its " +
      "journal and begins a new one",
    facts: fleet === undefined ? {} : { fleet },
  });
}

/** The refusal to begin anew beside a fleet that is alive. */
export function aliveRefusal({ fleet, name }: State): Refused {
  return new Refused({
    code: "fleet_exists",
    message:
      `the fleet must have been killed before a new one takes its place, "${name}" is alive: ` +
      "`stint kill --reason REASON` ends it for good",
    facts: { fleet },
  });
}

/** What is not proven to have ended must stay known: its record goes with the journal. */
function mustBeEnded(state: State): void {
  const live = [...state.workers.values()].filter(isLive);
  if (live.length === 0) return;
  const facts: JsonObject = { workers: live.map(({ id }) => id) };
  throw new Refused({
    code: "workers_live",
    message:
      `every worker of the killed fleet must have ended first, ${live.length} are not proven to ` +
      "have: `stint kill --reason REASON --yes` sweeps again, `stint worker write-off ID` gives up",
    facts,
  });
}

function hasPermit(stateDir: string): boolean {
  return readdirSync(stateDir).some(isPermit);
}
