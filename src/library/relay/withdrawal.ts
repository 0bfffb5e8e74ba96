import { LIMITS } from "../../kernel/limits.ts";
import type { StartOrder } from "../../ports/supervision.ts";
import { errorText } from "../error-text.ts";
import type { Member } from "../member.ts";
import { settledWithin } from "../waiting.ts";
import { stopTree } from "../worker/stopping.ts";

/**
 * Takes a start back that was asked of a supervisor which has not answered:
 *
 *     order not decided yet ──▶ its id is used up by a stop: the admission is a mismatch, whenever
 *     admitted, not running ──▶ told to stop: nobody registers it any more
 *     running               ──▶ stopped and killed, as any worker is
 *
 * Never rejects, and takes no longer than a stop may take to be appended; that the start could not
 * be taken back is told to the operator.
 */
export async function withdraw(member: Member, order: StartOrder): Promise<void> {
  const { timers, log } = member.seat;
  const withdrawn = await settledWithin(tryWithdraw(member, order), LIMITS.killAppendMs, timers);
  if (withdrawn.kind === "done") return;
  const error = withdrawn.kind === "failed" ? errorText(withdrawn.error) : "it took too long";
  log.warn("a start could not be withdrawn", { worker: order.admission.instance, error });
}

async function tryWithdraw(member: Member, order: StartOrder): Promise<void> {
  const { seat } = member;
  const { by, id } = order;
  const { instance } = order.admission;
  const why = { reason: "requested", tree: true, detail: "its start was given up" } as const;
  const command = { kind: "worker.stop", data: { worker: instance, ...why } } as const;
  const first = await seat.loop.submit(command, by, { id });
  if (first.ok || first.refusal.code !== "command_mismatch") return;
  const worker = (await seat.loop.look()).workers.get(instance);
  if (worker === undefined) return;
  if (worker.registered_at_ms === null) await seat.loop.submit(command, by);
  else await stopTree(member, instance, { order: { ...why, graceMs: 0 }, by });
}
