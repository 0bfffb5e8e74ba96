import { askingContext } from "../../kernel/worker/asking.ts";
import type { State } from "../../kernel/state.ts";
import type { Journal, Recollection } from "../../ports/journal.ts";
import type { Random } from "../../ports/random.ts";
import { freshCommandId } from "../base32.ts";
import type { Findings } from "./batch.ts";
import { findEnded } from "./ended.ts";
import { takeVerdicts, type FunctionConditions } from "../function-condition.ts";
import type { Pending } from "./pending.ts";

/** Whom findings are made of. */
export interface Sources {
  readonly journal: Journal;
  readonly random: Random;
  readonly conditions: FunctionConditions;
}

/** What the look for a batch found: everything but the verdicts, which are taken last. */
export type Looked = Omit<Findings, "asked">;

/** Asks the journal's index what the state alone cannot tell about a batch. */
export async function lookUp(
  { journal }: Sources,
  state: State,
  batch: readonly Pending[],
): Promise<Looked> {
  const recollections = new Map<string, Recollection>();
  for (const { id, mayBeKnown } of batch) {
    const past = mayBeKnown ? await journal.recall(id) : undefined;
    if (past !== undefined) recollections.set(id, past);
  }
  const commands = batch.map(({ command }) => command);
  const ended = await findEnded(journal, state, commands);
  return { recollections, ended };
}

/**
 * Takes the verdicts of function conditions for the first command of a batch; null when none are
 * needed. To be called right before the append, on the state that the append expects.
 */
export function judgeFirst(
  { conditions, random }: Sources,
  state: State,
  batch: readonly Pending[],
): Findings["asked"] {
  const first = batch[0];
  const context = first === undefined ? null : askingContext(state, first.command);
  if (context === null) return null;
  return { verdicts: takeVerdicts(conditions, context), tickId: freshCommandId(random) };
}
