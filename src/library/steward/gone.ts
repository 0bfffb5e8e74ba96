import type { Worker } from "../../kernel/state.ts";
import type { Evidence } from "../../kernel/worker/evidence.ts";
import { supervisorOf, type Seat } from "../seat.ts";

/**
 * What the process table says about a worker that was told to stop and has no sandbox here: the
 * evidence that it is gone, or null while it may still run.
 *
 * A process that is not in the table any more, by pid and start time, is over; what it may have
 * left behind is not excluded, so the grade is `swept`.
 */
export function evidenceOfAbsence(seat: Seat, worker: Worker): Evidence | null {
  const { process } = worker;
  if (process === null || seat.host.look(process) !== "gone") return null;
  const facts = { process: "gone", pid: process.pid, started: process.started };
  return { grade: "swept", facts };
}

/** Journals the end of a worker on evidence that this process has; a lost race is none. */
export async function journalEnd(seat: Seat, id: string, evidence: Evidence): Promise<void> {
  const data = { worker: id, evidence, outcome: {} };
  await seat.loop.submit({ kind: "worker.exited", data }, supervisorOf(seat));
}
