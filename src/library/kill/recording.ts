import type { Actor } from "../../kernel/actor.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { errorText } from "../error-text.ts";
import type { Seat } from "../seat.ts";
import { recordable } from "./receipt.ts";

/**
 * Journals a signed receipt. Never throws: its caller holds the receipt, and the order that it is
 * about is durable without it.
 */
export async function recordReceipt(seat: Seat, receipt: JsonObject, by: Actor): Promise<void> {
  try {
    await seat.loop.submit({ kind: "receipt.record", data: recordable(receipt) }, by);
  } catch (error) {
    seat.log.warn("the receipt could not be journaled", { error: errorText(error) });
  }
}
