// What hostile workers try, and what is declared to come of it on each rung. The tests compare it
// with what does; docs/sandboxes.md is made of it.
import type { Degradation } from "../../src/kernel/fleet/contract.ts";

/** A way to contain workers, as the table names it. */
export type RungName = "cgroup" | "cgroup, no control groups" | "pid-namespace" | "process-group";

/** What a rung is, and what a fleet on it has to accept. */
export interface RungCase {
  readonly name: RungName;
  /** As a supervisor is told to use it. */
  readonly rung: "cgroup" | "pid-namespace" | "process-group";
  /** Whether the supervisor is started where no control groups are mounted. */
  readonly isBare: boolean;
  /** What the driver says it does not hold, for root. */
  readonly degraded: readonly Degradation[];
  /** What the fleet's contract accepts of it: without it nothing can be started. */
  readonly allowed: readonly Degradation[];
  /** How an end is known. */
  readonly grade: "observed" | "swept";
  /** What a host must have. */
  readonly needs: string;
}

/** The rungs, the strongest first. */
export const RUNGS: readonly RungCase[] = [
  {
    name: "cgroup",
    rung: "cgroup",
    isBare: false,
    degraded: [],
    allowed: [],
    grade: "observed",
    needs: "bubblewrap, user namespaces or root, control groups that can be written",
  },
  {
    name: "cgroup, no control groups",
    rung: "cgroup",
    isBare: true,
    degraded: ["memory", "cpu", "processes"],
    allowed: [],
    grade: "observed",
    needs: "bubblewrap, user namespaces or root",
  },
  {
    name: "pid-namespace",
    rung: "pid-namespace",
    isBare: false,
    degraded: ["memory", "cpu", "processes", "leases"],
    allowed: [],
    grade: "observed",
    needs: "util-linux, user namespaces or root",
  },
  {
    name: "process-group",
    rung: "process-group",
    isBare: false,
    degraded: ["same_user", "memory", "cpu", "processes", "network", "leases"],
    allowed: ["same_user"],
    grade: "swept",
    needs: "a readable `/proc`",
  },
];

/** What comes of an attempt: `degraded` is that it gets through, and the word was in force. */
export type Verdict = "held" | `refused ${Degradation}` | `degraded ${Degradation}`;

/** A hostile program, and what is declared about it. */
export interface HostileCase {
  /** The program's file in fixtures/, without its ending. */
  readonly name: string;
  /** What it tries, for the table. */
  readonly tries: string;
  /** Whether it is about running on: then a control run without Stint has survivors. */
  readonly outlives?: boolean;
  /** What it is started with. */
  readonly budget?: Readonly<Record<string, number>>;
  readonly network?: "open" | "controller";
  /** The weakness that matters to it: where a rung has it, the worker is refused. */
  readonly matters?: Degradation;
  /** How it is ended; `stop` without grace. */
  readonly ends?: "stop" | "grace" | "wall" | "late" | "revoked";
  /** The limit that it runs into, which is then on record, where it is held. */
  readonly limit?: string;
  /** Where that is on record; everywhere by default. */
  readonly isTold?: "by control groups";
  /** Whether its arguments do not show whose it is. */
  readonly isUnnamed?: boolean;
  /** Where it gets through: on `process-group`, always or under a condition. */
  readonly getsThrough?: "always" | "as root" | "as root that may lift limits";
  /** Whether the fleet's leases are enforced. */
  readonly isFenced?: boolean;
}

/** What is tried, in the order of the table. */
export const CASES: readonly HostileCase[] = [
  {
    name: "daemonises",
    tries: "leaves session, group and parent by `setsid` and a double fork, closes its output",
    outlives: true,
  },
  {
    name: "ignores-signals",
    tries: "ignores every signal that can be ignored, in four processes",
    outlives: true,
    ends: "grace",
  },
  {
    name: "spawns",
    tries: "spawns during its kill: nothing of it lives for 10 ms, and all has a child",
    outlives: true,
  },
  {
    name: "renames-itself",
    tries: "calls itself a thread of the kernel, name and arguments",
    outlives: true,
    isUnnamed: true,
  },
  {
    name: "empties-its-environment",
    tries: "becomes a program without environment",
    outlives: true,
  },
  {
    name: "hides",
    tries: "both: no environment, and no session, group or parent that was its own",
    outlives: true,
    getsThrough: "always",
  },
  {
    name: "deletes-itself",
    tries: "runs on from a deleted program, with a deleted file open for writing",
    outlives: true,
  },
  {
    name: "outstays",
    tries: "goes on when its wall time is over",
    outlives: true,
    budget: { wall_ms: 2_000 },
    ends: "wall",
    limit: "wall_ms",
  },
  {
    name: "joins-late",
    tries: "its launcher is stopped when it is killed, and continued after",
    outlives: true,
    ends: "late",
  },
  {
    name: "kills-its-supervisor",
    tries: "kills its supervisor, and stops a sibling",
    getsThrough: "always",
  },
  {
    name: "forks",
    tries: "a fork bomb, with 20 processes granted",
    budget: { processes: 20 },
    matters: "processes",
    limit: "processes",
  },
  {
    name: "takes-memory",
    tries: "takes 256 MiB, with 64 granted",
    budget: { memory_bytes: 64 * 2 ** 20 },
    matters: "memory",
    limit: "memory_bytes",
  },
  {
    name: "lifts-its-limits",
    tries: "writes to the files of its control groups, mounts them anew, makes namespaces",
    budget: { memory_bytes: 256 * 2 ** 20 },
    matters: "memory",
  },
  {
    name: "floods",
    tries: "writes 64 MiB to stdout, of which 1 is kept",
    limit: "output_bytes",
  },
  {
    name: "opens-files",
    tries: "opens 2 000 files, with 256 granted, and tries to be granted more",
    limit: "open_files",
    isTold: "by control groups",
    getsThrough: "as root that may lift limits",
  },
  {
    name: "writes-the-journal",
    tries: "writes to the journal, to the fleet's permit and beside them",
    getsThrough: "always",
  },
  {
    name: "writes-keys",
    tries: "reads and writes the fleet's secret and the operator's token",
    getsThrough: "always",
  },
  {
    name: "writes-to-a-sibling",
    tries: "reads a sibling's token, writes to its token and folders",
    getsThrough: "always",
  },
  {
    name: "writes-to-proc",
    tries: "reads a sibling's environment in `/proc`, writes to its settings and memory there",
    getsThrough: "always",
  },
  {
    name: "changes-settings",
    tries: "writes to settings of the host in `/proc/sys`",
    getsThrough: "as root",
  },
  {
    name: "traces-a-sibling",
    tries: "signals a sibling, attaches to it by `ptrace`, reads its memory",
    getsThrough: "always",
  },
  {
    name: "writes-to-the-host",
    tries: "writes beside the ground, to `/etc/passwd` and to a program",
    getsThrough: "always",
  },
  {
    name: "reaches-out",
    tries: "connects to a port and an abstract socket of the host, with network `controller`",
    network: "controller",
    matters: "network",
  },
  {
    name: "writes-without-a-lease",
    tries: "where leases are enforced: writes to ground of a sibling's lease, and of nobody's",
    matters: "leases",
    isFenced: true,
  },
  {
    name: "keeps-a-file-open",
    tries: "where leases are enforced: keeps a file open, and writes, when its lease is revoked",
    matters: "leases",
    ends: "revoked",
    isFenced: true,
  },
];

/** What a host is, as far as verdicts depend on it. */
export interface HostAbility {
  readonly isRoot: boolean;
  /** Whether it is root with CAP_SYS_RESOURCE, which many containers have not. */
  readonly canLift: boolean;
  /** Whether the supervisor has control groups. */
  readonly hasGroups: boolean;
  /** What the driver says of itself here. */
  readonly degraded: readonly string[];
}

/** What a host is that has what a rung asks for: as root. */
function hostOf({ isBare, degraded }: RungCase): HostAbility {
  return { isRoot: true, canLift: false, hasGroups: !isBare, degraded };
}

/** Whether a limit that is hit on a rung is on record. */
export function isTold(one: HostileCase, on: RungCase, host = hostOf(on)): boolean {
  if (one.limit === undefined) return false;
  return one.isTold === undefined || (host.hasGroups && on.rung !== "process-group");
}

/** What is declared to come of a case on a rung; by default for root. */
export function verdictOf(one: HostileCase, on: RungCase, host = hostOf(on)): Verdict {
  if (one.matters !== undefined && host.degraded.includes(one.matters))
    return `refused ${one.matters}`;
  if (on.rung !== "process-group" || one.getsThrough === undefined) return "held";
  if (one.getsThrough === "as root" && !host.isRoot) return "held";
  if (one.getsThrough === "as root that may lift limits" && !host.canLift) return "held";
  return "degraded same_user";
}
