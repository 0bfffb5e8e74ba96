import type { Actor } from "../../kernel/actor.ts";
import type { Member } from "../member.ts";
import type { StopOrder } from "../worker/stop-order.ts";
import { stopAll } from "../worker/stopping.ts";
import { showReceipt, signReceipt, type Receipt } from "./receipt.ts";
import { recordReceipt } from "./recording.ts";

/**
 * Stops workers by one order, waits for their ends, and answers the signed receipt, which is then
 * journaled. Throws as {@link stopAll} does; who does not end in time is a survivor of the receipt.
 */
export async function stopWithReceipt(
  member: Member,
  ids: readonly string[],
  so: { readonly order: StopOrder; readonly by: Actor },
): Promise<Receipt> {
  const { seat } = member;
  const startedMs = seat.clock.monotonicMs();
  const { seq, workers } = await stopAll(member, ids, so);
  const receipt = signReceipt(seat.keys.signer, {
    order: "stop",
    fleet: seat.fleet,
    seq,
    reason: so.order.detail ?? so.order.reason,
    durationMs: seat.clock.monotonicMs() - startedMs,
    workers,
    troubles: [],
  });
  await recordReceipt(seat, receipt, so.by);
  return showReceipt(receipt);
}
