import type { Member } from "../member.ts";
import { stopAll, type StopsAsked } from "../worker/stopping.ts";
import { showReceipt, signReceipt, type Receipt } from "./receipt.ts";
import { recordReceipt } from "./recording.ts";

/**
 * Stops workers by one order, waits for their ends, and answers the signed receipt, which is then
 * journaled. Throws as {@link stopAll} does; who does not end in time is a survivor of the receipt.
 */
export async function stopWithReceipt(
  member: Member,
  ids: readonly string[],
  so: StopsAsked & {
    /** The command id under which the receipt is journaled. */
    readonly receiptId?: string | undefined;
  },
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
  await recordReceipt(seat, receipt, { by: so.by, id: so.receiptId });
  return showReceipt(receipt);
}
