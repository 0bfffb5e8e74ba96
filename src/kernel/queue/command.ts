import type { Claim } from "../lease/lease.ts";

/** What every command about a place in the queue says: which one, and who asks. */
interface OfWaiter {
  readonly place: string;
  readonly claim: Claim;
}

/** The bodies of the commands about places in the queue, by their kind. */
export interface QueueCommandMap {
  /** Takes up what a place is waiting for if it is its turn; else keeps the place up. */
  readonly "place.keep": OfWaiter;
  /** Waits no longer. */
  readonly "place.leave": OfWaiter;
  /** Ends somebody's waiting on an operator's word. */
  readonly "place.cancel": { readonly place: string; readonly reason: string };
}
