import type { Json, JsonObject } from "../../kernel/json.ts";
import type { Envelope } from "../../ports/signer.ts";
import type { Explanation } from "../explain/explain.ts";
import type { EntriesOptions } from "../feed/entries.ts";
import type { EntryView, FeedKind, FeedMap } from "../feed/feed.ts";
import type { Metrics } from "../feed/metrics.ts";
import type { LeaseKeeper } from "../ground/keeper.ts";
import type { FleetInquirer } from "../inquiry/inquirer.ts";
import type { Receipt } from "../kill/receipt.ts";
import type { RecordedReceipt } from "../kill/recorded-receipt.ts";
import type { LivenessView } from "../liveness/view.ts";
import type { ApplyOptions, DoneView, SupervisionOptions } from "../supervision/options.ts";
import type { SupervisionPlan } from "../supervision/plan.ts";
import type { HaltWatch, WatchOptions } from "../supervision/watch.ts";
import type { PlainAnswer } from "../plain-command.ts";
import type { Refusable } from "../refused.ts";
import type { SupervisorView } from "../relay/supervisor-door.ts";
import type { ServiceOptions, ServiceView } from "../roster/options.ts";
import type { Secret } from "../seat.ts";
import type { QuarantineOptions } from "../steward/quarantine.ts";
import type { QuarantineReport } from "../steward/quarantine-report.ts";
import type { ChargeOptions, WorkerHandle } from "../worker/handle.ts";
import type { WorkerOptions } from "../worker/request.ts";
import type { BlastRadiusOptions, Doomed } from "../worker/blast-radius.ts";
import type { StopOptions } from "../worker/stop-order.ts";
import type { StopReport } from "../worker/stopping.ts";
import type { WorkerView } from "../worker/view.ts";
import type { Audit, AuditOptions } from "./audit.ts";
import type { ContractOptions, ContractView } from "./contract.ts";
import type { IssuedManifest, VerifiedManifest } from "./steps.ts";

/** What a worker is asked for that an operator starts. */
export interface StartOptions extends WorkerOptions {
  /** For the record; default `start`. */
  readonly reason?: string;
  /** The parent's id, unique prefix or name; absent for a root. */
  readonly parent?: string;
  /**
   * A name for this very start, of 1 to 64 letters, digits, ".", "_" or "-": repeating it answers
   * the worker that it has started, ended or not, and starts no other. With another request it is
   * refused `command_mismatch`, and when that worker was admitted long ago `instance_taken`.
   */
  readonly runId?: string;
  /**
   * Gives up a start that the supervisor has not answered: its reason is thrown, and the worker is
   * withdrawn, so that a supervisor that gets to it later starts nothing. After the answer, and for
   * a worker of this process's own, it does nothing.
   */
  readonly signal?: AbortSignal;
}

/** What is asked for a worker whose steps its caller drives: also below a parent. */
export type SpawnOptions = Omit<StartOptions, "run" | "cwd" | "env" | "runId" | "signal">;

/** Why and how a fleet is killed. */
export interface KillOptions {
  readonly reason: string;
  /** How long cooperative tasks are given to settle after their signal, ms; default 2 000. */
  readonly settleMs?: number;
}

/** Who is asked to halt, and why. */
export interface HaltOptions {
  /** An opaque handle of the party. */
  readonly handle: string;
  readonly reason: string;
  /** A command that is proposed to whoever may carry it out. */
  readonly proposed?: Json;
  /** The lease that it is about, where one is known; it need not be live. */
  readonly lease?: string;
  readonly runId?: string;
}

/** Why something is done that needs no further options. */
export interface ReasonOptions {
  readonly reason?: string;
}

/**
 * An open fleet, as an operator. Workers are named by id, by the first characters of an id (4 or
 * more), or by a name that one live worker has. Everything handed out is a deep-frozen copy.
 *
 * Verbs throw `Refused` when the rules say no; `tryStart`, `maybeReplicate` and the single steps
 * answer the refusal. All throw an InputError for what cannot be understood, and `Fault`s.
 */
export interface Fleet extends FleetInquirer, LeaseKeeper, AsyncDisposable {
  readonly id: string;
  readonly name: string;
  /** `open`, `paused` or `killed`, at the last look. */
  readonly status: "open" | "paused" | "killed";
  /** The contract in force, at the last look. */
  readonly contract: ContractView;

  /** Starts a worker: tasks of this process, or with `run` a process of its own. */
  start(options?: StartOptions): Promise<WorkerHandle>;
  /** Starts a worker, and answers a refusal instead of throwing it. */
  tryStart(options?: StartOptions): Promise<Refusable<{ readonly worker: WorkerHandle }>>;

  /** The live workers at the last look, in the order of their ids; nothing is written. */
  workers(): readonly WorkerView[];
  /** All workers, the dead included, in the order of admission: reads the whole journal. */
  workers(options: { readonly all: true }): Promise<readonly WorkerView[]>;
  /** One worker, also after its end; undefined when there is none. */
  worker(reference: string): Promise<WorkerView | undefined>;
  /** A worker, its parent, and so on up to its root, the dead included. */
  lineage(reference: string): Promise<readonly WorkerView[]>;
  /**
   * Who gets anywhere, by which rule, and on what evidence: all live workers, and the outside
   * parties that hold leases; or one of them, named as a worker is or by its name as a holder.
   * Nothing is written. Throws `Refused` `worker_unknown` for who is none of these.
   */
  liveness(reference?: string): Promise<readonly LivenessView[]>;
  /**
   * What is to be done so that as many workers as are aimed at get somewhere on lanes: whom to let
   * be, to look at, to stop, to ask to halt, and what to start. Nothing is written.
   */
  planSupervision(options: SupervisionOptions): Promise<SupervisionPlan>;
  /**
   * Carries out a plan under the options that it was made with. Each action only if it would be
   * planned again at that moment, and about the very holder and leases that were seen; else it is
   * skipped. Nobody who is well is stopped, and no outside party's lease is touched.
   */
  applySupervision(
    plan: SupervisionPlan,
    options: SupervisionOptions & ApplyOptions,
  ): Promise<readonly DoneView[]>;
  /**
   * Watches who gets anywhere: each `round` judges once, and proposes a halt, on record, for who is
   * stalled or has spun for long, once per window until it recovers. Nobody is stopped.
   */
  watchHalts(options?: WatchOptions): HaltWatch;
  /** The fleet in numbers at the last look; nothing is written. */
  metrics(): Metrics;
  /** The journal's entries from the first on; with `follow` also those to come. */
  entries(options?: EntriesOptions): AsyncIterable<EntryView>;
  /**
   * The supervisor of the fleet on this host; null when none runs, when it does not answer, and
   * when this handle was opened to use none.
   */
  supervisor(): Promise<SupervisorView | null>;
  /** Catches up with what other processes have written. */
  look(): Promise<void>;

  /**
   * Stops one or several workers, their descendants too unless `tree` is false, waits for their
   * end and answers a signed receipt, one for all, which is journaled.
   */
  stop(references: string | readonly string[], options?: StopOptions): Promise<Receipt>;
  /** Who would end by such a stop now, orphans included, parents first; nothing is written. */
  blastRadius(
    references: string | readonly string[],
    options?: BlastRadiusOptions,
  ): Promise<readonly Doomed[]>;
  /** Stops a worker alone, first, and only then is it no longer registered. */
  deregister(reference: string, options?: ReasonOptions): Promise<StopReport>;
  /** Declares a worker ended on an operator's word alone; that proves nothing. */
  writeOff(reference: string, options: { readonly reason: string }): Promise<void>;
  /** Refuses admissions and registrations until {@link resume}. */
  pause(options?: ReasonOptions): Promise<void>;
  /** Ends a pause. */
  resume(options?: ReasonOptions): Promise<void>;
  /** Puts a contract in force; a tighter one stops nobody. */
  enact(contract: ContractOptions): Promise<void>;
  /** Who is expected to live, by the roster in force at the last look. */
  roster(): readonly ServiceView[];
  /** Replaces who is expected to live; nobody is started or stopped. Throws `Refused`. */
  enactRoster(services: readonly ServiceOptions[]): Promise<void>;
  /**
   * Rotates the fleet's key to that of another secret, which this handle uses from then on. Other
   * handles and processes need it before they can start workers again.
   */
  rotateSecret(secret: Secret): Promise<void>;
  /**
   * Gives one command in the journal's own words and answers its decision; for scripts and for
   * those who study the rules. Under the same id the same command is decided once.
   */
  submit(command: unknown, options?: { readonly id?: string }): Promise<PlainAnswer>;
  /** Records that somebody is asked to halt; shown to whoever reads, never carried out here. */
  requestHalt(request: HaltOptions): Promise<void>;
  /** Kills the fleet for good and answers the signed receipt; may be repeated. */
  kill(options: KillOptions): Promise<Receipt>;
  /** Verifies the whole journal, replays it and decides it again; writes nothing. */
  audit(options?: AuditOptions): Promise<Audit>;
  /** Whether a receipt was signed by this fleet and nothing of it was changed. */
  verifyReceipt(receipt: Receipt): boolean;
  /**
   * The receipt that an entry holds, or the newest of the kill or stop that it ordered. Throws an
   * InputError `entry_unknown` when there is none. Reads the whole journal.
   */
  receipt(seq: number): Promise<RecordedReceipt>;
  /**
   * Why an entry of the journal is as it is: it is decided again on the state before it. Throws an
   * InputError `entry_unknown` when there is none. Reads the journal up to there.
   */
  explain(seq: number): Promise<Explanation>;

  /** Freezes a worker and keeps it. */
  quarantine(reference: string, options: QuarantineOptions): Promise<void>;
  /** Lifts a quarantine. */
  unquarantine(reference: string, options?: { readonly resolution?: string }): Promise<void>;
  /** Whether a worker is in quarantine, at the last look. */
  isQuarantined(reference: string): boolean;
  /** Stops a worker that is in quarantine, or all that are. */
  stopQuarantined(reference?: string, options?: ReasonOptions): Promise<StopReport>;
  /** All quarantines, past and present: reads the whole journal. */
  report(): Promise<QuarantineReport>;
  /** Adds a text to the record of a worker, also after its end. */
  note(reference: string, text: string): Promise<void>;
  /** Records what a worker has used, as measured outside of it. */
  charge(reference: string, amounts: ChargeOptions): Promise<void>;

  /** Asks whether a worker would be admitted now; reserves and writes nothing. */
  canSpawn(options?: SpawnOptions): Promise<Refusable<object>>;
  /** Admits a worker: what it needs is reserved until its manifest is presented, or too old. */
  issueManifest(options?: SpawnOptions): Promise<Refusable<IssuedManifest>>;
  /** Checks an envelope; says what is wrong with it and never throws on it. */
  verifyManifest(envelope: unknown): VerifiedManifest;
  /** Presents a manifest, once. Its beats are the caller's to give. */
  register(envelope: Envelope): Promise<Refusable<{ readonly worker: WorkerHandle }>>;
  /** Counts a beat of a worker. */
  heartbeat(
    reference: string,
    options?: { readonly progress?: number },
  ): Promise<Refusable<object>>;
  /** Watches for silence once, now, and answers the ids of those it told to stop for it. */
  reapStale(): Promise<readonly string[]>;

  /** Tells a listener of every entry, event, metric or beat from now on; answers how to stop. */
  on<K extends FeedKind>(kind: K, listener: (item: FeedMap[K]) => void): () => void;
  /** The newest items of a kind that this handle has seen, oldest first; a copy. */
  recent<K extends FeedKind>(kind: K): readonly FeedMap[K][];
  /** Says something to those who listen here; it is not journaled. */
  emit(name: string, fields?: JsonObject): void;
  /** Records a measurement for those who listen here; it is not journaled. */
  metric(name: string, value: number, labels?: Readonly<Record<string, string>>): void;

  /**
   * Closes the handle: cooperative workers of this process are told to stop and given a moment;
   * processes run on, and are left to other handles. Safe to call twice.
   */
  close(): Promise<void>;
}
