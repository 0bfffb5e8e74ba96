import type { Submission } from "../kernel/command.ts";
import { decide } from "../kernel/decide.ts";
import { RULES, type Entry } from "../kernel/entry.ts";
import type { Refusal } from "../kernel/refusal.ts";
import { Fault } from "../ports/fault.ts";
import type { AppendOptions, Draft, Journal } from "../ports/journal.ts";
import { canonicalCopy } from "./canonical.ts";
import { recordOf } from "./carry/recorded-command.ts";
import type { Place } from "./place.ts";

/** What a command that was decided without a loop has come to. */
export interface DecidedAlone {
  readonly refusal: Refusal | null;
  /** The entries of the decision; none where there was nothing to do. */
  readonly entries: readonly Entry[];
}

/**
 * Decides one command on the fold of a whole journal and appends what follows, without a loop: for
 * a journal that no fleet has open, which is imported or mended. A decision on an empty journal
 * needs the fleet's id from the state, so that must hold one.
 *
 * Throws `Fault` `storage_busy` (retryable) when somebody has written meanwhile, and what appending
 * throws.
 */
export async function decideAlone(
  journal: Journal,
  { head, state }: Pick<Place, "head" | "state">,
  so: { readonly submission: Submission; readonly options?: AppendOptions },
): Promise<DecidedAlone> {
  const submission = canonicalCopy(so.submission);
  const { id, actor } = submission;
  let refusal: Refusal | null = null;
  const make = (atMs: number): readonly Draft[] => {
    const decision = decide(state, submission, atMs);
    ({ refusal } = decision);
    return canonicalCopy(decision.events).map((event, index): Draft => {
      const command = index === 0 ? recordOf(submission) : null;
      return { fleet: state.fleet ?? "", rules: RULES, id, actor, command, event };
    });
  };
  const outcome = await journal.append(head, make, so.options);
  if (outcome.kind === "appended") return { refusal, entries: outcome.entries };
  const message = `the journal must end at entry ${head.seq}, it was appended to`;
  throw new Fault("storage_busy", message, { retryable: true });
}
