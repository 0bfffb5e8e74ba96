import { targetsOf } from "../../kernel/decide.ts";
import { askingContext } from "../../kernel/worker/asking.ts";
import type { State } from "../../kernel/state.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Journal, Recollection } from "../../ports/journal.ts";
import type { Random } from "../../ports/random.ts";
import { freshCommandId } from "../base32.ts";
import type { Findings } from "./batch.ts";
import { takeVerdicts, type FunctionConditions } from "../function-condition.ts";
import type { Pending } from "./pending.ts";

/** How many entries about a worker are asked for, at first and when the first decide nothing. */
const pageSizes = [1, 64, LIMITS.readEntriesMax];

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
  const ended = new Set<string>();
  for (const worker of new Set(batch.flatMap(({ command }) => targetsOf(command)))) {
    if (!state.workers.has(worker) && (await hasLived(journal, worker))) ended.add(worker);
  }
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

/**
 * Whether the journal has entries about a worker other than refusals of commands that merely named
 * it. Refusals say so themselves, by their code or by what was found out for them then.
 */
async function hasLived(journal: Journal, worker: string): Promise<boolean> {
  for (const limit of pageSizes) {
    const entries = await journal.about(worker, limit);
    for (const entry of entries) {
      const said = saysItLived(entry, worker);
      if (said !== undefined) return said;
    }
    if (entries.length < limit) return false;
  }
  return false;
}

function saysItLived(entry: Entry, worker: string): boolean | undefined {
  if (entry.kind !== "command.refused") return true;
  if (entry.command?.ended === worker) return true;
  const { code, facts } = entry.data;
  if (code === "worker_unknown") return facts["worker"] === worker ? false : undefined;
  if (code === "parent_unknown") return facts["parent"] === worker ? false : undefined;
  return undefined;
}
