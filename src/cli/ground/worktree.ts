import { nearest } from "../../kernel/lane/nearest.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { lookAtGround } from "../../system/ground/ground.ts";
import type { Call } from "../call.ts";

/** How many worktrees are named where one is meant that is none. */
const namedMax = 8;

/**
 * The worktree that was typed, else that of the current folder. Throws an InputError for one that
 * the repository does not have: a lease on it would be in nobody's way. A worker's supervisor looks
 * at no worktrees.
 */
export async function meantWorktree(
  call: Call,
  typed: string | undefined,
): Promise<string | undefined> {
  if (typed === undefined) return currentWorktree(call);
  if (call.workerTokenFile !== undefined) return typed;
  const { stateDir } = await call.place();
  const sight = lookAtGround({ stateDir, cwd: process.cwd() });
  if (!sight.ok || sight.ground.worktrees.includes(typed)) return typed;
  throw noWorktree(typed, sight.ground.worktrees);
}

function noWorktree(typed: string, there: readonly string[]): InputError {
  const like = nearest(typed, there);
  const named = there.slice(0, namedMax).map((id) => JSON.stringify(id));
  const more = there.length - named.length;
  const expected =
    `one of the repository's worktrees, ${named.join(", ")}` +
    (more > 0 ? ` and ${more} more` : "");
  const hint = like === undefined ? "" : `; did you mean ${JSON.stringify(like)}?`;
  const got = `${describeValue(typed)}${hint}`;
  return new InputError("usage", [{ path: "--worktree", expected, got }]);
}

/**
 * The worktree that the current folder lies in, of those of the fleet that is meant; undefined
 * where it lies in none of them, and for a worker, whose folder may be another's elsewhere.
 */
async function currentWorktree(call: Call): Promise<string | undefined> {
  if (call.workerTokenFile !== undefined) return undefined;
  const { stateDir } = await call.place();
  const sight = lookAtGround({ stateDir, cwd: process.cwd() });
  return sight.ok ? (sight.ground.worktree ?? undefined) : undefined;
}
