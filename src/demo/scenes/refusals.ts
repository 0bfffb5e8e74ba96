import { PATIENCE_MS, refusalsIn, type Scene, type Stage } from "../stage/stage.ts";

const CODES = ["stop_condition", "cooldown", "max_depth", "max_replicas"] as const;

/** Replications are refused by four rules, and what was refused has never been a process. */
export const refusals: Scene = { checks: [...CODES, "refused"], play };

async function play(stage: Stage): Promise<void> {
  await Promise.all(CODES.map((code) => awaitRefusal(stage, code)));
  const { census, chronicle, checklist, fleet } = stage;
  census.look();
  const admitted = new Set(
    chronicle.entries.flatMap((entry) =>
      entry.kind === "worker.admitted" ? entry.data.manifest.instance : [],
    ),
  );
  const strangers = [...census.workers].filter((id) => !admitted.has(id));
  const { maxReplicas } = fleet.contract;
  checklist.note("refused", strangers.length === 0 && census.workersMax <= maxReplicas, [
    `${census.workers.size} workers with processes so far, all of them admitted`,
    `at most ${census.workersMax} of ${maxReplicas} at once`,
    strangers.length === 0 ? "" : `not admitted: ${strangers.join(" ")}`,
  ]);
}

async function awaitRefusal(stage: Stage, code: (typeof CODES)[number]): Promise<void> {
  const { chronicle, checklist } = stage;
  try {
    const entry = await chronicle.until(
      { what: `a replication is refused by ${code}`, withinMs: PATIENCE_MS },
      () => refusalsIn(chronicle.entries).find(({ data }) => data.code === code),
    );
    checklist.note(code, true, [`entry ${entry.seq}`]);
  } catch (error) {
    if (stage.signal.aborted) throw error;
    checklist.giveUp([code], error instanceof Error ? error.message : String(error));
  }
}
