import { LIMITS } from "../../kernel/limits.ts";
import type { Entry } from "../../kernel/entry.ts";
import { refuse, type RefusalCode } from "../../kernel/refusal.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Recollection } from "../../ports/journal.ts";
import type { Answer } from "../loop.ts";
import type { Pending } from "./pending.ts";
import { bodyOf } from "./recorded-command.ts";

/**
 * The answer to a command whose id was decided before: the first decision again, if it is the same
 * command and not too old. The refusals given here are not journaled: nothing is decided.
 */
export function answerAgain(
  pending: Pending,
  past: Recollection,
  now: { readonly atMs: number; readonly headSeq: number },
): Answer {
  const { id } = pending;
  const facts = { id, first_seq: past.firstSeq };
  const ageMs = now.atMs - past.atMs;
  if (ageMs > LIMITS.commandMemoryMs) {
    const bound = `at most ${LIMITS.commandMemoryMs} ms ago`;
    const message = `the command ${id} must have been decided ${bound}, it was ${ageMs} ms ago`;
    return no("command_expired", message, { ...facts, age_ms: ageMs });
  }
  const first = past.entries[0];
  const asked = first?.command ?? null;
  const isSame =
    first !== undefined &&
    asked !== null &&
    bodyOf(asked, first.actor) === bodyOf(pending.command, pending.actor);
  if (isSame) return answerFrom(past.entries);
  const message = `the id ${id} must be used for one command only, it was for another`;
  return no("command_mismatch", message, { ...facts, first_kind: asked?.kind ?? null });

  function no(code: RefusalCode, text: string, about: JsonObject): Answer {
    return { ok: false, seq: now.headSeq, refusal: refuse(code, text, about) };
  }
}

/** The answer that the entries of a decision gave. */
export function answerFrom(entries: readonly Entry[]): Answer {
  const last = entries.at(-1);
  const seq = last?.seq ?? 0;
  return last?.kind === "command.refused"
    ? { ok: false, seq, refusal: last.data }
    : { ok: true, seq, entries };
}
