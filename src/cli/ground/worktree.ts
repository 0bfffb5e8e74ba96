import { demandWorktree } from "../../library/ground/placing.ts";
import { lookAtGround } from "../../system/ground/ground.ts";
import type { Call } from "../call.ts";

/**
 * The worktree that was typed, else that of the current folder. Throws an InputError for one that
 * the repository does not have: a lease on it would be in nobody's way. A worker's is for its
 * supervisor to look at, which sees more than it.
 */
export async function meantWorktree(
  call: Call,
  typed: string | undefined,
): Promise<string | undefined> {
  if (typed === undefined) return currentWorktree(call);
  if (call.workerTokenFile !== undefined) return typed;
  const { stateDir } = await call.place();
  const sight = lookAtGround({ stateDir, cwd: process.cwd() });
  if (sight.ok) demandWorktree(typed, sight.ground.worktrees, "--worktree");
  return typed;
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
