import type { CommandKind } from "../kernel/command.ts";
import type { RefusalCode } from "../kernel/refusal.ts";
import type { FaultCode } from "../ports/fault.ts";
import type { InputCode } from "./input.ts";

/**
 * What kind of no a code is: `input` was not understood, `refusal` is the rules' answer, `fault`
 * is the world's failure, `outcome` is a command that was carried out but not to a good end.
 */
export type ProblemKind = "input" | "refusal" | "fault" | "outcome";

/** Codes that neither the kernel nor a port gives: how a program ends. */
export type OutcomeCode = "unproven" | "interrupted" | "bug";

/** Every public code; codes are permanent. */
export type ProblemCode = RefusalCode | FaultCode | InputCode | OutcomeCode;

/** Who gives a code first: the kernel, the loop around it, a door, or an adapter of a port. */
export type ProblemSource = "kernel" | "loop" | "edge" | "adapter";

/** What a code means at every edge of Stint. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly by: ProblemSource;
  /** HTTP status. */
  readonly http: number;
  /** Exit code of the command line. */
  readonly exit: number;
  /** JSON-RPC error code, or null where MCP answers a tool result that is marked as an error. */
  readonly mcp: number | null;
  /** The commands that can be answered so; none where it is not about one command. */
  readonly commands: readonly CommandKind[];
  /** True while nothing that is built gives it. */
  readonly reserved: boolean;
  /** A sentence for people. */
  readonly meaning: string;
}

const EXIT = { usage: 2, refused: 3, notFound: 4, fault: 5 } as const;
const JSON_RPC = { invalidParams: -32_602, internalError: -32_603 } as const;

/** Typed so that no kind can be left out. */
const allKinds: Readonly<Record<CommandKind, true>> = {
  "fleet.create": true,
  "fleet.pause": true,
  "fleet.resume": true,
  "fleet.kill": true,
  "fleet.recover": true,
  "contract.enact": true,
  "key.rotate": true,
  "worker.admit": true,
  "worker.register": true,
  "worker.checkpoint": true,
  "worker.observe": true,
  "worker.stop": true,
  "worker.exited": true,
  "worker.hit_limit": true,
  "worker.write_off": true,
  "worker.quarantine": true,
  "worker.unquarantine": true,
  "worker.note": true,
  "budget.charge": true,
  "lanes.enact": true,
  "lane.announce": true,
  "lease.acquire": true,
  "lease.renew": true,
  "lease.release": true,
  "lease.narrow": true,
  "lease.split": true,
  "lease.hand_over": true,
  "lease.revoke": true,
  "lease.mount": true,
  "lease.fence": true,
  "place.keep": true,
  "place.leave": true,
  "place.cancel": true,
  "condition.trip": true,
  "condition.fail": true,
  "armed.check": true,
  "roster.enact": true,
  "roll.observe": true,
  "roll.forget": true,
  "control.request": true,
  "service.note": true,
  "token.issue": true,
  "token.exchange": true,
  "token.revoke": true,
  "halt.request": true,
  "clock.tick": true,
  "clock.accept": true,
  "refusals.suppress": true,
  "journal.sign": true,
  "receipt.record": true,
};

/** Every kind of command, in the order of their nouns. */
export const COMMAND_KINDS = Object.keys(allKinds) as readonly CommandKind[];

const admitted: readonly CommandKind[] = ["worker.admit"];
const registered: readonly CommandKind[] = ["worker.register"];
const entering: readonly CommandKind[] = ["worker.admit", "worker.register"];
const changing: readonly CommandKind[] = [
  "fleet.pause",
  "fleet.resume",
  "contract.enact",
  "key.rotate",
  "lanes.enact",
  "roster.enact",
  "control.request",
];
const working: readonly CommandKind[] = ["worker.checkpoint", "worker.quarantine"];
const enacted: readonly CommandKind[] = ["fleet.create", "contract.enact"];
const onLive: readonly CommandKind[] = [
  "worker.checkpoint",
  "worker.observe",
  "worker.stop",
  "worker.exited",
  "worker.hit_limit",
  "worker.write_off",
  "worker.quarantine",
  "worker.unquarantine",
  "budget.charge",
];
const onKnown: readonly CommandKind[] = [...onLive, "worker.note"];
/** Commands that give a right to somebody, who must be fit for it. */
const granting: readonly CommandKind[] = ["lease.acquire", "lease.split", "lease.hand_over"];
const claiming: readonly CommandKind[] = [
  "lease.renew",
  "lease.release",
  "lease.narrow",
  "lease.split",
  "lease.hand_over",
];
const onLease: readonly CommandKind[] = [...claiming, "lease.revoke"];
/** Commands about a place in the queue, by whoever waits in it. */
const waiting: readonly CommandKind[] = ["place.keep", "place.leave"];
/** Commands that may be let wait. */
const queueing: readonly CommandKind[] = ["lease.acquire", "place.keep"];
/** Commands by which a supervisor says what it has seen of kill conditions. */
const watching: readonly CommandKind[] = ["condition.trip", "condition.fail"];
/** Commands by which a supervisor says what it has seen; in a killed fleet there is none. */
const seeing: readonly CommandKind[] = [...watching, "armed.check"];
/** Commands that name a region. */
const bounding: readonly CommandKind[] = ["lease.acquire", "lease.narrow", "lease.split"];
const onLane: readonly CommandKind[] = ["lease.acquire", "lane.announce"];
const upholding: readonly CommandKind[] = ["lease.renew", ...granting];

/** Every code with what it means at every edge: the one table. */
export const PROBLEMS: Readonly<Record<ProblemCode, Problem>> = {
  usage: input(400, "The input cannot be understood; every problem is named with its place."),
  limit_exceeded: input(413, "The input is well formed but larger than is taken."),
  entry_unknown: { ...input(404, "The journal has no such entry."), exit: EXIT.notFound },

  not_authorised: no(403, but("halt.request"), "The actor may not give this command."),
  fleet_unknown: no(404, but("fleet.create"), "The journal is empty: no fleet was created in it."),
  fleet_exists: no(409, ["fleet.create"], "The journal already holds a fleet."),
  fleet_killed: no(
    410,
    [...entering, ...changing, ...upholding, ...seeing],
    "The fleet was killed, for good.",
  ),
  fleet_paused: no(
    409,
    [...entering, ...granting],
    "The fleet takes nothing new until it is resumed.",
  ),
  parent_unknown: no(404, admitted, "No worker has the id that was named as the parent."),
  parent_not_running: no(409, entering, "The parent does not run: not yet, or no longer."),
  parent_quarantined: no(409, entering, "The parent is in quarantine."),
  parent_stale: no(409, admitted, "The parent has missed its beats."),
  max_replicas: no(409, entering, "As many workers live or are reserved as the contract allows."),
  max_total: no(409, entering, "As many workers were ever admitted as the contract allows."),
  cooldown: no(429, admitted, "The parent must wait between two admissions."),
  depth_mismatch: no(409, admitted, "The claimed depth is not the one that the journal knows."),
  max_depth: no(409, entering, "The worker would be of a generation beyond the contract."),
  rights_exceeded: no(
    403,
    [...admitted, ...bounding, "lease.hand_over"],
    "What was asked for must be a part of what it is taken from, or of the worker's rights.",
  ),
  region_invalid: no(
    422,
    [...admitted, ...bounding],
    "A pattern of the region is malformed, or matches nothing.",
  ),
  region_too_large: no(
    413,
    [...admitted, ...bounding, "lease.hand_over"],
    "The region, or what it must be compared with, is more than one decision looks at.",
  ),
  budget_exceeded: no(409, admitted, "More was asked for than is free where it is carved from."),
  stop_condition: no(409, entering, "A stop condition holds, fails or is missing here."),
  containment_too_weak: no(403, admitted, "The contract does not allow this weak a sandbox."),
  manifest_invalid: no(403, registered, "The manifest is malformed, forged or altered."),
  manifest_foreign: no(
    403,
    ["worker.register", "fleet.recover"],
    "The manifest was issued by another fleet.",
  ),
  manifest_expired: no(410, registered, "The manifest was presented too late."),
  manifest_used: no(409, registered, "The manifest was taken up before; it is good for once."),
  contract_invalid: no(422, enacted, "A condition of the contract does not pass its check."),
  instance_taken: no(409, admitted, "The instance id was used before."),
  worker_unknown: gone(
    404,
    [...onKnown, ...granting, "condition.trip", "token.issue"],
    "No worker has this id.",
  ),
  worker_ended: no(410, [...onLive, "condition.trip", "token.issue"], "The worker has ended."),
  worker_not_running: no(
    409,
    [...working, ...granting, "condition.trip"],
    "The worker does not run: not yet, or no longer.",
  ),
  worker_quarantined: no(
    409,
    [...working, "worker.stop", "condition.trip"],
    "The worker is in quarantine.",
  ),
  worker_not_quarantined: no(409, ["worker.unquarantine"], "The worker is not in quarantine."),
  worker_expired: no(
    410,
    [...working, "worker.unquarantine", "condition.trip"],
    "The worker's lifetime is over.",
  ),
  rate_limited: byLoop(429, "The actor was refused too often within a minute."),
  command_mismatch: byLoop(409, "The command id was used for another command."),
  command_expired: byLoop(410, "The command id is older than is remembered."),

  workers_live: byEdge(409, "Something needs every worker to have ended first."),
  lanes_invalid: no(422, ["lanes.enact"], "A lane's name is taken, or its region is none."),
  holder_ended: no(410, upholding, "The holder of the lease has ended."),
  holder_quarantined: no(
    409,
    [...upholding, "place.keep"],
    "The holder of the lease is in quarantine.",
  ),
  holder_stale: no(
    409,
    [...granting, "place.keep"],
    "The holder of the lease has missed its beats.",
  ),
  holder_mismatch: no(
    403,
    [...claiming, ...waiting],
    "The lease or place is another's, or its token was not shown.",
  ),
  lane_unknown: no(404, [...onLane, "place.keep"], "No lane has this name."),
  lease_condition: no(409, [...granting, "place.keep"], "A condition on leases holds or fails."),
  condition_unmet: no(409, watching, "No such kill condition is in force, or it does not hold."),
  lease_unknown: gone(404, onLease, "No lease has this id."),
  lease_ended: no(410, onLease, "The lease has ended."),
  conflict: no(409, ["lease.acquire", "lease.split"], "Another live lease is in the way."),
  slots_full: no(409, ["lease.acquire"], "Every slot of the lane is taken."),
  fence_stale: no(409, claiming, "The fence is not the lease's: it was given anew since."),
  not_writable: byEdge(403, "No lease of the holder gives the right to write there."),
  thaw_unsafe: later(409, "The worker may still write where it has lost the right to."),
  wait_deadlock: no(409, queueing, "Waiting here would close a circle of waiters."),
  wait_timeout: no(408, ["place.keep"], "The wait was over before the ground was free."),
  place_ended: no(410, ["place.keep", "place.cancel"], "The place in the queue is nobody's."),
  queue_full: no(429, ["lease.acquire"], "As many wait as the queue holds."),
  roster_invalid: no(
    422,
    ["roster.enact"],
    "A name of the roster is taken, or is started in two ways.",
  ),
  instance_unknown: gone(404, ["control.request"], "Nobody of this name lives, or no such one."),
  service_unknown: gone(404, ["service.note"], "The roster in force has no service of this name."),
  token_unknown: gone(404, ["token.exchange", "token.revoke"], "No token has this id."),
  token_ended: no(
    410,
    ["token.exchange", "token.revoke"],
    "The token has expired, was spent or revoked, or is no login code.",
  ),
  token_taken: no(
    409,
    ["token.issue", "token.exchange"],
    "The token's id or hash was used before.",
  ),
  tokens_full: no(429, ["token.issue"], "As many tokens live as are kept."),

  storage_full: fault(507, "The disk is full."),
  storage_failed: fault(500, "The store answered with an error."),
  storage_busy: fault(503, "The store was locked by another for too long."),
  journal_corrupt: fault(500, "The journal's bytes are not what was written."),
  journal_truncated: fault(500, "The journal is shorter than is remembered."),
  journal_forked: fault(500, "The journal is not the continuation of what is remembered."),
  journal_newer: fault(500, "The journal was written by a newer Stint."),
  journal_missing: fault(500, "The journal is not there."),
  archive_broken: fault(500, "A segment of the archive is missing, or not what was written."),
  clock_skew: fault(503, "The host's clock contradicts the journal's time."),
  network_filesystem: fault(500, "The state folder is on a network file system."),
  sqlite_unsupported: fault(500, "Node or SQLite is too old here, or SQLite does not load."),
  sandbox_unavailable: fault(503, "No sandbox of the needed kind can be made here."),
  sandbox_failed: fault(503, "The sandbox could not be started."),
  supervisor_unreachable: fault(503, "No supervisor answers, and none could be started."),
  append_unknown: fault(503, "It is not known whether the command was recorded; repeat its id."),
  secret_missing: fault(500, "The fleet's secret is not there."),
  key_mismatch: fault(500, "The secret is not the one that the fleet was created with."),
  closed: fault(503, "It was used after it was closed."),

  unproven: outcome({ http: 200, exit: 6 }, "A stop was ordered, but an end is not proven."),
  interrupted: outcome({ http: 499, exit: 130 }, "The call was interrupted before it had ended."),
  bug: outcome({ http: 500, exit: 1 }, "An invariant of Stint itself is broken."),
};

function but(excepted: CommandKind): readonly CommandKind[] {
  return COMMAND_KINDS.filter((kind) => kind !== excepted);
}

function input(http: number, meaning: string): Problem {
  const { invalidParams: mcp } = JSON_RPC;
  const commands = COMMAND_KINDS;
  return {
    kind: "input",
    by: "edge",
    http,
    exit: EXIT.usage,
    mcp,
    commands,
    reserved: false,
    meaning,
  };
}

function no(http: number, commands: readonly CommandKind[], meaning: string): Problem {
  const exit = EXIT.refused;
  return {
    kind: "refusal",
    by: "kernel",
    http,
    exit,
    mcp: null,
    commands,
    reserved: false,
    meaning,
  };
}

function gone(http: number, commands: readonly CommandKind[], meaning: string): Problem {
  return { ...no(http, commands, meaning), exit: EXIT.notFound };
}

function byLoop(http: number, meaning: string): Problem {
  return { ...no(http, COMMAND_KINDS, meaning), by: "loop" };
}

function byEdge(http: number, meaning: string): Problem {
  return { ...no(http, [], meaning), by: "edge" };
}

function later(http: number, meaning: string): Problem {
  return { ...no(http, [], meaning), reserved: true };
}

function fault(http: number, meaning: string): Problem {
  const { internalError: mcp } = JSON_RPC;
  const exit = EXIT.fault;
  return { kind: "fault", by: "adapter", http, exit, mcp, commands: [], reserved: false, meaning };
}

function outcome(so: { readonly http: number; readonly exit: number }, meaning: string): Problem {
  return { kind: "outcome", by: "edge", ...so, mcp: null, commands: [], reserved: false, meaning };
}
