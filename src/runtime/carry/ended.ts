import type { Command } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { isKnown, targetsOf } from "../../kernel/subject.ts";
import type { Journal } from "../../ports/journal.ts";

/** How many entries about an id are asked for, at first and when the first decide nothing. */
const pageSizes = [1, 64, LIMITS.readEntriesMax];

/** How ids of leases look; no worker has such a one. */
const leaseIdForm = /^l-[0-9]+$/;

/**
 * The workers, leases and tokens that a command is about and that may have ended: a text that
 * names a worker and looks like a lease, or the other way round, is neither.
 */
export function endableTargets(command: Command): readonly string[] {
  const lease: unknown = "lease" in command.data ? command.data.lease : undefined;
  return targetsOf(command).filter((id) => leaseIdForm.test(id) === (id === lease));
}

/** The targets of some commands that had ended by the time of a state, as the journal knows. */
export async function findEnded(
  journal: Journal,
  state: State,
  commands: readonly Command[],
): Promise<ReadonlySet<string>> {
  const ended = new Set<string>();
  for (const id of new Set(commands.flatMap(endableTargets))) {
    if (!isKnown(state, id) && (await hasLived(journal, id))) ended.add(id);
  }
  return ended;
}

/**
 * Whether the journal has entries about a worker, a lease or a token other than refusals of
 * commands that merely named it. Refusals say so themselves, by their code or by what was found
 * out for them then.
 */
async function hasLived(journal: Journal, id: string): Promise<boolean> {
  for (const limit of pageSizes) {
    const entries = await journal.about(id, limit);
    for (const entry of entries) {
      const said = saysItLived(entry, id);
      if (said !== undefined) return said;
    }
    if (entries.length < limit) return false;
  }
  return false;
}

/** Codes by which the rules have said that nobody had an id, and the fact that has the id. */
const UNKNOWN: Readonly<Record<string, string>> = {
  worker_unknown: "worker",
  parent_unknown: "parent",
  lease_unknown: "lease_id",
  token_unknown: "token",
};

function saysItLived(entry: Entry, id: string): boolean | undefined {
  if (entry.kind !== "command.refused") return true;
  if (entry.command?.ended === id) return true;
  const { code, facts } = entry.data;
  const fact = UNKNOWN[code];
  return fact !== undefined && facts[fact] === id ? false : undefined;
}
