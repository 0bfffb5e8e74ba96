import type { Refusal } from "../kernel/refusal.ts";
import { isPlainObject } from "../protocol/input.ts";
import { refusedAnswer, type RefusedAnswer } from "./refused.ts";
import type { Seat } from "./seat.ts";

/**
 * Makes the answer that says no, with the entry that records it. The loop answers with the newest
 * entry also what it does not record, as by the limit on refusals: that is then some other.
 */
export async function answerRefused(
  seat: Pick<Seat, "store">,
  { refusal, seq }: { readonly refusal: Refusal; readonly seq: number },
): Promise<RefusedAnswer> {
  const isOnRecord = await isRecordedAt(seat, seq, refusal);
  return refusedAnswer(refusal, isOnRecord ? seq : undefined);
}

async function isRecordedAt(
  { store }: Pick<Seat, "store">,
  seq: number,
  { code }: Refusal,
): Promise<boolean> {
  try {
    const [stored] = seq < 1 ? [] : await store.journal.readStored(seq - 1, 1);
    if (stored?.seq !== seq) return false;
    const entry: unknown = JSON.parse(stored.text);
    const data: unknown = isPlainObject(entry) ? entry["data"] : undefined;
    const isRefusal = isPlainObject(entry) && entry["kind"] === "command.refused";
    return isRefusal && isPlainObject(data) && data["code"] === code;
  } catch {
    // The rules have said no, whatever the store is like now; its next reader says what is wrong.
    return false;
  }
}
