import type { Fleet } from "../../library/fleet/fleet.ts";
import { Refused } from "../../library/refused.ts";
import { readOutput } from "../../output/reader.ts";
import type { SupervisorView } from "../../library/relay/supervisor-door.ts";
import { statePlaces } from "../../system/places.ts";
import { isDead, readProcess } from "../../system/process.ts";
import type { Call } from "../call.ts";
import { configFileOf } from "../founding/config-file.ts";
import { brokenConfigNote } from "../founding/config-sight.ts";
import type { Launch } from "./launch.ts";
import { networkBelow } from "./network.ts";
import type { End, Running } from "./running.ts";

/** Starts a worker as whoever calls: the operator, or the worker whose token this process has. */
export async function startHere(call: Call, launch: Launch): Promise<Running> {
  const { workerTokenFile } = call;
  if (workerTokenFile === undefined) return namingTheWayOn(startAsOperator(call, launch));
  const { startAsWorker } = await import("./child.ts");
  return startAsWorker(workerTokenFile, launch, call.signal);
}

/** Adds to the refusal of a killed fleet what an operator can do: no command brings it back. */
async function namingTheWayOn(starting: Promise<Running>): Promise<Running> {
  try {
    return await starting;
  } catch (error) {
    if (!(error instanceof Refused) || error.code !== "fleet_killed") throw error;
    const { refusal, seq } = error;
    const message = `${refusal.message}; \`stint init --new-fleet\` begins a new one`;
    throw new Refused({ ...refusal, message }, seq);
  }
}

async function startAsOperator(call: Call, launch: Launch): Promise<Running> {
  const { stateDir, root } = await call.place();
  // Whoever has mistyped a bound must not believe that it holds.
  const broken = call.isJson ? undefined : brokenConfigNote(configFileOf(root));
  if (broken !== undefined) call.note(broken);
  // Time and whatever was left behind are the supervisor's to look after.
  const fleet = await call.openFleet({ supervisor: "start", steward: false });
  const { parent, runId, network: _, networkDefault: __, ...asked } = launch;
  const above = parent === undefined ? undefined : await fleet.worker(parent);
  const worker = await fleet.start({
    ...asked,
    network: networkBelow(launch, above?.network),
    signal: call.signal,
    ...(parent === undefined ? {} : { parent }),
    ...(runId === undefined ? {} : { runId }),
  });
  const { id } = worker;
  const watch = watchSupervisor(call, fleet, id);
  let isOver = false;
  const ended = worker.ended().then(async ({ end }): Promise<End> => {
    isOver = true;
    const { outcome = {}, reason = "lapsed", seq = 0 } = end ?? {};
    const isUnseen = outcome.exitCode === undefined && outcome.signal === undefined;
    // Whoever kills the fleet ends its supervisor, too, and that is no loss.
    const isLost = isUnseen && reason !== "killed" && watch.isLost();
    watch.close();
    return { outcome, reason, seq, ...(isLost ? { isSupervisorLost: true } : {}) };
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

function isAlive(pid: number): boolean {
  const status = readProcess(pid);
  return status !== undefined && !isDead(status);
}

interface SupervisorWatch {
  /** Whether the supervisor that ran first is gone, or has answered no more. */
  isLost(): boolean;
  close(): void;
}

/**
 * Ends a worker whose supervisor is gone, by what is on record of it: nobody else would tell how
 * it ended before another supervisor comes, which would end it, too.
 */
function watchSupervisor(call: Call, fleet: Fleet, id: string): SupervisorWatch {
  let missedCount = 0;
  let isLooking = false;
  let hasEndedIt = false;
  let first: SupervisorView | undefined;
  const look = async (): Promise<void> => {
    isLooking = true;
    const supervisor = await fleet.supervisor();
    first ??= supervisor ?? undefined;
    missedCount = supervisor === null ? missedCount + 1 : 0;
    // One that restarts misses a look; one that misses the next is gone.
    if (missedCount === 2) {
      hasEndedIt = true;
      call.note("the supervisor is gone; what is left of the worker is ended");
      await fleet.stop(id, { graceMs: 0, reason: "the supervisor is gone" });
    }
    isLooking = false;
  };
  const lookOnce = (): void => {
    // A worker that has ended meanwhile is refused, and its end is heard of anyway.
    if (!isLooking) look().catch(() => (isLooking = false));
  };
  lookOnce();
  const timer = setInterval(lookOnce, watchEveryMs);
  return {
    isLost: () => hasEndedIt || (first !== undefined && !isAlive(first.pid)),
    close: () => clearInterval(timer),
  };
}
