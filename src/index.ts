// The door of Stint: what a program that runs a fleet imports.

export { exportJournal, importJournal, memory, openFleet, sqlite } from "./compose/library.ts";
export type { ImportedJournal, ImportJournalOptions, SqliteOptions } from "./compose/library.ts";
export type { Explanation } from "./library/explain/explain.ts";
export type { EntriesOptions } from "./library/feed/entries.ts";
export type {
  BeatView,
  EntryView,
  EventView,
  FeedKind,
  FeedMap,
  MetricView,
} from "./library/feed/feed.ts";
export type { Metrics } from "./library/feed/metrics.ts";
export type { Audit, AuditOptions } from "./library/fleet/audit.ts";
export type {
  ConditionContext,
  ConditionFunction,
  ConditionFunctions,
} from "./library/fleet/conditions.ts";
export type {
  BudgetOptions,
  ContractOptions,
  ContractView,
  StopConditionOptions,
} from "./library/fleet/contract.ts";
export type {
  Fleet,
  HaltOptions,
  KillOptions,
  ReasonOptions,
  SpawnOptions,
  StartOptions,
} from "./library/fleet/fleet.ts";
export type { ServiceOptions, ServiceView } from "./library/roster/options.ts";
export type { FleetOptions } from "./library/fleet/options.ts";
export type { IssuedManifest, VerifiedManifest } from "./library/fleet/steps.ts";
export type { Store } from "./library/fleet/store.ts";
export type {
  AdoptOptions,
  LeaseCredential,
  LeaseKeeper,
  RevokeOptions,
} from "./library/ground/keeper.ts";
export type {
  AnnounceOptions,
  GroundOptions,
  LaneOptions,
  LaneView,
} from "./library/ground/lanes.ts";
export type {
  FleetInquirer,
  RecordOptions,
  ReplayOptions,
  ReplayReport,
  WhatIfOptions,
  WhatIfReport,
} from "./library/inquiry/inquirer.ts";
export type { PathInquiry, WhyOptions } from "./library/inquiry/why.ts";
export type { Receipt } from "./library/kill/receipt.ts";
export type { RecordedReceipt } from "./library/kill/recorded-receipt.ts";
export type { UnderLease } from "./library/lease/acquire.ts";
export type {
  HandedOver,
  HandOverOptions,
  LeaseVerbs,
  NarrowOptions,
  SplitOptions,
} from "./library/lease/grip.ts";
export type { LeaseHandle } from "./library/lease/hold.ts";
export { LeaseLost } from "./library/lease/lost.ts";
export type { LostBy } from "./library/lease/lost.ts";
export type { AcquireOptions, OwnAcquireOptions } from "./library/lease/options.ts";
export type { KnownLease, LeaseHolder, OwnAdoptOptions } from "./library/lease/own.ts";
export type {
  CheckOptions,
  OwnCheckOptions,
  PathReason,
  PathVerdict,
} from "./library/lease/path-verdict.ts";
export type { LeaseEnd, LeaseView } from "./library/lease/view.ts";
export type { Blocking, PlaceView, WaitedGround } from "./library/queue/view.ts";
export type { CommitsView, JudgedLease, LivenessView } from "./library/liveness/view.ts";
export type { PlainAnswer } from "./library/plain-command.ts";
export { Refused } from "./library/refused.ts";
export type { Refusable, RefusalView, RefusedAnswer } from "./library/refused.ts";
export type { SupervisorUse, SupervisorView } from "./library/relay/supervisor-door.ts";
export type { ApplyOptions, DoneView, SupervisionOptions } from "./library/supervision/options.ts";
export type {
  PlannedAction,
  PlanOutcome,
  SeenHolder,
  SupervisionPlan,
} from "./library/supervision/plan.ts";
export type { HaltWatch, WatchOptions, WatchRound } from "./library/supervision/watch.ts";
export type { QuarantineOptions } from "./library/steward/quarantine.ts";
export type { QuarantineRecord, QuarantineReport } from "./library/steward/quarantine-report.ts";
export type { ChargeOptions, ManifestView, WorkerHandle } from "./library/worker/handle.ts";
export { Interrupted } from "./library/worker/interrupted.ts";
export type { InterruptedBy } from "./library/worker/interrupted.ts";
export type { ReplicateOptions, WorkerOptions } from "./library/worker/request.ts";
export type { BlastRadiusOptions, Doomed } from "./library/worker/blast-radius.ts";
export type { StopOptions } from "./library/worker/stop-order.ts";
export type { StoppedWorker, StopReport } from "./library/worker/stopping.ts";
export type { Task, TaskContext } from "./library/worker/task.ts";
export type { EndView, WorkerView } from "./library/worker/view.ts";
export { Fault } from "./ports/fault.ts";
export type { FaultCode } from "./ports/fault.ts";
export type { Log } from "./ports/log.ts";
export type { Envelope } from "./ports/signer.ts";
export { InputError } from "./protocol/input.ts";
export type { InputCode, InputProblem } from "./protocol/input.ts";
export { PROBLEMS } from "./protocol/problem.ts";
export type { Problem, ProblemCode, ProblemKind } from "./protocol/problem.ts";
