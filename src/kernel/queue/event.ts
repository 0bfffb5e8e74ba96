import type { Holder } from "../lease/lease.ts";
import type { PlaceAsk, PlaceGround } from "./place.ts";

/** The bodies of the events about places in the queue, by their kind. */
export interface QueueEventMap {
  /** Its id and rank follow from the place of this very entry (`placeIdAt`). */
  readonly "place.queued": {
    readonly holder: Holder;
    readonly ask: PlaceAsk;
    /** What can be waited for of what was asked. */
    readonly grounds: readonly PlaceGround[];
    /** The worktree whose ground it is, where worktrees have ground of their own. */
    readonly worktree?: string;
    /** It waits for others who wait in a circle, so that one of its own could not be seen yet. */
    readonly behind_circle?: true;
    readonly until_ms: number;
    readonly deadline_ms: number;
  };
  readonly "place.kept": { readonly place: string; readonly until_ms: number };
  /** Whoever had it waits no longer. */
  readonly "place.left": {
    readonly place: string;
    readonly cause: "holder" | "operator";
    /** The operator's. */
    readonly reason?: string;
  };
  /** It is forgotten: its deadline was past, nobody kept it up, or an operator had ended it. */
  readonly "place.lapsed": {
    readonly place: string;
    readonly cause: "deadline" | "unkept" | "cancelled";
  };
}
