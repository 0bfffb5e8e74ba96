import type { Sighting } from "../outside/census.ts";
import { commandOf, groupsOf, isRunning, namespaceOf } from "../outside/table.ts";
import { PATIENCE_MS, type Scene, type Stage } from "../stage/stage.ts";
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
  const { isHeld, how } = holding(stage, program, fugitives);
  const everything = census.of(id);
  const { workers } = await fleet.stop(id, { reason: "its descendants ran off", graceMs: 0 });
  const end = (await fleet.worker(id))?.end;
  const killed = Number(end?.evidence?.facts["killed"] ?? 0);
  const isCounted = fugitives.length === RUNAWAY_COUNT && killed >= fugitives.length;
  checklist.note("runaways", isHeld && isCounted, [
    `${fugitives.length} in sessions of their own, ${how}`,
    `the host's table shows ${everything.length} processes of this worker`,
    `the fleet ended ${killed}`,
  ]);
  const left = [...everything.filter(isRunning), ...census.of(id)];
  checklist.note("caught", left.length === 0 && workers.length > 0, [
    `${everything.length} processes before, ${left.length} after`,
    `evidence ${end?.grade ?? "none"}`,
  ]);
}

/** Whether neither session nor parent of a process are those of the worker's program. */
function hasRunOff({ pid, sessionId, parentPid }: Sighting, program: Sighting): boolean {
  if (!commandOf(pid).startsWith(RUNAWAY_COMMAND.join(" "))) return false;
  return sessionId !== program.sessionId && parentPid !== program.pid;
}

/** What holds them, as the host tells it. */
function holding(
  { rung }: Stage,
  program: Sighting,
  fugitives: readonly Sighting[],
): { readonly isHeld: boolean; readonly how: string } {
  const has = (look: (pid: number) => string | undefined): boolean =>
    fugitives.every(({ pid }) => look(pid) === look(program.pid));
  if (rung === "process-group")
    return { isHeld: true, how: "found by their marks, which is all that this rung has" };
  const isEnclosed = has(namespaceOf) && namespaceOf(program.pid) !== namespaceOf(process.pid);
  const isGrouped = has(groupsOf);
  const names = ["the worker's PID namespace", ...(isGrouped ? ["its control groups"] : [])];
  const how = isEnclosed ? `all in ${names.join(" and ")}` : "NOT in the worker's PID namespace";
  return { isHeld: isEnclosed && isGrouped, how };
}
