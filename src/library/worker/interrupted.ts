import type { StopReason } from "../../kernel/worker/evidence.ts";

/** Why a worker's signal fired. */
export type InterruptedBy = "stop" | "kill" | "quarantine" | "expiry" | "close";

const SENTENCES: Readonly<Record<InterruptedBy, string>> = {
  stop: "the worker was told to stop",
  kill: "the fleet was killed",
  quarantine: "the worker was put in quarantine",
  expiry: "the worker's lifetime has ended",
  close: "the fleet's handle was closed",
};

/** The reason of an aborted signal: what a task that obeys its signal is interrupted with. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  readonly by: InterruptedBy;

  constructor(by: InterruptedBy) {
    super(SENTENCES[by]);
    this.by = by;
  }
}

/** What a worker that was told to stop is interrupted by. */
export function interruptionOf(reason: StopReason): InterruptedBy {
  if (reason === "expired") return "expiry";
  return reason === "killed" ? "kill" : "stop";
}
