import type { WorkerSignal } from "../../ports/worker-door.ts";
import type { LeaseHolder } from "../lease/own.ts";
import { Holdings } from "../relay/holdings.ts";
import { socketLeases } from "../relay/socket-leases.ts";
import type { SocketSeat } from "../relay/socket-seat.ts";

/** The leases of a worker as a program holds them that the worker has called. */
export interface WorkerHolding {
  readonly leases: LeaseHolder;
  /** The worker's id. */
  readonly self: string;
  /** Stops listening, and counts what is held from here as lost; safe to call twice. */
  close(): Promise<void>;
}

/**
 * Holds leases for a worker beside the worker itself: it hears when one is lost, and neither beats
 * for the worker nor leaves for it.
 */
export async function holdForWorker(
  so: Omit<SocketSeat, "closing" | "holdings">,
): Promise<WorkerHolding> {
  const closing = new AbortController();
  const holdings = new Holdings();
  const { manifest } = await so.door.self();
  const leases = socketLeases({ ...so, holdings, closing: closing.signal }, manifest.instance);
  const unlisten = so.door.listen((signal) => hear(holdings, signal));
  return {
    leases,
    self: manifest.instance,
    close: async () => {
      unlisten();
      closing.abort();
      await so.door.close();
    },
  };
}

function hear(holdings: Holdings, signal: WorkerSignal): void {
  if (signal.kind === "leases") holdings.hear(signal);
  else if (signal.kind === "gone") holdings.loseAll("closed");
  else if (signal.kind === "interrupted" && signal.by === "kill") holdings.loseAll("killed");
}
