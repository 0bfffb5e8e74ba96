import { counted } from "../telling/counted.ts";
import type { OnRung, Verdict } from "./verdict.ts";

/** The fleet's processes before its kill and after it. */
export interface KilledSeen {
  readonly beforeCount: number;
  readonly leftCount: number;
  /** How many were ever seen; all of them are looked for. */
  readonly everCount: number;
}

/** There was something to kill, and nothing that was ever seen is left. */
export function killed({ beforeCount, leftCount, everCount }: KilledSeen): Verdict {
  const none = `none of the ${everCount} that were ever seen is left`;
  return {
    isSeen: beforeCount > 0 && leftCount === 0,
    details: [
      `${counted(beforeCount, "process")} before, ${leftCount} after`,
      leftCount === 0 ? none : "",
    ],
  };
}

/** What a receipt claims, and what was seen in the host's table. */
export interface ReceiptSeen extends OnRung {
  readonly isProven: boolean;
  readonly stoppedCount: number;
  readonly survivorCount: number;
  readonly sweptCount: number;
  readonly why: readonly string[];
  /** The workers that it names. */
  readonly listed: readonly string[];
  /** Those that had processes just before the kill, and those of them that have none after it. */
  readonly running: readonly string[];
  readonly ended: readonly string[];
}

/** A receipt names whoever ran, counts who was seen to end, and claims what its rung can prove. */
export function receipt(seen: ReceiptSeen): Verdict {
  const { isProven, stoppedCount, survivorCount, listed, running, ended } = seen;
  const isHonest =
    seen.rung === "process-group" ? !isProven && seen.sweptCount === stoppedCount : isProven;
  const unlisted = running.filter((id) => !listed.includes(id));
  const invented = listed.filter((id) => !running.includes(id));
  const isComplete = unlisted.length === 0 && invented.length === 0;
  const isCounted = stoppedCount === ended.length && survivorCount === 0 && stoppedCount > 0;
  return {
    isSeen: isHonest && isComplete && isCounted,
    details: [
      `${stoppedCount} stopped, ${counted(survivorCount, "survivor")}`,
      isProven ? "proven" : "not proven",
      seen.why.join("; "),
      isComplete ? "the very workers that had processes" : "",
      unlisted.length === 0 ? "" : `not in it, and had processes: ${unlisted.join(" ")}`,
      invented.length === 0 ? "" : `in it, and had no process: ${invented.join(" ")}`,
      ended.length === stoppedCount ? "" : `${ended.length} were seen to end`,
    ],
  };
}

/** How the signature of a receipt holds by Node's own Ed25519. */
export interface SignedSeen {
  readonly keyId: string;
  /** Whether what a new process reads from the journal is what the kill has answered. */
  readonly isRecorded: boolean;
  /** Whether it holds for the public key that stands in the exported journal. */
  readonly isValid: boolean;
  /** Whether it would hold for a receipt that claims something else. */
  readonly isValidForOther: boolean;
}

/** A recorded receipt is what was answered, signed with the fleet's key, and nothing else is. */
export function signed({ keyId, isRecorded, isValid, isValidForOther }: SignedSeen): Verdict {
  return {
    isSeen: isRecorded && isValid && !isValidForOther,
    details: [
      `key ${keyId.slice(0, 16)}`,
      isRecorded ? "" : "not the receipt that is on record",
      isValid ? "by the public key in the exported journal" : "the signature does not hold",
      isValidForOther ? "which would hold for another receipt, too" : "",
    ],
  };
}

/** A killed fleet refuses for the reason that it is killed. */
export function late({ code }: { readonly code: string }): Verdict {
  return { isSeen: code === "fleet_killed", details: [code] };
}

/** What a new process was answered, and how many processes of the fleet there are then. */
export interface LateProcessSeen {
  readonly exit: number | string;
  readonly code: string | undefined;
  readonly processCount: number;
}

/** A killed fleet refuses a process that never knew it alive, and starts nothing for it. */
export function lateProcess({ exit, code, processCount }: LateProcessSeen): Verdict {
  return {
    isSeen: exit === 3 && code === "fleet_killed" && processCount === 0,
    details: [
      `\`stint spawn\` exits with ${exit}, ${code ?? "no refusal"}`,
      counted(processCount, "process"),
    ],
  };
}

/** What a new process has found of the journal. */
export interface VerifiedSeen {
  readonly exit: number | string;
  readonly isKeyTrusted: boolean;
  readonly entryCount: number | undefined;
  readonly anchorSeq: number | undefined;
}

/** A new process verifies the journal, and knows its key. */
export function verified({ exit, isKeyTrusted, entryCount, anchorSeq }: VerifiedSeen): Verdict {
  return {
    isSeen: exit === 0 && isKeyTrusted && anchorSeq !== undefined && entryCount !== undefined,
    details: [
      `\`stint journal verify\` exits with ${exit}`,
      `${String(entryCount)} entries, signed up to ${String(anchorSeq)}`,
      isKeyTrusted ? "" : "by a key that is not this fleet's",
    ],
  };
}

/** What deciding the journal again has come to. */
export interface ReplayedSeen {
  readonly isSound: boolean;
  readonly isReplayed: boolean;
  /** Whether a new process has come to the state that was signed. */
  readonly isStateSigned: boolean;
  readonly entryCount: number;
  /** How many entries the new process has found. */
  readonly entryCountElsewhere: number | undefined;
  readonly stateHash: string;
  readonly problems: readonly string[];
}

/** The journal comes to the same state here, elsewhere, and where it was signed. */
export function replayed(seen: ReplayedSeen): Verdict {
  const { isStateSigned, entryCount, entryCountElsewhere } = seen;
  const isSame = entryCount === entryCountElsewhere;
  return {
    isSeen: seen.isSound && seen.isReplayed && isStateSigned && isSame,
    details: [
      `state ${seen.stateHash.slice(0, 16)}`,
      isStateSigned ? "the signed one, too" : "not the one that was signed",
      isSame ? "" : `${entryCount} entries here, ${String(entryCountElsewhere)} elsewhere`,
      ...seen.problems,
    ],
  };
}

/** What is left when the supervisor was told to leave. */
export interface GoneSeen {
  /** How it was told, and what came of that; what counts is that it is gone. */
  readonly call: string;
  readonly supervisorPid: number;
  readonly isSupervisorGone: boolean;
  readonly leftCount: number;
  readonly socketCount: number;
}

/** Neither supervisor nor process nor socket is left. */
export function gone(seen: GoneSeen): Verdict {
  const { call, supervisorPid, isSupervisorGone, leftCount, socketCount } = seen;
  return {
    isSeen: isSupervisorGone && leftCount === 0 && socketCount === 0,
    details: [
      call,
      `the supervisor (process ${supervisorPid}) is ${isSupervisorGone ? "gone" : "still there"}`,
      `${counted(leftCount, "process")}, ${counted(socketCount, "socket")}`,
    ],
  };
}
