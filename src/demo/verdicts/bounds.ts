import { counted } from "../telling/counted.ts";
import type { Verdict } from "./verdict.ts";

/** A refusal as the journal has it; which rule it was only the journal can say. */
export interface RefusalSeen {
  readonly seq: number;
  readonly code: string;
  /** What was counted where a rule counts: what lives, and how much may. */
  readonly live?: number | undefined;
  readonly max?: number | undefined;
}

/** A refusal by one rule; where it counts, it must say no at its bound, and not above it. */
function refusedBy(code: string): (seen: RefusalSeen) => Verdict {
  return ({ seq, code: found, live, max }) => {
    const isAbove = live !== undefined && max !== undefined && live > max;
    const isCounted = code !== "max_replicas" || (live !== undefined && max !== undefined);
    return {
      isSeen: found === code && isCounted && !isAbove,
      details: [
        `by the journal, entry ${seq}`,
        found === code ? "" : `by ${found}`,
        isAbove ? `said no with ${live} live, where ${max} may be` : "",
        isCounted ? "" : "which does not say how many live",
      ],
    };
  };
}

/** Refused by a condition of the contract. */
export const stopCondition = refusedBy("stop_condition");

/** Refused since the parent's last admission was just now. */
export const cooldown = refusedBy("cooldown");

/** Refused since it would be a generation too many. */
export const maxDepth = refusedBy("max_depth");

/** Refused since the fleet is full; no more lived then than may. */
export const maxReplicas = refusedBy("max_replicas");

/** Who had processes until just before the end. */
export interface RefusedSeen {
  /** How many workers ever had a process. */
  readonly workerCount: number;
  /** Those of them that nobody has admitted. */
  readonly strangers: readonly string[];
  /** Workers that live by the journal and have no process. */
  readonly unseen: readonly string[];
  /** The most workers that had processes at once, and that lived at once by the journal. */
  readonly atOnceMax: number;
  readonly liveMax: number;
  readonly max: number;
}

/** Nobody ever ran who was not admitted, and never more at once than may. */
export function refused(seen: RefusedSeen): Verdict {
  const { workerCount, strangers, unseen, atOnceMax, liveMax, max } = seen;
  const isAll = strangers.length === 0 && unseen.length === 0;
  return {
    isSeen: isAll && workerCount > 0 && atOnceMax <= max && liveMax <= max,
    details: [
      `${counted(workerCount, "worker")} with processes`,
      strangers.length === 0 ? "all of them admitted" : `not admitted: ${strangers.join(" ")}`,
      `at most ${atOnceMax} of ${max} at once`,
      liveMax <= max ? "" : `${liveMax} by the journal`,
      unseen.length === 0 ? "" : `live and without a process: ${unseen.join(" ")}`,
    ],
  };
}
