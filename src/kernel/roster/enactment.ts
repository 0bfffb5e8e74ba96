import canonicalize from "canonicalize";
import type { CommandMap } from "../command.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import { checkAlive } from "../fleet/openness.ts";
import type { State } from "../state.ts";
import { expectedOf, SUPERVISOR_NAME, type Expected } from "./roster.ts";

/**
 * Decides `roster.enact`: who is expected is replaced as a whole. Rows of the roll stay; they are
 * judged by the new intervals from the next look on.
 */
export function decideEnactRoster(state: State, request: CommandMap["roster.enact"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const seen = new Set<string>();
  for (const service of request.expected) {
    const problem = problemOf(service, seen);
    if (problem !== null) return deny("roster_invalid", problem, { name: service.name });
    seen.add(service.name);
  }
  if (canonicalize(request) === canonicalize(state.roster)) return grant();
  return grant({ kind: "roster.enacted", data: request });
}

function problemOf(service: Expected, seen: ReadonlySet<string>): string | null {
  const { name, unit, start, stop } = service;
  if (seen.has(name)) return `names of the roster must each stand once, "${name}" stands twice`;
  if (name === SUPERVISOR_NAME)
    return `a name of the roster must be a service's, "${name}" is the supervisor's own`;
  if (unit !== undefined && (start ?? stop) !== undefined)
    return `"${name}" must have a unit or commands that start and stop it, got both`;
  return null;
}

/** Decides `service.note`: on record, of a service that the roster has. */
export function decideServiceNote(state: State, note: CommandMap["service.note"]): Ruling {
  const { name } = note;
  if (expectedOf(state.roster, name) !== undefined)
    return grant({ kind: "service.acted", data: note });
  const names = state.roster.expected.map((one) => one.name);
  const got = names.length === 0 ? "it expects none" : `it expects ${names.join(", ")}`;
  const message = `a service must be one of the roster in force, got "${name}" and ${got}`;
  return deny("service_unknown", message, { name, expected: names });
}
