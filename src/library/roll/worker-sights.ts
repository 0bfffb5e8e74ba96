import { isLive, type State, type Worker } from "../../kernel/state.ts";
import type { RollStatus } from "../../kernel/roster/sighting.ts";
import type { InstanceSight } from "./document.ts";

/** The newest beat of a worker, as the pulse store has it. */
export interface WorkerPulse {
  readonly receivedAtMs: number;
  readonly count?: number;
  readonly progress?: number;
}

/**
 * The live workers as instances of their names. How they stand the journal says, as it does
 * everywhere: they are watched by the fleet's own rules, and here only shown.
 */
export function* workerSights(
  state: State,
  so: {
    readonly pulses: ReadonlyMap<string, WorkerPulse>;
    readonly nowMs: number;
    /** Only those of this name; absent: all. */
    readonly name?: string | undefined;
  },
): Generator<InstanceSight> {
  const every_ms = state.contract.beat_every_ms;
  for (const worker of state.workers.values()) {
    if (!isLive(worker) || (so.name !== undefined && so.name !== worker.name)) continue;
    const { status, why, sinceMs } = standingOf(worker);
    const pulse = so.pulses.get(worker.id);
    yield {
      name: worker.name,
      firstMs: worker.admitted_at_ms,
      row: {
        instance: worker.id,
        kind: "worker",
        status,
        why,
        since_ms: sinceMs,
        last_heard_at_ms: pulse?.receivedAtMs ?? null,
        age_ms: pulse === undefined ? null : Math.max(0, so.nowMs - pulse.receivedAtMs),
        count: pulse?.count ?? 0,
        every_ms,
        ...(pulse?.progress === undefined ? {} : { progress: pulse.progress }),
        history: [],
      },
    };
  }
}

function standingOf(worker: Worker): {
  readonly status: RollStatus;
  readonly why: string;
  readonly sinceMs: number | null;
} {
  if (worker.status === "admitted")
    return { status: "unknown", why: "it is admitted and has not registered", sinceMs: null };
  if (worker.stopping !== null)
    return {
      status: "stopping",
      why: `it was told to stop: ${worker.stopping.reason}`,
      sinceMs: worker.stopping.at_ms,
    };
  if (worker.flagged)
    return { status: "stale", why: "it is flagged: silent for long", sinceMs: null };
  if (worker.stale) return { status: "stale", why: "it missed its beats", sinceMs: null };
  if (worker.quarantine !== null)
    return { status: "ok", why: "it is in quarantine, frozen", sinceMs: worker.quarantine.at_ms };
  return { status: "ok", why: "it runs", sinceMs: worker.registered_at_ms };
}
