import { Fault } from "../../ports/fault.ts";

/**
 * Why a lease cannot be relied on any more. `lapsing`: its end is near and was not moved in time.
 * `taken_over`: another holds it. `ended`: it has ended, and it is not known here how. `refused`:
 * it could not be renewed any more. `killed`: its fleet was. `closed`: nothing more is heard here.
 */
export type LostBy =
  | "lapsing"
  | "released"
  | "revoked"
  | "lapsed"
  | "completed"
  | "taken_over"
  | "ended"
  | "refused"
  | "killed"
  | "closed";

const WORDS: Readonly<Record<LostBy, string>> = {
  lapsing: "its end is too near to rely on it",
  released: "it was released",
  revoked: "it was revoked",
  lapsed: "its time was over",
  completed: "its holder ended as it should",
  taken_over: "another holds it",
  ended: "it has ended",
  refused: "it could not be renewed any more",
  killed: "the fleet was killed",
  closed: "the fleet's handle was closed",
};

/**
 * The reason with which the signal of a lease fires: from then on whoever worked under the lease
 * must not write to its ground any more.
 */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  /** The lease's id. */
  readonly lease: string;
  readonly by: LostBy;

  constructor(lease: string, by: LostBy) {
    super(`lease ${lease} must be held on, ${WORDS[by]}`);
    this.lease = lease;
    this.by = by;
  }
}

/** How often something is asked again whose lease had ended by the time of the answer. */
export const AGAIN_MAX = 8;

/** The fault of a lease that had ended each time that its caller was told of it. */
export function keepsEnding(kind: string): Fault {
  const message = `${kind} must be answered before its lease ends, ${AGAIN_MAX} times it was not`;
  return new Fault("storage_busy", message, { retryable: true });
}
