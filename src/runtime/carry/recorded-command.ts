import type { Actor } from "../../kernel/actor.ts";
import type { Command, Submission, Verdicts } from "../../kernel/command.ts";
import type { Entry, RecordedCommand } from "../../kernel/entry.ts";
import { canonicalText } from "../canonical.ts";

/** A submission as its first entry records it: with what the loop looked up for it. */
export function recordOf({ command, ended }: Submission): RecordedCommand {
  return ended === undefined ? command : { ...command, ended };
}

/** The submission that a decision was taken on, from the first entry of that decision. */
export function submissionOf(
  entry: Pick<Entry, "id" | "actor">,
  recorded: RecordedCommand,
): Submission {
  const { ended, ...command } = recorded;
  const { id, actor } = entry;
  return ended === undefined ? { id, actor, command } : { id, actor, command, ended };
}

/**
 * A command without verdicts: what is asked. Verdicts are taken by the loop that decides, never
 * taken over from whoever asks.
 */
export function withoutVerdicts(command: Command): Command {
  if (!("verdicts" in command.data)) return command;
  const { verdicts: _, ...data } = command.data;
  return { kind: command.kind, data } as Command;
}

function withoutMeasures(command: Command): Command {
  if (!("parent_use" in command.data)) return command;
  const { parent_use: _, ...data } = command.data;
  return { kind: command.kind, data } as Command;
}

/** A command with the verdicts that the loop took for it. */
export function withVerdicts(command: Command, verdicts: Verdicts): Command {
  return { kind: command.kind, data: { ...command.data, verdicts } } as Command;
}

/**
 * What is asked and by whom, as text: equal for a command that is submitted again. What was
 * measured for it is left out: it will have changed.
 */
export function bodyOf(command: Command | RecordedCommand, { kind, id }: Actor): string {
  const { data } = withoutVerdicts(withoutMeasures(command));
  return canonicalText({ command: command.kind, data, actor: { kind, id } });
}
