import { PATIENCE_MS, playScene, refusalsIn, type Scene, type Stage } from "../stage/stage.ts";
import { Missed } from "../stage/patience.ts";

const CODES = ["stop_condition", "cooldown", "max_depth", "max_replicas"] as const;

/** How long the last admitted may take to be seen, when all else is over, ms. */
const SEEN_MS_MAX = 30_000;

/** Replications are refused by four rules. */
export const refusals: Scene = {
  checks: CODES,
  async play(stage) {
    await Promise.all(CODES.map((code) => playScene(stage, refusalBy(code))));
  },
};

function refusalBy(code: (typeof CODES)[number]): Scene {
  return {
    checks: [code],
    async play({ chronicle, checklist }) {
      const what = `a replication is refused by ${code}`;
      const { seq, data } = await chronicle.until({ what, withinMs: PATIENCE_MS }, () =>
        refusalsIn(chronicle.entries).find((entry) => entry.data.code === code),
      );
      const { code: found, facts } = data;
      const [live, max] = [numberIn(facts["live"]), numberIn(facts["max"])];
      checklist.judge(code, { seq, code: found, live, max });
    },
  };
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** What was refused has never been a process: looked at when all that were admitted are there. */
export const crowd: Scene = {
  checks: ["refused"],
  async play(stage) {
    const { census, checklist, chronicle, fleet, patience } = stage;
    const what = "all who live are in the process table";
    let found: Surroundings;
    try {
      found = await patience.poll({ what, withinMs: SEEN_MS_MAX }, () => lookWhenSettled(stage));
    } catch (error) {
      // What is missing then is what the check tells.
      if (!(error instanceof Missed)) throw error;
      found = lookAround(stage);
    }
    checklist.judge("refused", {
      ...found,
      workerCount: census.workers.size,
      atOnceMax: census.workersMax,
      liveMax: chronicle.liveMax,
      max: fleet.contract.maxReplicas,
    });
  },
};

interface Surroundings {
  readonly strangers: readonly string[];
  readonly unseen: readonly string[];
}

function lookAround({ census, chronicle, fleet }: Stage): Surroundings {
  const running = new Set(census.look().map(({ worker }) => worker));
  const { admitted } = chronicle;
  return {
    strangers: [...census.workers].filter((id) => !admitted.has(id)),
    unseen: fleet
      .workers()
      .map(({ id }) => id)
      .filter((id) => !running.has(id)),
  };
}

/** Undefined while the root may still ask for hands, or somebody is still being started. */
async function lookWhenSettled(stage: Stage): Promise<Surroundings | undefined> {
  const { chronicle, fleet } = stage;
  const root = await fleet.worker(chronicle.idOf("root") ?? "root");
  const isFilling = root !== undefined && root.end === null && root.state["is_full"] !== true;
  const found = lookAround(stage);
  const isSettled = found.strangers.length === 0 && found.unseen.length === 0;
  return isSettled && !isFilling ? found : undefined;
}
