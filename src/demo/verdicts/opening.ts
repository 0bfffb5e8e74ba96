import type { OnRung, Verdict } from "./verdict.ts";

/** The supervisor that answers, and the process that was started for it. */
export interface SupervisedSeen {
  /** What it says that its process is. */
  readonly saidPid: number;
  /** The process that was started, if it runs. */
  readonly startedPid: number | undefined;
  readonly sessionId: number | undefined;
}

/** A supervisor is a process that was started for it, and leads a session of its own. */
export function supervised({ saidPid, startedPid, sessionId }: SupervisedSeen): Verdict {
  return {
    isSeen: startedPid === saidPid && sessionId === saidPid,
    details: [`process ${saidPid}, in session ${sessionId ?? "?"}`],
  };
}

/** The root's own process, and what it is in. */
export interface ContainedSeen extends OnRung {
  readonly pid: number;
  readonly sessionId: number;
  readonly supervisorSessionId: number | undefined;
  /** Its PID namespace and that of the demo itself; undefined: not to be seen. */
  readonly namespace: string | undefined;
  readonly ownNamespace: string | undefined;
  /** Whether its control groups are others than those of the demo itself. */
  readonly isGrouped: boolean;
  /** Whether the supervisor says that it makes control groups: not every user may. */
  readonly isGroupPromised: boolean;
}

/** The root is in what its rung promises, and in no session of the supervisor's. */
export function contained(seen: ContainedSeen): Verdict {
  const { rung, namespace, ownNamespace, isGrouped } = seen;
  const isEnclosed = namespace !== undefined && namespace !== ownNamespace;
  const isOfRung = rung === "process-group" ? namespace !== undefined && !isEnclosed : isEnclosed;
  return {
    isSeen:
      isOfRung && isGrouped === seen.isGroupPromised && seen.sessionId !== seen.supervisorSessionId,
    details: [
      `process ${seen.pid}`,
      isEnclosed
        ? `in ${namespace}, not in this ${ownNamespace ?? "one"}`
        : "in this PID namespace",
      isGrouped ? "in control groups of its own" : "in no control group of its own",
    ],
  };
}
