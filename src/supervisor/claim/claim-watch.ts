import type { Timers } from "../../runtime/timers.ts";
import type { Claim } from "./claim.ts";

/** How often it is looked whether the claim still is the one that others would have to take, ms. */
const CLAIM_LOOK_MS = 5_000;

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
