import { flatten, freeOf } from "./allowance.ts";
import type { Actor } from "../actor.ts";
import type { CommandMap } from "../command.ts";
import { findLive, grant, type Ruling } from "../decision.ts";
import { stopping } from "../worker/life.ts";
import type { State, Worker } from "../state.ts";

/**
 * Decides `budget.charge`: what was used is recorded whole, for it has happened; a worker that has
 * used more than it was given is told to stop.
 */
export function decideCharge(
  state: State,
  request: CommandMap["budget.charge"],
  so: { readonly actor: Actor; readonly ended: string | undefined },
): Ruling {
  const found = findLive(state, request.worker, so.ended);
  if (!found.ok) return found;
  const claimed = so.actor.kind === "worker";
  const charged = { kind: "budget.charged", data: { ...request, claimed } } as const;
  if (!overdrawn(found.worker, request)) return grant(charged);
  return grant(charged, ...stopping([found.worker], "budget_spent"));
}

function overdrawn(worker: Worker, request: CommandMap["budget.charge"]): boolean {
  return Object.entries(flatten(request.amounts)).some(([key, amount]) => {
    const free = freeOf(worker, key);
    return free !== undefined && amount > free;
  });
}
