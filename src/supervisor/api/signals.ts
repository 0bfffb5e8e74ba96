import { subjectOf } from "../../kernel/subject.ts";
import type { Seat } from "../../library/seat.ts";
import { interruptionOf, type InterruptedBy } from "../../library/worker/interrupted.ts";
import { hasEnded } from "../../library/worker/until.ts";
import type { WorkerSignal } from "../../ports/worker-door.ts";
import { HeldLeases } from "./held-leases.ts";

/** How often a stream says that it is there, ms. */
const ALIVE_EVERY_MS = 5_000;

/** Signals that a worker may leave unread before its stream is cut. */
const UNREAD_MAX = 64;

/** One line of the stream. */
type Signal =
  | { readonly kind: "interrupted"; readonly by: InterruptedBy }
  | { readonly kind: "released" }
  | Extract<WorkerSignal, { readonly kind: "leases" }>
  | { readonly kind: "alive" };

/**
 * Streams what a worker is to be told, one JSON object a line: that it is interrupted, and by what;
 * that it is released from a quarantine; which leases it holds, at first and whenever it has lost
 * one; and now and then that there still is a supervisor. Its first lines say how it stands. It
 * follows the state, so nothing is missed between two streams.
 */
export function signalStream(seat: Seat, worker: string): Response {
  let stop: () => void = () => undefined;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stop = follow(seat, worker, controller);
      },
      cancel() {
        stop();
      },
    },
    { highWaterMark: UNREAD_MAX },
  );
  return new Response(stream, { headers: { "Content-Type": "application/x-ndjson" } });
}

function follow(
  seat: Seat,
  worker: string,
  controller: ReadableStreamDefaultController<Uint8Array>,
): () => void {
  const encoder = new TextEncoder();
  let told: InterruptedBy | null = null;
  let cancel: () => void = () => undefined;
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    unsubscribe();
    cancel();
    seat.closing.removeEventListener("abort", end);
  };
  const end = (): void => {
    if (isOver) return;
    stop();
    controller.close();
  };
  const say = (signal: Signal): void => {
    if (isOver) return;
    controller.enqueue(encoder.encode(`${JSON.stringify(signal)}\n`));
    // Whoever reads nothing is not told for ever; it finds how it stands when it asks again.
    if ((controller.desiredSize ?? 0) <= 0) end();
  };
  const look = (): void => {
    const by = interruptionNow(seat, worker);
    if (by !== told) say(by === null ? { kind: "released" } : { kind: "interrupted", by });
    told = by;
    if (hasEnded(seat.loop.state().workers.get(worker))) end();
  };
  const aliveLater = (): void => {
    cancel = seat.timers.after(ALIVE_EVERY_MS, () => {
      say({ kind: "alive" });
      if (!isOver) aliveLater();
    });
  };
  const leases = new HeldLeases(worker);
  const unsubscribe = seat.loop.onEntry((entry) => {
    if (leases.isLess(entry, seat.loop.state())) say(leases.tell(seat.loop.state()));
    if (subjectOf(entry) === worker || entry.kind === "fleet.killed") look();
  });
  seat.closing.addEventListener("abort", end);
  say({ kind: "alive" });
  say(leases.tell(seat.loop.state()));
  look();
  if (!isOver) aliveLater();
  return stop;
}

/** Why a worker is to hold still now, by the state; null while it may go on. */
function interruptionNow(seat: Seat, id: string): InterruptedBy | null {
  const state = seat.loop.state();
  const worker = state.workers.get(id);
  if (state.status === "killed") return "kill";
  if (worker === undefined || worker.status === "stopped") return "stop";
  if (worker.stopping !== null) return interruptionOf(worker.stopping.reason);
  return worker.quarantine === null ? null : "quarantine";
}
