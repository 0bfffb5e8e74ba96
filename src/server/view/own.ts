import { refuse } from "../../kernel/refusal.ts";
import { listLineage } from "../../library/worker/history.ts";
import type { WorkerView } from "../../library/worker/view.ts";
import { resolveNow } from "../../library/worker/reference.ts";
import { answerRefusal } from "../answer/problem.ts";
import type { Caller } from "../auth/caller.ts";
import type { ServerWorld } from "../world.ts";

/** The id that a text means; a worker's token shows that worker and those below it alone. */
export async function ownOr(
  { member }: ServerWorld,
  reference: string,
  { role, token }: Caller,
): Promise<string> {
  const { seat } = member;
  if (role !== "worker") return resolveNow(seat, reference);
  const own = token.worker ?? "";
  if (reference === own) return own;
  const line = await listLineage(seat, reference);
  // Whether there is such a worker at all is nothing that it has to know.
  return line.some(({ id }) => id === own) ? reference : "another's";
}

/** A worker's line up to its root; for a worker's token up to that worker. */
export async function ownLineOf(
  { member }: ServerWorld,
  id: string,
  { role, token }: Caller,
): Promise<readonly WorkerView[]> {
  const line = await listLineage(member.seat, id);
  const end = role === "worker" ? line.findIndex((one) => one.id === token.worker) + 1 : Infinity;
  return line.slice(0, end);
}

/** Says that a caller knows of no such worker. */
export function answerUnknown(seat: ServerWorld["member"]["seat"], id: string): Response {
  const message = "the id must be a worker's that this token may see, no such worker is known";
  return answerRefusal(refuse("worker_unknown", message, { worker: id }), seat.loop.head().seq);
}
