import { lookAtGround } from "../../system/ground/ground.ts";
import type { Call } from "../call.ts";

/**
 * The worktree that the current folder lies in, of those of the fleet that is meant; undefined
 * where it lies in none of them, and for a worker, whose folder may be another's elsewhere.
 */
export async function currentWorktree(call: Call): Promise<string | undefined> {
  if (call.workerTokenFile !== undefined) return undefined;
  const { stateDir } = await call.place();
  const sight = lookAtGround({ stateDir, cwd: process.cwd() });
  return sight.ok ? (sight.ground.worktree ?? undefined) : undefined;
}
