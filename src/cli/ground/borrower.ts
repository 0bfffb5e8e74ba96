import { isLive } from "../../kernel/state.ts";
import type { Desk } from "../../library/desk/desk.ts";
import { meansWorker, WORKER_ID } from "../../library/lease/options.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call } from "../call.ts";

/** How many workers are named where none has the name that was typed. */
const namedMax = 5;

/**
 * The id of the worker that a part of a lease is lent to. It can only be a worker, so a plain name
 * is that of one here; an id is for the rules to know. Throws an InputError that names those there
 * are, where a name is none's.
 */
export async function findBorrower(call: Call, desk: Desk, text: string): Promise<string> {
  const isName = meansWorker(text) === undefined;
  if (isName && desk.self !== null)
    throw wrong("the id of a worker below this one, as `stint spawn` answers it", text);
  const who = await desk.findWho(isName ? `worker:${text}` : text, "--to");
  const { worker } = "worker" in who ? who : { worker: text };
  // What is no id is a name that no live worker has.
  if (WORKER_ID.test(worker) || desk.self !== null) return worker;
  throw wrong(`a live worker, by its id or name (${await namesThere(call)})`, text);
}

async function namesThere(call: Call): Promise<string> {
  const { state } = await call.read();
  const live = [...state.workers.values()].filter(isLive);
  if (live.length === 0) return "none lives";
  const named = live.slice(0, namedMax).map(({ id, name }) => `${id} ${JSON.stringify(name)}`);
  const more = live.length - named.length;
  return `there are ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function wrong(expected: string, got: string): InputError {
  return new InputError("usage", [{ path: "--to", expected, got: describeValue(got) }]);
}
