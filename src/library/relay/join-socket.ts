import type { Manifest } from "../../kernel/worker/manifest.ts";
import type { WorkerSelf, WorkerSignal } from "../../ports/worker-door.ts";
import { errorText } from "../error-text.ts";
import type { JoinedWorker } from "../fleet/join.ts";
import { snapshotOf } from "../names.ts";
import { Hosted } from "../worker/hosted.ts";
import { checkTask, runTask } from "../worker/task.ts";
import { Holdings } from "./holdings.ts";
import { mustBeOpen, type SocketSeat } from "./socket-seat.ts";
import { demandBy, verbsOf, viewIn } from "./socket-worker.ts";

/** What joining by a socket needs. */
export type SocketJoin = Omit<SocketSeat, "closing" | "holdings">;

/**
 * Joins the fleet by the socket of this worker's own. Its supervisor has registered it: what is
 * left to do is to beat by itself, to hear when it is to stop, and to ask.
 *
 * The signal fires as the supervisor says, and by `close` when the supervisor is gone: then nobody
 * beats for this worker any more, and its successor ends it.
 *
 * Throws `Fault` `supervisor_unreachable` when nobody answers or the token is not taken.
 */
export async function joinBySocket(so: SocketJoin): Promise<JoinedWorker> {
  const closing = new AbortController();
  const seat: SocketSeat = { ...so, closing: closing.signal, holdings: new Holdings() };
  try {
    const self = await seat.door.self();
    return joined(seat, { self, closing });
  } catch (error) {
    await seat.door.close();
    throw error;
  }
}

function joined(
  seat: SocketSeat,
  so: {
    readonly self: WorkerSelf;
    readonly closing: AbortController;
  },
): JoinedWorker {
  const { self, closing } = so;
  const { manifest } = self;
  const { instance: id } = manifest;
  // Its lifetime is its supervisor's to watch, by the journal's clock.
  const hosted = new Hosted({ id, kind: "self", beats: true, deadlineMs: Infinity });
  const unlisten = seat.door.listen((signal) => hear(seat.holdings, hosted, signal));
  const stopBeating = beatEvery(seat, self.beat_every_ms);
  const verbs = verbsOf(seat, manifest);
  let leaving: Promise<void> | undefined;
  const goAway = async (reason: string | undefined): Promise<void> => {
    try {
      await verbs.shutdown(reason);
    } finally {
      stopBeating();
      unlisten();
      closing.abort();
      hosted.interrupt("close");
      await seat.door.close();
    }
  };
  const leave = (reason?: string): Promise<void> => {
    leaving ??= goAway(reason);
    return leaving;
  };
  seat.log.info("joined the fleet", { fleet: manifest.fleet, worker: id });
  const worker: JoinedWorker = {
    ...verbs,
    get signal() {
      return hosted.signal;
    },
    performTask: async (task) => {
      checkTask(task);
      await demandRunning(seat, manifest);
      const onFailed = (): Promise<void> => stopFailed(seat, hosted);
      return runTask(hosted, { task, worker, onFailed });
    },
    state: snapshotOf(manifest.state),
    budget: verbs.manifest.budget,
    leave,
    [Symbol.asyncDispose]: () => leave(),
  };
  return Object.freeze(worker);
}

function hear(holdings: Holdings, hosted: Hosted, signal: WorkerSignal): void {
  switch (signal.kind) {
    case "interrupted":
      hosted.interrupt(signal.by);
      if (signal.by === "kill") holdings.loseAll("killed");
      return;
    case "released":
      return hosted.release();
    case "leases":
      return holdings.hear(signal);
    case "gone":
      hosted.interrupt("close");
      return holdings.loseAll("closed");
  }
}

/** Beats at once and from then on by a timer, which keeps no process alive. */
function beatEvery({ door, log, timers }: SocketSeat, everyMs: number): () => void {
  let cancel: () => void = () => undefined;
  let isStopped = false;
  const beat = (): void => {
    if (isStopped) return;
    cancel = timers.after(everyMs, beat);
    door.beat().catch((error: unknown) => {
      // A beat may be lost; the next one says the same, and the signals tell who is gone.
      if (!isStopped) log.warn("a beat was lost", { error: errorText(error) });
    });
  };
  beat();
  return () => {
    isStopped = true;
    cancel();
  };
}

/** Asks whether this worker may work; where it may not, the rules say so, and that is on record. */
async function demandRunning(seat: SocketSeat, { instance: id }: Manifest): Promise<void> {
  mustBeOpen(seat);
  const { view, state } = await seat.door.self();
  const { status, quarantine } = viewIn(view);
  if (status === "running" && quarantine === null) return;
  await demandBy(seat, { kind: "worker.checkpoint", data: { worker: id, state } }, "state");
}

/** Stops this worker for a task that failed; what keeps it from that is told to the operator. */
async function stopFailed(seat: SocketSeat, { id, error: detail = "" }: Hosted): Promise<void> {
  const data = { worker: id, reason: "failed", tree: false, detail } as const;
  try {
    await demandBy(seat, { kind: "worker.stop", data }, "reason");
  } catch (error) {
    seat.log.warn("a failed task's worker could not be stopped", { error: errorText(error) });
  }
}
