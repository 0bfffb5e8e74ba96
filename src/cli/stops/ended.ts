import type { Fleet } from "../../library/fleet/fleet.ts";
import { Refused } from "../../library/refused.ts";
import type { Call } from "../call.ts";
import { findKnown } from "../record/names.ts";
import { withJournal } from "../record/open-journal.ts";
import { endWords, rowEndOf } from "../roster/row.ts";
import { instantText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";

/**
 * The ids that are meant where no live worker is: of the last that had the name, or an id that
 * begins so, as `logs` and `worker show` find it. What means nobody stays as it is.
 */
export async function meantOfAll(
  call: Call,
  fleet: Pick<Fleet, "worker">,
  texts: readonly string[],
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const text of texts) {
    const living = await fleet.worker(text);
    const id = living?.id ?? (await withJournal(call, (journal) => findKnown(journal, text)));
    ids.push(id ?? text);
  }
  return ids;
}

/** Adds to the refusal of whom has ended already who it was, how it ended and when. */
export async function namingTheEnd<T>(
  fleet: Pick<Fleet, "worker">,
  stopping: Promise<T>,
): Promise<T> {
  try {
    return await stopping;
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "worker_ended") throw error;
    const { refusal, seq } = error;
    const { worker: id } = refusal.facts;
    const view = typeof id === "string" ? await fleet.worker(id) : undefined;
    if (view === undefined || view.end === null) throw error;
    const how = endWords(rowEndOf(view.end)).join(", ");
    const message =
      `${refusal.message}; ${view.id} (${plainText(view.name)}) ended ` +
      `${instantText(view.end.atMs)}: ${how}`;
    throw new Refused({ ...refusal, message }, seq);
  }
}
