import { Fault } from "../../ports/fault.ts";
import type { Loop } from "../../runtime/loop.ts";
import type { Timers } from "../../runtime/timers.ts";
import type { Claim } from "./claim.ts";

/** How often it is looked whether the claim still is the one that others would have to take, ms. */
const CLAIM_LOOK_MS = 5_000;

/** The same of the journal, ms: until then whoever comes is told that it is lost. */
const JOURNAL_LOOK_MS = 1_000;

/**
 * Calls `onLost`, once, when a claim was taken away: another may supervise the fleet then, or there
 * is no place left to write anything down. Returns how to stop looking.
 */
export function watchClaim(claim: Claim, timers: Timers, onLost: () => void): () => void {
  let cancel: () => void = () => undefined;
  const look = (): void => {
    cancel = timers.after(CLAIM_LOOK_MS, () => (claim.isHeld() ? look() : onLost()));
  };
  look();
  return () => cancel();
}

/**
 * Calls `onLost`, once, when the journal under a loop is gone or broken: the loop takes nothing any
 * more, so no stop or kill would ever be heard here, though the journal were put back. Returns how
 * to stop looking.
 */
export function watchJournal(
  loop: Pick<Loop, "look">,
  timers: Timers,
  onLost: () => void,
): () => void {
  let isOver = false;
  let cancel: () => void = () => undefined;
  const look = async (): Promise<void> => {
    const isLost = await loop.look().then(() => false, isOfJournal);
    if (isOver) return;
    if (isLost) onLost();
    else cancel = timers.after(JOURNAL_LOOK_MS, () => void look());
  };
  cancel = timers.after(JOURNAL_LOOK_MS, () => void look());
  return () => {
    isOver = true;
    cancel();
  };
}

/** Whether a loop that failed so never goes on. What else fails may work the next time. */
function isOfJournal(error: unknown): boolean {
  return error instanceof Fault && error.code.startsWith("journal_");
}
