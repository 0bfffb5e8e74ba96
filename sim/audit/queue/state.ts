import { isDeepStrictEqual } from "node:util";
import type { State } from "../../../src/kernel/state.ts";
import type { Problem } from "../books.ts";
import { standing, type QueueBooks } from "./books.ts";

/** Where the true state and the ledger of those who wait do not agree. */
export function placeStateProblems(books: QueueBooks, { book }: State): readonly Problem[] {
  const known = standing(books);
  const said = [...book.queue.places.values()].map((place) => {
    const { id, rank, holder, ask, worktree, cancelled, grounds: stakes } = place;
    const { queued_at_ms: queuedAtMs, deadline_ms: deadlineMs, until_ms: untilMs } = place;
    const ends = { queuedAtMs, deadlineMs, untilMs, cancelled, isGone: false };
    return { id, rank, holder, ask, stakes, worktree, ...ends };
  });
  if (isDeepStrictEqual(said, known)) return [];
  const message = `${JSON.stringify(known)} wait, the state has ${JSON.stringify(said)}`;
  return [{ rule: "SM2", message }];
}
