import type { Refused } from "../../library/refused.ts";
import type { Journal } from "../../ports/journal.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call } from "../call.ts";
import { demandKnown } from "./names.ts";
import { withJournal } from "./open-journal.ts";
import { readSelected } from "./selection.ts";
import { readTail } from "./tail.ts";

/**
 * The entry that records a refusal, where one does: not every refusal is an entry, and its `seq`
 * is then that of some other. Undefined also where the journal cannot be read now.
 */
export async function recordedAt(call: Call, { seq, code }: Refused): Promise<number | undefined> {
  if (seq === undefined || seq < 1) return undefined;
  try {
    return await withJournal(call, async (journal) => {
      for await (const entry of readTail(journal, { fromSeq: seq }))
        return entry.kind === "command.refused" && entry.data.code === code ? seq : undefined;
      return undefined;
    });
  } catch {
    // What is to be told is the refusal; what is wrong with the store, its next reader says.
    return undefined;
  }
}

/**
 * The newest refusal on record; with `worker`, a name or id, of those that it asked for or that
 * are about it. Reads the whole journal. Throws an InputError `entry_unknown` when there is none.
 */
export async function newestRefusal(journal: Journal, worker: string | undefined): Promise<number> {
  const id = worker === undefined ? undefined : await demandKnown(journal, worker);
  const kinds = ["command.refused"] as const;
  const wanted = { sinceSeq: undefined, countMax: 1, kinds, worker: id };
  for await (const { seq } of readSelected(journal, wanted)) return seq;
  const expected = "a refusal that is on record";
  throw new InputError("entry_unknown", [{ path: "--last", expected, got: "none" }]);
}
