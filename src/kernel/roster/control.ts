import type { CommandMap } from "../command.ts";
import { deny, grant, type Ruling } from "../decision.ts";
import { checkAlive } from "../fleet/openness.ts";
import { LIMITS } from "../limits.ts";
import type { State } from "../state.ts";
import { isOnCall, rowsOf } from "./roll.ts";

/**
 * Decides `control.request`: whom it reaches is found out here and stands in the entry, so that
 * the record says who was asked, whoever comes later. Reached are instances of the roll that have
 * not said goodbye, a stale one too since it may only be slow, and workers that run.
 */
export function decideControl(state: State, request: CommandMap["control.request"]): Ruling {
  const killed = checkAlive(state);
  if (killed !== null) return { ok: false, refusal: killed };
  const { name, instance, action, ttl_ms, data } = request;
  const isMeant = (id: string): boolean => instance === undefined || instance === id;
  const instances = rowsOf(state.roll, name)
    .filter((row) => isOnCall(row) && isMeant(row.instance))
    .map((row) => row.instance);
  const workers: string[] = [];
  for (const worker of state.workers.values())
    if (worker.name === name && worker.status === "running" && isMeant(worker.id))
      workers.push(worker.id);
  const count = instances.length + workers.length;
  if (count === 0) return denyNobody(state, request);
  const left = count - LIMITS.controlTargetsMax;
  const reached = instances.slice(0, LIMITS.controlTargetsMax);
  return grant({
    kind: "control.requested",
    data: {
      name,
      action,
      ttl_ms,
      instances: reached,
      workers: workers.slice(0, LIMITS.controlTargetsMax - reached.length),
      ...(left > 0 ? { left_out_count: left } : {}),
      ...(data === undefined ? {} : { data }),
    },
  });
}

function denyNobody({ roll }: State, { name, instance }: CommandMap["control.request"]): Ruling {
  const known = rowsOf(roll, name).find((row) => row.instance === instance);
  const who =
    instance === undefined ? `an instance or worker named "${name}"` : `${name}/${instance}`;
  const got = known === undefined ? "none does" : `it is ${known.status}`;
  const facts = { name, ...(instance === undefined ? {} : { instance }) };
  return deny("instance_unknown", `${who} must live, ${got}`, facts);
}
