import { counted } from "../telling/counted.ts";
import type { OnRung, Verdict } from "./verdict.ts";

/** How much must move of a worker that is seen to run, clock ticks. */
export const TICKS_MIN = 2;

/** What can be seen of a worker's work from outside. */
export interface Work {
  /** CPU time of all its processes, clock ticks. */
  readonly ticks: number;
  /** What it has written that is in its file, bytes. */
  readonly bytes: number;
}

/** Entries of a worker that was stale and has recovered, and its process at both times. */
export interface StaleSeen {
  readonly pid: number;
  readonly staledSeq: number;
  readonly silentMs: number;
  readonly recoveredSeq: number;
  readonly wasThere: boolean;
  readonly isThere: boolean;
}

/** A worker that is stale recovers as the very same process. */
export function stale(seen: StaleSeen): Verdict {
  const { wasThere, isThere, staledSeq, recoveredSeq } = seen;
  return {
    isSeen: wasThere && isThere && recoveredSeq > staledSeq,
    details: [
      `stale by the journal in entry ${staledSeq}, silent for ${seen.silentMs} ms`,
      `recovered in entry ${recoveredSeq}`,
      wasThere && isThere ? `process ${seen.pid} all the while` : `process ${seen.pid} is gone`,
    ],
  };
}

/** Descendants that have left their worker's session and parentage, and what holds them. */
export interface RunawaysSeen extends OnRung {
  readonly fugitiveCount: number;
  readonly expectedCount: number;
  /** Whether all are in the PID namespace of their worker's program, and not in the demo's. */
  readonly isEnclosed: boolean;
  /** Whether all are in the control groups of their worker's program. */
  readonly isTogether: boolean;
  /** Whether these groups are others than those of the demo itself. */
  readonly isGrouped: boolean;
  /** Whether the supervisor says that it makes control groups: not every user may. */
  readonly isGroupPromised: boolean;
  /** How many processes of the worker the host's table shows. */
  readonly tableCount: number;
  /** How many the fleet says it has ended. */
  readonly killedCount: number;
}

/** What has run off is held by what the rung has, and the fleet's count misses none of it. */
export function runaways(seen: RunawaysSeen): Verdict {
  const { rung, fugitiveCount, expectedCount, killedCount, isEnclosed } = seen;
  const isGrouped = seen.isTogether && seen.isGrouped;
  const isHeld = rung === "process-group" || (isEnclosed && (isGrouped || !seen.isGroupPromised));
  const isCounted = fugitiveCount === expectedCount && killedCount >= fugitiveCount;
  return {
    isSeen: isHeld && isCounted && fugitiveCount > 0,
    details: [
      `${fugitiveCount} in sessions of their own, ${holding(seen, isGrouped)}`,
      `the host's table shows ${counted(seen.tableCount, "process")} of this worker`,
      `the fleet ended ${killedCount}`,
    ],
  };
}

function holding({ rung, isEnclosed }: RunawaysSeen, isGrouped: boolean): string {
  if (rung === "process-group") return "found by their marks, which is all that this rung has";
  const names = ["the worker's PID namespace", ...(isGrouped ? ["its control groups"] : [])];
  return isEnclosed ? `all in ${names.join(" and ")}` : "NOT in the worker's PID namespace";
}

/** The processes of a worker before its end and after it. */
export interface EndSeen {
  readonly beforeCount: number;
  readonly leftCount: number;
  /** The grade of evidence that the fleet has for the end. */
  readonly grade: string;
}

/** A stopped worker's descendants are gone with it. */
export function caught(seen: EndSeen & { readonly stoppedCount: number }): Verdict {
  const { beforeCount, leftCount, stoppedCount, grade } = seen;
  return {
    isSeen: beforeCount > 0 && leftCount === 0 && stoppedCount > 0,
    details: [
      `${counted(beforeCount, "process")} before, ${leftCount} after`,
      stoppedCount > 0 ? "" : "nobody was stopped",
      `evidence ${grade}`,
    ],
  };
}

/** The work of a frozen worker at two times. */
export interface FrozenSeen {
  readonly still: Work;
  readonly later: Work;
  readonly stillMs: number;
}

/** A frozen worker has processes, and nothing of it moves. */
export function frozen({ still, later, stillMs }: FrozenSeen): Verdict {
  return {
    isSeen: isSame(still, later) && still.ticks > 0,
    details: [`for ${stillMs} ms ${movementText(still, later)}`],
  };
}

/** A worker that was frozen computes and writes again. */
export function thawed({ since, now }: { readonly since: Work; readonly now: Work }): Verdict {
  return { isSeen: hasMoved(since, now), details: [movementText(since, now)] };
}

/** Whether a worker was seen to run between two looks. */
export function hasMoved(since: Work, now: Work): boolean {
  return now.ticks >= since.ticks + TICKS_MIN && now.bytes > since.bytes;
}

/** Whether nothing moved between two looks. */
export function isSame(one: Work, other: Work): boolean {
  return one.ticks === other.ticks && one.bytes === other.bytes;
}

function movementText(from: Work, to: Work): string {
  const ticks = `its CPU time went from ${from.ticks} to ${to.ticks} ticks`;
  return `${ticks} and its output from ${from.bytes} to ${to.bytes} bytes`;
}

/** The end of a worker that died, as the journal has it, and its processes. */
export interface DiedSeen extends EndSeen {
  readonly signal: string | null | undefined;
  readonly exitCode: number | null | undefined;
  readonly seq: number;
}

/** A worker that kills itself was there, is noticed, and nothing of it is left. */
export function died(seen: DiedSeen): Verdict {
  const { beforeCount, leftCount, signal, exitCode, grade, seq } = seen;
  // Where a wrapper passes the end on, a signal is told as the code of a shell.
  const isKilled = signal === "SIGKILL" || exitCode === 137;
  return {
    isSeen: isKilled && beforeCount > 0 && leftCount === 0,
    details: [
      `${counted(beforeCount, "process")} before, ${leftCount} after`,
      `ended by ${signal ?? `code ${exitCode ?? "?"}`}`,
      `evidence ${grade} (entry ${seq})`,
    ],
  };
}

/** The end of a worker that hung, as the journal has it, and its process. */
export interface HangingSeen {
  readonly pid: number;
  readonly isGone: boolean;
  readonly reason: string;
  readonly grade: string;
  readonly seq: number;
}

/** A worker that hangs is ended for its silence, which only the journal can say. */
export function hanging({ pid, isGone, reason, grade, seq }: HangingSeen): Verdict {
  return {
    isSeen: reason === "silent" && isGone,
    details: [
      `process ${pid} is ${isGone ? "gone" : "still there"}`,
      `${reason} by the journal, evidence ${grade} (entry ${seq})`,
    ],
  };
}
