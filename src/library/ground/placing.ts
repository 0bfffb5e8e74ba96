import type { Command, CommandMap } from "../../kernel/command.ts";
import { isPlaced } from "../../kernel/ground/worktree.ts";
import { nearest } from "../../kernel/lane/nearest.ts";
import type { State } from "../../kernel/state.ts";
import type { Ground } from "../../ports/ground/ground.ts";
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
 * Nothing is guessed: throws an InputError where he stands in none, or names one that is none.
 * Other commands stay as they are.
 */
export function placed(
  seat: PlacingSeat,
  command: Command,
  { cwd, path = UNNAMED }: From,
): Command {
  if (command.kind !== "lease.acquire") return command;
  const state = seat.loop.state();
  const isOwn = state.book.rules.worktrees === "own_ground";
  if (!isOwn || !isAboutFiles(state, command.data)) return command;
  const ground = groundAt(seat, cwd);
  const { worktree: named } = command.data;
  if (named !== undefined) {
    if (ground !== undefined) demandWorktree(named, ground.worktrees, path);
    return command;
  }
  // Whoever stands nowhere stands in none.
  const worktree = cwd === undefined ? null : (ground?.worktree ?? null);
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

/** The ground as it is seen from a folder; undefined where nobody says which it is. */
function groundAt(seat: PlacingSeat, cwd: string | undefined): Ground | undefined {
  const stateDir = seat.store.address?.dir;
  const from = { cwd: cwd ?? "/", ...(stateDir === undefined ? {} : { stateDir }) };
  const sight = seat.lookAtGround(from);
  return sight.ok ? sight.ground : undefined;
}

/** How many worktrees are named where one is meant that is none. */
const namedMax = 8;

/**
 * Refuses a worktree that is none of those there are, for a lease on it would be in nobody's way.
 * Throws an InputError that names some of them.
 */
export function demandWorktree(named: string, there: readonly string[], path: string): void {
  if (there.includes(named)) return;
  const like = nearest(named, there);
  const shown = there.slice(0, namedMax).map((id) => JSON.stringify(id));
  const more = there.length - shown.length;
  const expected =
    `one of the repository's worktrees, ${shown.join(", ")}` +
    (more > 0 ? ` and ${more} more` : "");
  const hint = like === undefined ? "" : `; did you mean ${JSON.stringify(like)}?`;
  throw new InputError("usage", [{ path, expected, got: `${describeValue(named)}${hint}` }]);
}
