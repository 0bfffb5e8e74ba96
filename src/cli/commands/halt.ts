import type { CommandMap } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Call, Said } from "../call.ts";
import { RUN_ID_OPTION } from "../ground/acquiring.ts";
import { leaseIdText, reasonOption, textOption } from "../ground/asked.ts";
import { atDesk } from "../ground/desk.ts";
import { plainText } from "../text/plain.ts";
import type { Given, Verb } from "../verb.ts";

const halt: Verb = {
  name: "halt",
  summary: "Ask on record for somebody to halt",
  details:
    "Records that a party which Stint does not run, named by a handle of yours, should halt, and " +
    "why. Nothing is stopped by it, and a proposed command is shown and never executed: whoever " +
    "runs that party reads it by `stint journal tail --kind halt.requested`. Workers of the " +
    "fleet are stopped by `stint stop`.",
  parameters: "<handle>",
  options: [
    {
      flags: "--reason <text>",
      description: "why, for the record",
      parse: reasonOption,
      isRequired: true,
    },
    {
      flags: "--propose <command>",
      description: "a command that would do it; shown, never executed",
      parse: textOption("--propose", LIMITS.evidenceBytesMax),
    },
    {
      flags: "--lease <id>",
      description: "the lease that it is about",
      parse: (text) => leaseIdText(text, "--lease"),
    },
    RUN_ID_OPTION,
  ],
  examples: [
    "stint halt agent-7 --reason 'writes outside its lane' --lease l-17",
    "stint halt ci/4711 --reason 'superseded' --propose 'gh run cancel 4711' --json",
  ],
  isForWorkers: true,
  run,
};

/** The verb that asks for a halt. */
export const VERBS: readonly Verb[] = [halt];

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const handle = textOption("HANDLE", LIMITS.actorTextCharsMax)(String(parameters[0]));
  const { reason, propose, lease, runId } = options as {
    readonly reason: string;
    readonly propose?: string;
    readonly lease?: string;
    readonly runId?: string;
  };
  const data: CommandMap["halt.request"] = {
    handle,
    reason,
    ...(propose === undefined ? {} : { proposed: propose }),
    ...(lease === undefined ? {} : { lease }),
    ...(runId === undefined ? {} : { run_id: runId }),
  };
  const { seq } = await atDesk(call, (desk) => desk.give({ kind: "halt.request", data }));
  const text = `asked at entry ${seq} for ${plainText(handle)} to halt; nothing was stopped`;
  return { data: { handle, lease_id: lease ?? null }, text, seq };
}
