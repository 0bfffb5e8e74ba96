import type { Command, CommandMap } from "../../kernel/command.ts";
import { isPlaced } from "../../kernel/ground/worktree.ts";
import type { State } from "../../kernel/state.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { CheckSeat } from "../lease/checking.ts";

/** What it takes to say on which worktree a request is meant. */
export interface PlacingSeat extends Pick<CheckSeat, "lookAtGround"> {
  readonly loop: Pick<CheckSeat["loop"], "state">;
  readonly store: Pick<CheckSeat["store"], "address">;
}

/** Where a command comes from. */
export interface From {
  /** The folder that its giver stands in, absolute; undefined where that is not known. */
  readonly cwd: string | undefined;
  /** What its giver calls the worktree in it; default as the journal does. */
  readonly path?: string;
}

/**
 * A command with the worktree that it is meant on. Where each worktree has ground of its own, who
 * asks for files and names none means the one that he stands in, as `check` finds it for a path.
 * Nothing is guessed: throws an InputError where he stands in none. Other commands stay as they
 * are.
 */
export function placed(
  seat: PlacingSeat,
  command: Command,
  { cwd, path = UNNAMED }: From,
): Command {
  if (command.kind !== "lease.acquire" || command.data.worktree !== undefined) return command;
  const state = seat.loop.state();
  const isOwn = state.book.rules.worktrees === "own_ground";
  if (!isOwn || !isAboutFiles(state, command.data)) return command;
  const worktree = worktreeAt(seat, cwd);
  if (worktree !== null) return { kind: command.kind, data: { ...command.data, worktree } };
  const expected =
    "the name of a worktree (each has ground of its own, and the request came from none of them)";
  throw new InputError("usage", [{ path, expected, got: describeValue(undefined) }]);
}

const UNNAMED = "lease.acquire.worktree";

/** The folder of this process; undefined where it was removed. */
export function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    // It is not there any more, so nobody stands in it.
    return undefined;
  }
}

/** Whether what is asked for is another on each worktree: ports and the like are not. */
function isAboutFiles({ book }: State, asked: CommandMap["lease.acquire"]): boolean {
  const named = (asked.lanes ?? []).flatMap((name) => book.lanes.get(name)?.region ?? []);
  return isPlaced(asked.region ?? named);
}

function worktreeAt(seat: PlacingSeat, cwd: string | undefined): string | null {
  if (cwd === undefined) return null;
  const stateDir = seat.store.address?.dir;
  const sight = seat.lookAtGround({ cwd, ...(stateDir === undefined ? {} : { stateDir }) });
  return sight.ok ? sight.ground.worktree : null;
}
