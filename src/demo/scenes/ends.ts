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
    checklist.note("hanging", data.reason === "silent" && isGone, [
      `process ${program.pid} is ${isGone ? "gone" : "still there"}`,
      `${data.reason}, evidence ${data.evidence.grade} (entry ${seq})`,
    ]);
  },
};

/** A child that dies by itself is noticed, and what is left of it is reaped. */
export const death: Scene = {
  checks: ["died"],
  async play(stage) {
    const { census, checklist, chronicle } = stage;
    const id = await chronicle.registered("mayfly", PATIENCE_MS);
    const before = census.of(id);
    const { seq, data } = await awaitEnd(stage, id, "the mayfly's end is on record");
    const left = [...before.filter(isRunning), ...census.of(id)];
    const { signal, exitCode } = data.outcome;
    // Where a wrapper passes the end on, a signal is told as the code of a shell.
    const isKilled = signal === "SIGKILL" || exitCode === 137;
    checklist.note("died", isKilled && left.length === 0, [
      `${before.length} processes before, ${left.length} after`,
      `ended by ${signal ?? `code ${exitCode ?? "?"}`}`,
      `evidence ${data.evidence.grade} (entry ${seq})`,
    ]);
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
