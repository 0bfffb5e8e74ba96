import type { Actor } from "../../kernel/actor.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { errorText } from "../error-text.ts";
import type { Seat } from "../seat.ts";
import { recordable } from "./receipt.ts";

/**
 * Journals a signed receipt. Never throws: its caller holds the receipt, and the order that it is
 * about is durable without it. Under a command's id it is found again by it.
 */
export async function recordReceipt(
  seat: Seat,
  receipt: JsonObject,
  so: { readonly by: Actor; readonly id?: string | undefined },
): Promise<void> {
  try {
    const id = so.id === undefined ? {} : { id: so.id };
    await seat.loop.submit({ kind: "receipt.record", data: recordable(receipt) }, so.by, id);
  } catch (error) {
    seat.log.warn("the receipt could not be journaled", { error: errorText(error) });
  }
}
