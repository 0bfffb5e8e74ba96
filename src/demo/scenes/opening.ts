import type { WorkerHandle } from "../../index.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { groupsOf, isRunning, namespaceOf, readRow } from "../outside/table.ts";
import { PATIENCE_MS, type Stage } from "../stage/stage.ts";
import { commandFor, type AnalystTask } from "../task.ts";
import { roleCommand } from "./role-command.ts";

/** Among how many workers a part is divided: the root's among four, its children's among two. */
const FAN_OUT = [4, 2];

/** Starts the root on everything that is not the code of others. */
export function startRoot({
  fleet,
  listing,
  root,
  premises,
  patience,
  signal,
}: Stage): Promise<WorkerHandle> {
  const task: AnalystTask = {
    root,
    digest: listing.digest,
    git: listing.git,
    except: premises.dir,
    part: { from: 0, to: listing.vendoredFrom },
    fan_out: FAN_OUT,
    kind: "own",
  };
  const run = commandFor("analyst", premises.dir);
  const state = task as unknown as JsonObject;
  const reason = `${listing.paths.length} files of ${listing.git ? "a repository" : "a tree"}`;
  return patience.naming("the root runs", () =>
    fleet.start({ name: "root", reason, state, run, cwd: root, signal }),
  );
}

/** The supervisor and the root are processes of their own, held by what the rung has. */
export async function checkOpening(stage: Stage, { id }: WorkerHandle): Promise<void> {
  const { census, checklist, patience, rung, supervisor } = stage;
  const served = census.supervisor;
  const isApart = served !== undefined && isRunning(served) && served.pid === supervisor.pid;
  const session = served === undefined ? undefined : readRow(served.pid)?.sessionId;
  checklist.note("supervised", isApart && session === served.pid, [
    `process ${supervisor.pid}, in session ${session ?? "?"}`,
  ]);
  const awaited = { what: "the root is in the process table", withinMs: PATIENCE_MS };
  const program = await patience.poll(awaited, () => census.programOf(id, roleCommand("analyst")));
  const [own, theirs] = [namespaceOf(process.pid), namespaceOf(program.pid)];
  const isEnclosed = theirs !== undefined && theirs !== own;
  const isGrouped = groupsOf(program.pid) !== groupsOf(process.pid);
  const isOfRung = rung === "process-group" ? !isEnclosed && theirs === own : isEnclosed;
  checklist.note("contained", isOfRung && program.sessionId !== session, [
    `process ${program.pid}`,
    isEnclosed ? `in ${theirs}, not in this ${own ?? "one"}` : "in this PID namespace",
    isGrouped ? "in control groups of its own" : "in no control group of its own",
  ]);
}
