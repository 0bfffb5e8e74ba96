import type { Sighting } from "../outside/census.ts";
import { commandOf, groupsOf, isRunning, namespaceOf } from "../outside/table.ts";
import { PATIENCE_MS, promisesGroups, type Scene, type Stage } from "../stage/stage.ts";
import { RUNAWAY_COMMAND, RUNAWAY_COUNT } from "../task.ts";
import { roleCommand } from "./role-command.ts";

/** A child's descendants leave its session and parentage; they are found, counted, and ended. */
export const runaways: Scene = { checks: ["runaways", "caught"], play };

async function play(stage: Stage): Promise<void> {
  const { chronicle, census, patience, checklist, fleet } = stage;
  const id = await chronicle.registered("wanderer", PATIENCE_MS);
  const what = `${RUNAWAY_COUNT} descendants of the wanderer have run off`;
  const { program, fugitives } = await patience.poll({ what, withinMs: PATIENCE_MS }, () => {
    const found = census.programOf(id, roleCommand("wanderer"));
    const all = census.of(id).filter((row) => found !== undefined && hasRunOff(row, found));
    return found === undefined || all.length < RUNAWAY_COUNT
      ? undefined
      : { program: found, fugitives: all };
  });
  const holding = lookAtHolding(program, fugitives);
  const everything = census.of(id);
  const { workers } = await fleet.stop(id, { reason: "its descendants ran off", graceMs: 0 });
  const end = (await fleet.worker(id))?.end;
  checklist.judge("runaways", {
    rung: stage.rung,
    ...holding,
    isGroupPromised: promisesGroups(stage),
    fugitiveCount: fugitives.length,
    expectedCount: RUNAWAY_COUNT,
    tableCount: everything.length,
    killedCount: Number(end?.evidence?.facts["killed"] ?? 0),
  });
  const left = [...everything.filter(isRunning), ...census.of(id)];
  checklist.judge("caught", {
    beforeCount: everything.length,
    leftCount: left.length,
    stoppedCount: workers.length,
    grade: end?.grade ?? "none",
  });
}

/** Whether neither session nor parent of a process are those of the worker's program. */
function hasRunOff({ pid, sessionId, parentPid }: Sighting, program: Sighting): boolean {
  if (!commandOf(pid).startsWith(RUNAWAY_COMMAND.join(" "))) return false;
  return sessionId !== program.sessionId && parentPid !== program.pid;
}

/** What holds them, as the host tells it. */
function lookAtHolding(
  { pid: programPid }: Sighting,
  fugitives: readonly Sighting[],
): { readonly isEnclosed: boolean; readonly isTogether: boolean; readonly isGrouped: boolean } {
  const isShared = (look: (pid: number) => string | undefined): boolean =>
    fugitives.every(({ pid }) => look(pid) === look(programPid));
  const namespace = namespaceOf(programPid);
  const isApart = namespace !== undefined && namespace !== namespaceOf(process.pid);
  return {
    isEnclosed: isShared(namespaceOf) && isApart,
    isTogether: isShared(groupsOf),
    isGrouped: groupsOf(programPid) !== groupsOf(process.pid),
  };
}
