import { isRunning } from "../outside/table.ts";
import { PATIENCE_MS, type Scene } from "../stage/stage.ts";
import { roleCommand } from "./role-command.ts";

/** A child misses its beats, is stale, and recovers as the very same process. */
export const doze: Scene = {
  checks: ["stale"],
  async play({ census, chronicle, checklist, patience }) {
    const id = await chronicle.registered("dozer", PATIENCE_MS);
    const awaited = { what: "the dozer is in the process table", withinMs: PATIENCE_MS };
    const program = await patience.poll(awaited, () => census.programOf(id, roleCommand("dozer")));
    const staled = await chronicle.until(
      { what: "the dozer is stale", withinMs: PATIENCE_MS },
      () => chronicle.find("worker.staled", id),
    );
    const wasThere = isRunning(program);
    const recovered = await chronicle.until(
      { what: "the dozer recovers", withinMs: PATIENCE_MS },
      () => chronicle.find("worker.recovered", id, staled.seq),
    );
    const isThere = isRunning(program);
    checklist.judge("stale", {
      pid: program.pid,
      staledSeq: staled.seq,
      silentMs: staled.data.silentMs,
      recoveredSeq: recovered.seq,
      wasThere,
      isThere,
    });
  },
};
