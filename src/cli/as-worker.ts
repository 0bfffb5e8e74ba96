import type { Command } from "../kernel/command.ts";
import { Refused, refusedAnswer } from "../library/refused.ts";
import { Fault } from "../ports/fault.ts";
import type { CommandAnswer } from "../ports/supervision.ts";
import { freshCommandId } from "../runtime/base32.ts";
import { systemRandom } from "../system/random.ts";
import type { Given } from "./verb.ts";

/**
 * The refusal of a verb that is the operator's and was called by a worker, who never falls back to
 * the operator's rights. Verbs that are one command are asked of the supervisor as that worker, so
 * that the attempt is on record; what cannot be asked, and what only reads, is refused here.
 */
export async function refuseWorker(
  verb: string,
  so: { readonly given: Given; readonly tokenFile: string },
): Promise<Refused> {
  const command = commandOf(verb, so.given);
  const answer = command === undefined ? undefined : await ask(command, so.tokenFile);
  // A rule that would let a worker do it would have been asked for by a verb that is for workers.
  if (answer === undefined || answer.ok) return notAsWorker(verb);
  return new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
}

/** What a worker may do where it called for what is the operator's. */
const INSTEAD: Readonly<Record<string, string>> = {
  "lane ls":
    "a worker acquires a lane by its name, `stint lease acquire --lane NAME`; an unknown name is " +
    "refused with those that are like it, or that are there",
  "lease revoke": "a worker gives back what it holds: `stint lease release ID`",
};

/** The refusal of a verb that only an operator may call; `instead`: what a worker may do. */
export function notAsWorker(verb: string, instead = INSTEAD[verb]): Refused {
  return new Refused({
    code: "not_authorised",
    message:
      `\`stint ${verb}\` must be called by the operator, it was called by a worker ` +
      "(STINT_WORKER_TOKEN_FILE is set)" +
      (instead === undefined ? "" : `; ${instead}`),
    facts: { verb },
  });
}

/** The command that a verb comes down to, where only an operator may give it. */
function commandOf(verb: string, { options }: Given): Command | undefined {
  const { reason: given } = options;
  const reason = typeof given === "string" ? given : verb;
  if (verb === "pause") return { kind: "fleet.pause", data: { reason } };
  if (verb === "resume") return { kind: "fleet.resume", data: { reason } };
  if (verb === "kill") return { kind: "fleet.kill", data: { reason } };
  if (verb === "fleet accept-clock") return { kind: "clock.accept", data: { reason } };
  return undefined;
}

async function ask(command: Command, tokenFile: string): Promise<CommandAnswer | undefined> {
  const { connectAsWorker } = await import("../client/worker-connection.ts");
  try {
    const door = await connectAsWorker(tokenFile);
    try {
      return await door.submit({ id: freshCommandId(systemRandom()), command });
    } finally {
      await door.close();
    }
  } catch (error) {
    // Nobody to ask: that makes it no more allowed.
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
