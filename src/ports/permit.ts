/**
 * The permit of a fleet: a mark beside the journal without which nothing is started.
 *
 * Taking it away needs no space on the disk and no lock, so a kill that cannot be journaled is
 * still a kill: whoever opens the journal next and finds the permit gone journals it.
 */
export interface Permit {
  /** Lays the permit of a fleet that is about to be created. */
  grant(fleet: string): Promise<void>;
  /** Whether the fleet may start anything. */
  isGranted(fleet: string): Promise<boolean>;
  /** Takes back what was granted for a fleet that did not come to be. */
  withdraw(fleet: string): Promise<void>;
  /** Takes it away for good, also from copies of the store where it can; safe to repeat. */
  revoke(fleet: string): Promise<void>;
}
