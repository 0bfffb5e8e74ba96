import type { AccessEventMap } from "./access/event.ts";
import type { Charge } from "./budget/budget.ts";
import type { KeyRecord, Observation, ProcessIdentity } from "./command.ts";
import type { Contract } from "./fleet/contract.ts";
import type { Evidence, Outcome, Severity, StopReason } from "./worker/evidence.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LimitHit } from "./worker/limit.ts";
import type { LeaseEventMap } from "./lease/event.ts";
import type { QueueEventMap } from "./queue/event.ts";
import type { RosterEventMap } from "./roster/event.ts";
import type { Manifest } from "./worker/manifest.ts";
import type { RefusalCode } from "./refusal.ts";
import type { ConditionEventMap } from "./watch/event.ts";
import type { ArmedEventMap } from "./armed/sight.ts";

/** The body of each event by its kind (`noun.past`). Only ever added to after a release. */
export interface EventMap
  extends
    LeaseEventMap,
    QueueEventMap,
    ConditionEventMap,
    ArmedEventMap,
    RosterEventMap,
    AccessEventMap {
  readonly "fleet.created": {
    readonly fleet: string;
    readonly name: string;
    readonly contract: Contract;
    readonly contract_hash: string;
    readonly key: KeyRecord;
    readonly fold_case?: true;
  };
  readonly "fleet.paused": { readonly reason: string };
  readonly "fleet.resumed": { readonly reason: string };
  readonly "fleet.killed": { readonly reason: string; readonly live_count: number };
  /**
   * Entries were lost and the journal goes on: this one stands at `remembered_seq` + 1, right after
   * the entry `kept_seq`. Only before it may seqs have a gap.
   */
  readonly "fleet.recovered": {
    readonly reason: string;
    readonly kept_seq: number;
    readonly kept_hash: string;
    readonly remembered_seq: number;
    readonly remembered_hash: string;
    /**
     * One more than was kept or is remembered: what was granted in the lost part, which may have
     * had epochs of its own, ranks below all that follows.
     */
    readonly epoch: number;
  };
  readonly "contract.enacted": {
    readonly contract: Contract;
    readonly contract_hash: string;
    /** By how much use is above the new limits; it admits nothing until it has fallen. */
    readonly excess: { readonly replicas: number; readonly total: number };
  };
  readonly "key.rotated": { readonly key: KeyRecord };
  readonly "worker.admitted": {
    readonly manifest: Manifest;
    readonly reason: string;
    /** What its sandbox does not hold and the contract allows, as far as it matters to it. */
    readonly degraded: readonly string[];
  };
  /** A worker of a lost part is taken over as live; under no parent where none has room for it. */
  readonly "worker.adopted": { readonly manifest: Manifest; readonly parent: string | null };
  readonly "worker.registered": {
    readonly worker: string;
    readonly process?: ProcessIdentity;
  };
  readonly "worker.lapsed": { readonly worker: string };
  readonly "worker.checkpointed": { readonly worker: string; readonly state: JsonObject };
  readonly "worker.staled": Observation;
  readonly "worker.recovered": Observation;
  readonly "worker.flagged": Observation;
  /** It came up against something that it is held to. */
  readonly "worker.limit_hit": LimitHit & { readonly worker: string };
  readonly "worker.stopping": {
    readonly worker: string;
    readonly reason: StopReason;
    readonly detail?: string;
    /** How long whoever ends it is to let it end by itself, ms; absent: that one's default. */
    readonly grace_ms?: number;
  };
  readonly "worker.stopped": {
    readonly worker: string;
    readonly reason: StopReason;
    readonly evidence: Evidence;
    readonly outcome: Outcome;
  };
  readonly "worker.reparented": { readonly worker: string; readonly parent: string };
  readonly "worker.quarantined": {
    readonly worker: string;
    readonly reason: string;
    readonly source: string;
    readonly severity: Severity;
    readonly until_ms: number;
    readonly evidence?: JsonObject;
  };
  readonly "worker.unquarantined": { readonly worker: string; readonly resolution: string };
  readonly "worker.noted": {
    readonly worker: string;
    readonly text: string;
    readonly evidence?: JsonObject;
  };
  readonly "budget.charged": {
    readonly worker: string;
    readonly amounts: Charge;
    /** True when the worker said so itself: it can only add. */
    readonly claimed: boolean;
  };
  readonly "halt.requested": {
    readonly handle: string;
    readonly reason: string;
    readonly proposed?: Json;
    readonly lease?: string;
    readonly run_id?: string;
  };
  /** From here on journal time is tied to the host's clock anew. */
  readonly "clock.accepted": { readonly reason: string; readonly wall_ms?: number };
  readonly "command.refused": {
    readonly code: RefusalCode;
    readonly message: string;
    readonly facts: JsonObject;
    /** The outside party for which it counts; where there is none, it counts for the actor. */
    readonly party?: string;
  };
  readonly "refusals.suppressed": {
    readonly actor_key: string;
    readonly count: number;
    readonly window_ms: number;
  };
  readonly "journal.signed": {
    readonly at_seq: number;
    readonly head_hash: string;
    readonly state_hash: string;
    readonly key_id: string;
    readonly signature: string;
  };
  readonly "receipt.recorded": { readonly receipt: JsonObject };
}

/** The kind of an event. */
export type EventKind = keyof EventMap;

/** Something that happened, as it is journaled. */
export type Event<K extends EventKind = EventKind> = {
  readonly [P in K]: { readonly kind: P; readonly data: EventMap[P] };
}[K];

/** Every event kind; each has a decoding fixture in the tests. */
export const EVENT_KINDS = [
  "fleet.created",
  "fleet.paused",
  "fleet.resumed",
  "fleet.killed",
  "fleet.recovered",
  "contract.enacted",
  "key.rotated",
  "worker.admitted",
  "worker.adopted",
  "worker.registered",
  "worker.lapsed",
  "worker.checkpointed",
  "worker.staled",
  "worker.recovered",
  "worker.flagged",
  "worker.limit_hit",
  "worker.stopping",
  "worker.stopped",
  "worker.reparented",
  "worker.quarantined",
  "worker.unquarantined",
  "worker.noted",
  "budget.charged",
  "lanes.enacted",
  "lane.announced",
  "lease.granted",
  "lease.renewed",
  "lease.narrowed",
  "lease.handed_over",
  "lease.released",
  "lease.revoked",
  "lease.lapsed",
  "lease.mounted",
  "lease.fenced",
  "place.queued",
  "place.kept",
  "place.left",
  "place.lapsed",
  "condition.tripped",
  "condition.failed",
  "armed.checked",
  "roster.enacted",
  "roll.changed",
  "roll.forgotten",
  "control.requested",
  "service.acted",
  "token.issued",
  "token.exchanged",
  "token.revoked",
  "halt.requested",
  "clock.accepted",
  "command.refused",
  "refusals.suppressed",
  "journal.signed",
  "receipt.recorded",
] as const satisfies readonly EventKind[];
