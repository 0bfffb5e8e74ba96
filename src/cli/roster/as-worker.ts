import type { Command } from "../../kernel/command.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { connectAsWorker } from "../../client/worker-connection.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { systemRandom } from "../../system/random.ts";

/** How a worker names itself to its own command line. */
export const SELF = "self";

/** A worker as its supervisor shows it to the worker above it: `self` is the one that asks. */
export async function seeAsWorker(tokenFile: string, reference: string): Promise<JsonObject> {
  const door = await connectAsWorker(tokenFile);
  try {
    if (reference === SELF) return (await door.self()).view;
    const seen = await door.worker(reference);
    if (seen.ok) return seen.view;
    throw new Refused(refusedAnswer(seen.refusal).refusal, seen.seq);
  } finally {
    await door.close();
  }
}

/**
 * Gives a command as a worker; `make` gets the id that the reference means. Answers the place of
 * the decision. Throws `Refused`: whatever the rules do not let that worker do.
 */
export async function giveAsWorker(
  tokenFile: string,
  reference: string,
  make: (worker: string) => Command,
): Promise<{ readonly worker: string; readonly seq: number }> {
  const door = await connectAsWorker(tokenFile);
  try {
    const worker = reference === SELF ? (await door.self()).manifest.instance : reference;
    const id = freshCommandId(systemRandom());
    const answer = await door.submit({ id, command: make(worker) });
    if (answer.ok) return { worker, seq: answer.seq };
    throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
  } finally {
    await door.close();
  }
}
