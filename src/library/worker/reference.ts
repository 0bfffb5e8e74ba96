import { InputError, describeValue } from "../../protocol/input.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { isLive } from "../../kernel/state.ts";
import type { Who } from "../lease/holder.ts";
import { meansWorker } from "../lease/options.ts";
import type { Seat } from "../seat.ts";

/** A prefix of an id must be this long, `w-` included, to be one. */
const prefixCharsMin = 4;

/** How many of the workers that a text may mean are named. */
const namedMax = 5;

/**
 * Finds the id of the worker that a text means: an id, the name of exactly one live worker, or the
 * first 4 or more characters of exactly one live worker's id.
 *
 * A text that means no live worker is answered as it is: the rules then say that it is unknown, or
 * has ended, and that is on record. Throws an InputError when it means several.
 */
export function resolveWorker(state: State, reference: unknown, path = "worker"): string {
  if (
    typeof reference !== "string" ||
    reference === "" ||
    reference.length > LIMITS.commandIdCharsMax
  ) {
    const expected = "a worker's id, a unique prefix of it, or its name";
    throw new InputError("usage", [{ path, expected, got: describeValue(reference) }]);
  }
  if (state.workers.has(reference)) return reference;
  const live = [...state.workers.values()].filter(isLive);
  const named = live.filter(({ name }) => name === reference);
  const prefixed =
    reference.length < prefixCharsMin ? [] : live.filter(({ id }) => id.startsWith(reference));
  const meant = named.length > 0 ? named : prefixed;
  if (meant.length < 2) return meant[0]?.id ?? reference;
  const some = meant.slice(0, namedMax).map(({ id }) => id);
  const more = meant.length > namedMax ? `, and ${meant.length - namedMax} more` : "";
  const got = `${describeValue(reference)}, which means ${some.join(", ")}${more}`;
  throw new InputError("usage", [{ path, expected: "one worker", got }]);
}

/** The id that a text means, by the journal as it is now; see {@link resolveWorker}. */
export async function resolveNow(seat: Seat, reference: unknown): Promise<string> {
  return resolveWorker(await seat.loop.look(), reference);
}

/** The ids that several texts mean, each once, as {@link resolveNow} finds them. */
export async function resolveAllNow(
  seat: Seat,
  references: unknown,
): Promise<readonly [string, ...string[]]> {
  const given: readonly unknown[] = Array.isArray(references) ? references : [references];
  const state = await seat.loop.look();
  const ids = new Set(given.map((one) => resolveWorker(state, one)));
  const [first, ...others] = ids;
  if (first !== undefined) return [first, ...others];
  throw new InputError("usage", [{ path: "worker", expected: "at least one", got: "[]" }]);
}

/**
 * Finds out whom a text means, by the journal as it is now: a worker where it looks like the id of
 * one or begins with `worker:`, else an outside party of just this name. Throws an InputError when
 * it means several workers.
 */
export async function findWho(
  seat: { readonly loop: Pick<Seat["loop"], "state" | "look"> },
  text: string,
  path: string,
): Promise<Who> {
  const reference = meansWorker(text);
  if (reference === undefined) return { name: text };
  if (seat.loop.state().workers.has(reference)) return { worker: reference };
  return { worker: resolveWorker(await seat.loop.look(), reference, path) };
}
