import type { Fleet } from "../../library/fleet/fleet.ts";
import { readOutput } from "../../output/reader.ts";
import { statePlaces } from "../../system/places.ts";
import type { Call } from "../call.ts";
import type { Launch } from "./launch.ts";
import type { End, Running } from "./running.ts";

/** Starts a worker as whoever calls: the operator, or the worker whose token this process has. */
export async function startHere(call: Call, launch: Launch): Promise<Running> {
  const { workerTokenFile } = call;
  if (workerTokenFile === undefined) return startAsOperator(call, launch);
  const { startAsWorker } = await import("./child.ts");
  return startAsWorker(workerTokenFile, launch);
}

async function startAsOperator(call: Call, launch: Launch): Promise<Running> {
  const { stateDir } = await call.place();
  // Time and whatever was left behind are the supervisor's to look after.
  const fleet = await call.openFleet({ supervisor: "start", steward: false });
  const { parent, runId, ...asked } = launch;
  const worker = await fleet.start({
    ...asked,
    ...(parent === undefined ? {} : { parent }),
    ...(runId === undefined ? {} : { runId }),
  });
  const { id } = worker;
  const watch = watchSupervisor(call, fleet, id);
  let isOver = false;
  const ended = worker.ended().then(({ end }): End => {
    isOver = true;
    watch.close();
    const { outcome = {}, reason = "lapsed", seq = 0 } = end ?? {};
    return { outcome, reason, seq };
  });
  // Whoever only spawns does not wait for it, and closes the handle before it comes.
  ended.catch(() => undefined);
  const until = async (): Promise<boolean> => isOver;
  return {
    id,
    output: readOutput(statePlaces(stateDir).output, id, { follow: { until } }),
    ended,
    stop: async (graceMs) => void (await fleet.stop(id, { graceMs, tree: true })),
    close: () => watch.close(),
  };
}

/** How often it is seen to that a supervisor is there to see the worker end, ms. */
const watchEveryMs = 2_000;

/**
 * Ends a worker whose supervisor is gone, by what is on record of it: nobody else would tell how
 * it ended before another supervisor comes, which would end it, too.
 */
function watchSupervisor(call: Call, fleet: Fleet, id: string): { close(): void } {
  let missedCount = 0;
  let isLooking = false;
  const look = async (): Promise<void> => {
    isLooking = true;
    missedCount = (await fleet.supervisor()) === null ? missedCount + 1 : 0;
    // One that restarts misses a look; one that misses the next is gone.
    if (missedCount === 2) {
      call.note("the supervisor is gone; what is left of the worker is ended");
      await fleet.stop(id, { graceMs: 0, reason: "the supervisor is gone" });
    }
    isLooking = false;
  };
  const timer = setInterval(() => {
    // A worker that has ended meanwhile is refused, and its end is heard of anyway.
    if (!isLooking) look().catch(() => (isLooking = false));
  }, watchEveryMs);
  return { close: () => clearInterval(timer) };
}
