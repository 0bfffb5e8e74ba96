import type { WorkerHandle } from "../../index.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { groupsOf, isRunning, namespaceOf, readRow } from "../outside/table.ts";
import { PATIENCE_MS, promisesGroups, type Stage } from "../stage/stage.ts";
import { commandFor, type AnalystTask } from "../task.ts";
import { counted } from "../telling/counted.ts";
import { roleCommand } from "./role-command.ts";

/** Among how many workers a part is divided: the root's among four, its children's among two. */
const FAN_OUT = [4, 2];

/** Starts the root on everything that is not the code of others. */
export function startRoot({
  fleet,
  listing,
  root,
  premises,
  scratch,
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
    scratch,
  };
  const run = commandFor("analyst", premises.dir);
  const state = task as unknown as JsonObject;
  const files = counted(listing.paths.length, "file");
  const reason = `${files} of ${listing.git ? "a repository" : "a tree"}`;
  return patience.naming("the root runs", () =>
    fleet.start({ name: "root", reason, state, run, cwd: root, signal }),
  );
}

/** The supervisor and the root are processes of their own, held by what the rung has. */
export async function checkOpening(stage: Stage, { id }: WorkerHandle): Promise<void> {
  const { census, checklist, patience, rung, supervisor } = stage;
  const served = census.supervisor;
  const startedPid = served !== undefined && isRunning(served) ? served.pid : undefined;
  const session = startedPid === undefined ? undefined : readRow(startedPid)?.sessionId;
  checklist.judge("supervised", { saidPid: supervisor.pid, startedPid, sessionId: session });
  const awaited = { what: "the root is in the process table", withinMs: PATIENCE_MS };
  const program = await patience.poll(awaited, () => census.programOf(id, roleCommand("analyst")));
  checklist.judge("contained", {
    rung,
    pid: program.pid,
    sessionId: program.sessionId,
    supervisorSessionId: session,
    namespace: namespaceOf(program.pid),
    ownNamespace: namespaceOf(process.pid),
    isGrouped: groupsOf(program.pid) !== groupsOf(process.pid),
    isGroupPromised: promisesGroups(stage),
  });
}
