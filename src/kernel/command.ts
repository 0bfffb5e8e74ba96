import type { AccessCommandMap } from "./access/command.ts";
import type { Actor } from "./actor.ts";
import type { Budget, Charge } from "./budget/budget.ts";
import type { Contract } from "./fleet/contract.ts";
import type { Evidence, Outcome, Severity, StopReason } from "./worker/evidence.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LimitHit } from "./worker/limit.ts";
import type { LeaseCommandMap } from "./lease/command.ts";
import type { ConditionCommandMap } from "./watch/command.ts";
import type { ArmedCommandMap } from "./armed/sight.ts";
import type { QueueCommandMap } from "./queue/command.ts";
import type { RosterCommandMap } from "./roster/command.ts";
import type { EnvelopeVerdict, Manifest, Network } from "./worker/manifest.ts";

/** A key by its id and public half; private halves never enter the kernel. */
export interface KeyRecord {
  readonly key_id: string;
  /** Ed25519 public key, base64url of its 32 raw bytes. */
  readonly public_key: string;
}

/** A process as its host can find it again: a reused pid has another start time. */
export interface ProcessIdentity {
  readonly host_id: string;
  readonly pid: number;
  /** Start time as the host counts it, as text. */
  readonly started: string;
}

/** What a library's function condition said: true blocks, a text is the error it threw. */
export type Verdict = boolean | string;

/** Verdicts of function conditions by their name, taken on the state the decision is taken on. */
export type Verdicts = Readonly<Record<string, Verdict>>;

/**
 * What a watcher saw of one worker, on its own monotonic clock.
 * Durations only: no instant of another party's clock enters a decision (I11).
 */
export interface Observation {
  readonly worker: string;
  /** Beats counted since the pulse store's generation began; absent when it has no row. */
  readonly beat_count?: number;
  /** How long the watcher has seen the same count, ms. */
  readonly silent_ms: number;
  /** How long this watcher has watched this worker, ms. */
  readonly watched_ms: number;
  /** Whether the watcher sees the sandbox itself alive. */
  readonly seen: "alive" | "gone" | "unknown";
}

/** Present use of capacity, measured outside of the worker; an absent key was not measured. */
export interface ParentUse {
  readonly memory_bytes?: number;
  readonly processes?: number;
}

/** The body of each command by its kind (`noun.verb`). */
export interface CommandMap
  extends
    LeaseCommandMap,
    QueueCommandMap,
    ConditionCommandMap,
    ArmedCommandMap,
    RosterCommandMap,
    AccessCommandMap {
  readonly "fleet.create": {
    readonly fleet: string;
    readonly name: string;
    readonly contract: Contract;
    readonly key: KeyRecord;
    /** Whether letters that differ in case alone are one in regions, for the fleet's life. */
    readonly fold_case?: true;
  };
  readonly "fleet.pause": { readonly reason: string };
  readonly "fleet.resume": { readonly reason: string };
  readonly "fleet.kill": { readonly reason: string };
  /**
   * The store ends before what is remembered of it, and an operator goes on without what is lost.
   * Only a recovery gives it, on a journal that nobody else has open; a loop never carries it.
   */
  readonly "fleet.recover": {
    readonly reason: string;
    /** The hash of the newest entry that was kept. */
    readonly kept_hash: string;
    /** The newest entry that anything outside the store remembers. */
    readonly remembered_seq: number;
    readonly remembered_hash: string;
    /** The highest epoch that anything outside the store remembers; absent where none is. */
    readonly remembered_epoch?: number;
    /** Manifests, verified, of workers that the lost part admitted. */
    readonly workers: readonly Manifest[];
  };
  readonly "contract.enact": { readonly contract: Contract };
  readonly "key.rotate": { readonly key: KeyRecord };
  readonly "worker.admit": {
    /** A fresh id from the caller's random source: `w-` and 16 base32 letters. */
    readonly instance: string;
    readonly name: string;
    readonly parent: string | null;
    readonly reason: string;
    readonly state: JsonObject;
    readonly budget: Budget;
    readonly regions?: readonly string[];
    readonly network?: Network;
    /** What the caller believes its depth to be; only ever compared. */
    readonly depth?: number;
    /**
     * What the sandbox it will run in does not hold. Of this, what matters to this worker is
     * refused unless the contract allows it.
     */
    readonly degraded?: readonly string[];
    /** What the parent's sandbox uses now, as its supervisor measured it: never a worker's word. */
    readonly parent_use?: ParentUse;
    readonly verdicts?: Verdicts;
  };
  readonly "worker.register": {
    readonly manifest: Manifest | null;
    readonly envelope: EnvelopeVerdict;
    /** The process it runs in, as the registrant says. */
    readonly process?: ProcessIdentity;
    readonly verdicts?: Verdicts;
  };
  readonly "worker.checkpoint": { readonly worker: string; readonly state: JsonObject };
  readonly "worker.observe": Observation;
  readonly "worker.stop": {
    readonly worker: string;
    readonly reason: StopReason;
    /** Also its live descendants. */
    readonly tree: boolean;
    readonly detail?: string;
    /** How long it is given to end by itself, ms. A worker's own stop has no say in this. */
    readonly grace_ms?: number;
  };
  readonly "worker.exited": {
    readonly worker: string;
    readonly evidence: Evidence;
    readonly outcome: Outcome;
    /** The limits that it was found to have hit when it had ended, each once. */
    readonly limits_hit?: readonly LimitHit[];
  };
  readonly "worker.hit_limit": {
    readonly worker: string;
    /** What its supervisor has measured, each limit once. */
    readonly limits_hit: readonly LimitHit[];
  };
  readonly "worker.write_off": { readonly worker: string; readonly reason: string };
  readonly "worker.quarantine": {
    readonly worker: string;
    readonly reason: string;
    readonly source: string;
    readonly severity: Severity;
    /** Captured facts, ≤ 16 KiB. */
    readonly evidence?: JsonObject;
  };
  readonly "worker.unquarantine": { readonly worker: string; readonly resolution: string };
  readonly "worker.note": {
    readonly worker: string;
    readonly text: string;
    /** Captured facts, ≤ 16 KiB. */
    readonly evidence?: JsonObject;
  };
  readonly "budget.charge": { readonly worker: string; readonly amounts: Charge };
  readonly "halt.request": {
    /** An opaque handle of the party that should halt. */
    readonly handle: string;
    readonly reason: string;
    /** A command that is proposed and shown, never executed here. */
    readonly proposed?: Json;
    /** The lease that it is about, where the asker knows one; it need not be live. */
    readonly lease?: string;
    readonly run_id?: string;
  };
  readonly "clock.tick": Readonly<Record<string, never>>;
  /**
   * An operator has looked at the host's clock, which contradicts journal time, and takes it as it
   * is. The loop decides it alone, at a time that is read accordingly.
   */
  readonly "clock.accept": {
    readonly reason: string;
    /** What the wall clock showed when it was looked at, ms since 1970; for the record. */
    readonly wall_ms?: number;
  };
  readonly "refusals.suppress": {
    readonly actor_key: string;
    readonly count: number;
    readonly window_ms: number;
  };
  readonly "journal.sign": {
    readonly at_seq: number;
    readonly head_hash: string;
    readonly state_hash: string;
    readonly key_id: string;
    /** Ed25519 over the canonical bytes of the fields above, base64url. */
    readonly signature: string;
  };
  readonly "receipt.record": { readonly receipt: JsonObject };
}

/** The kind of a command. */
export type CommandKind = keyof CommandMap;

/** One command: what is asked. It carries no time of its own. */
export type Command<K extends CommandKind = CommandKind> = {
  readonly [P in K]: { readonly kind: P; readonly data: CommandMap[P] };
}[K];

/**
 * A command with what the loop adds before it is decided: who asks, and under which id.
 * `ended` names the target when the store's index knows it as dead; the loop looks it up only if
 * the state no longer holds the target, and it is recorded with the command (I7). Of an admission
 * it names the parent, else the new instance's id when a dead worker had it; of a registration the
 * manifest's instance.
 */
export interface Submission {
  readonly id: string;
  readonly actor: Actor;
  readonly command: Command;
  readonly ended?: string;
}

/** Whether a command stops what must not wait: nothing else holds it up, and no sick supervisor. */
export function isUrgent(kind: CommandKind): boolean {
  return kind === "fleet.kill" || kind === "fleet.pause";
}

/** Whether a command lets somebody begin, or have ground: never in a fleet without its permit. */
export function isBeginning(kind: CommandKind): boolean {
  return BEGINNINGS.includes(kind);
}

const BEGINNINGS: readonly CommandKind[] = [
  "worker.admit",
  "worker.register",
  "lease.acquire",
  "lease.split",
  "lease.hand_over",
  "place.keep",
];
