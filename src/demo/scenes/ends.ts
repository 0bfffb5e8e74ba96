import { isRunning } from "../outside/table.ts";
import { PATIENCE_MS, type Scene, type Stage } from "../stage/stage.ts";
import type { EntryOf } from "../stage/chronicle.ts";
import { roleCommand } from "./role-command.ts";

/** A child that hangs is found out by its silence, and ended. */
export const hanging: Scene = {
  checks: ["hanging"],
  async play(stage) {
    const { census, chronicle, checklist, patience } = stage;
    const id = await chronicle.registered("sleeper", PATIENCE_MS);
    const awaited = { what: "the sleeper is in the process table", withinMs: PATIENCE_MS };
    const program = await patience.poll(awaited, () =>
      census.programOf(id, roleCommand("sleeper")),
    );
    const { seq, data } = await awaitEnd(stage, id, "the sleeper is stopped for its silence");
    const isGone = !isRunning(program) && census.of(id).length === 0;
    const { reason, evidence } = data;
    checklist.judge("hanging", { pid: program.pid, isGone, reason, grade: evidence.grade, seq });
  },
};

/** A child that dies by itself is noticed, and what is left of it is reaped. */
export const death: Scene = {
  checks: ["died"],
  async play(stage) {
    const { census, checklist, chronicle } = stage;
    const id = await chronicle.registered("mayfly", PATIENCE_MS);
    const { seq, data } = await awaitEnd(stage, id, "the mayfly's end is on record");
    // On a busy machine it may have died before anybody asked for it; the census looks by itself.
    const before = census.everOf(id);
    const { signal, exitCode } = data.outcome;
    checklist.judge("died", {
      beforeCount: before.length,
      leftCount: before.filter(isRunning).length,
      signal,
      exitCode,
      grade: data.evidence.grade,
      seq,
    });
  },
};

function awaitEnd(
  { chronicle }: Stage,
  id: string,
  what: string,
): Promise<EntryOf<"worker.stopped">> {
  return chronicle.until({ what, withinMs: PATIENCE_MS }, () =>
    chronicle.find("worker.stopped", id),
  );
}
