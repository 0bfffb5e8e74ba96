import type { FunctionConditions } from "../../runtime/function-condition.ts";
import type { Watcher } from "../../runtime/watcher.ts";
import { demandOpen } from "../closed.ts";
import { explainEntry, type Explanation } from "../explain/explain.ts";
import { readEntries, type EntriesOptions } from "../feed/entries.ts";
import type { EntryView, Feed, FeedKind, FeedMap } from "../feed/feed.ts";
import type { Counters, Metrics } from "../feed/metrics.ts";
import { makeEvent, makeMetric } from "../feed/said.ts";
import { demandOptions } from "../given-options.ts";
import {
  replayFor,
  whatIfFor,
  type FleetInquirer,
  type ReplayOptions,
  type ReplayReport,
  type WhatIfOptions,
  type WhatIfReport,
} from "../inquiry/inquirer.ts";
import { readWhy, whyPath, type PathInquiry, type WhyOptions } from "../inquiry/why.ts";
import { isReceiptSigned, type Receipt } from "../kill/receipt.ts";
import { findReceipt, type RecordedReceipt } from "../kill/recorded-receipt.ts";
import { judgeNow } from "../liveness/liveness.ts";
import type { LivenessView } from "../liveness/view.ts";
import type { Member } from "../member.ts";
import { toEdge } from "../names.ts";
import type { Refusable } from "../refused.ts";
import type { SupervisorView } from "../relay/supervisor-door.ts";
import type { Seat } from "../seat.ts";
import { reportQuarantines, type QuarantineReport } from "../steward/quarantine-report.ts";
import { foreseeStop, type BlastRadiusOptions, type Doomed } from "../worker/blast-radius.ts";
import { findWorker, listAll, listLineage } from "../worker/history.ts";
import { resolveAllNow, resolveNow, resolveWorker } from "../worker/reference.ts";
import { parseStop } from "../worker/stop-order.ts";
import { hasEnded } from "../worker/until.ts";
import { viewOf, type WorkerView } from "../worker/view.ts";
import { audit, type Audit, type AuditOptions } from "./audit.ts";
import { showContract, type ContractView } from "./contract.ts";
import type { Fleet, SpawnOptions } from "./fleet.ts";
import { spawnRequest } from "./spawn-request.ts";
import { canSpawn, verifyManifest, type VerifiedManifest } from "./steps.ts";

/** What a handle is made of. */
export interface FleetParts {
  readonly member: Member;
  readonly watcher: Watcher;
  readonly feed: Feed;
  readonly counters: Counters;
  readonly conditions: FunctionConditions;
  /** Closes everything that was opened for the handle; called once. */
  readonly close: () => Promise<void>;
}

/**
 * The half of a handle that only looks: nothing here writes an entry. Once it is closed, what it
 * last saw is no answer any more: `Fault` `closed`. Only what is not the fleet's to say goes on.
 */
export class FleetReader implements FleetInquirer {
  readonly #parts: FleetParts;
  readonly #seat: Seat;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#seat = parts.member.seat;
  }

  get id(): string {
    return this.#seat.fleet;
  }

  get name(): string {
    return this.#seat.loop.state().name;
  }

  get status(): Fleet["status"] {
    const { status } = this.#seat.loop.state();
    return status === "none" ? "open" : status;
  }

  get contract(): ContractView {
    return showContract(this.#seat.loop.state().contract);
  }

  workers(): readonly WorkerView[];
  workers(options: { readonly all: true }): Promise<readonly WorkerView[]>;
  workers(options?: {
    readonly all?: boolean;
  }): readonly WorkerView[] | Promise<readonly WorkerView[]> {
    demandOpen(this.#seat);
    if (options !== undefined) demandOptions(options, ["all"]);
    if (options?.all === true) return listAll(this.#seat);
    const live = [...this.#seat.loop.state().workers.values()].filter((one) => !hasEnded(one));
    return Object.freeze(live.map(viewOf));
  }

  async worker(reference: string): Promise<WorkerView | undefined> {
    demandOpen(this.#seat);
    return findWorker(this.#seat, await resolveNow(this.#seat, reference));
  }

  async lineage(reference: string): Promise<readonly WorkerView[]> {
    demandOpen(this.#seat);
    return listLineage(this.#seat, await resolveNow(this.#seat, reference));
  }

  async blastRadius(
    references: string | readonly string[],
    options: BlastRadiusOptions = {},
  ): Promise<readonly Doomed[]> {
    demandOpen(this.#seat);
    const { tree } = parseStop(options);
    const ids = await resolveAllNow(this.#seat, references);
    const by = this.#seat.owner;
    return toEdge(foreseeStop(this.#seat.loop.state(), ids, { tree, by }));
  }

  async liveness(reference?: string): Promise<readonly LivenessView[]> {
    demandOpen(this.#seat);
    const { views } = await judgeNow(this.#seat, reference);
    return Object.freeze(views);
  }

  async supervisor(): Promise<SupervisorView | null> {
    demandOpen(this.#seat);
    const status = await this.#parts.member.relay?.link.status();
    return status === undefined ? null : toEdge(status);
  }

  metrics(): Metrics {
    demandOpen(this.#seat);
    const { wallMs: nowMs } = this.#seat.clock.read();
    const dropped = this.#parts.feed.dropped();
    return this.#parts.counters.measure(this.#seat.loop.state(), { dropped, nowMs });
  }

  entries(options?: EntriesOptions): AsyncIterable<EntryView> {
    return readEntries(this.#seat, options);
  }

  async look(): Promise<void> {
    demandOpen(this.#seat);
    await this.#seat.loop.look();
  }

  async audit(options?: AuditOptions): Promise<Audit> {
    demandOpen(this.#seat);
    if (options !== undefined) demandOptions(options, ["onProgress"]);
    return audit(this.#seat, options);
  }

  verifyReceipt(receipt: Receipt): boolean {
    return isReceiptSigned(this.#seat.keys.signer, receipt);
  }

  async receipt(seq: number): Promise<RecordedReceipt> {
    demandOpen(this.#seat);
    const { store, keys } = this.#seat;
    const { signer } = keys;
    const found = await findReceipt(store.journal, signer.verify.bind(signer), seq);
    return toEdge(found) as unknown as RecordedReceipt;
  }

  async explain(seq: number): Promise<Explanation> {
    demandOpen(this.#seat);
    return toEdge(await explainEntry(this.#seat.store.journal, seq));
  }

  async why(path: string, options?: WhyOptions): Promise<PathInquiry> {
    demandOpen(this.#seat);
    return toEdge(await whyPath(this.#seat, readWhy(path, options)));
  }

  async replay(options?: ReplayOptions): Promise<ReplayReport> {
    demandOpen(this.#seat);
    const { store, timers } = this.#seat;
    return replayFor({ journal: store.journal, timers }, options);
  }

  async whatIf(options: WhatIfOptions): Promise<WhatIfReport> {
    demandOpen(this.#seat);
    const { store, timers } = this.#seat;
    return whatIfFor({ journal: store.journal, timers }, options);
  }

  isQuarantined(reference: string): boolean {
    demandOpen(this.#seat);
    const state = this.#seat.loop.state();
    const worker = state.workers.get(resolveWorker(state, reference));
    return worker !== undefined && worker.quarantine !== null;
  }

  async report(): Promise<QuarantineReport> {
    demandOpen(this.#seat);
    return reportQuarantines(this.#seat);
  }

  async canSpawn(options?: SpawnOptions): Promise<Refusable<object>> {
    demandOpen(this.#seat);
    const request = await spawnRequest(this.#parts.member, options);
    return canSpawn(this.#seat, this.#parts.conditions, request);
  }

  verifyManifest(envelope: unknown): VerifiedManifest {
    return verifyManifest(this.#seat, envelope);
  }

  on<K extends FeedKind>(kind: K, listener: (item: FeedMap[K]) => void): () => void {
    demandOpen(this.#seat);
    return this.#parts.feed.on(kind, listener);
  }

  recent<K extends FeedKind>(kind: K): readonly FeedMap[K][] {
    demandOpen(this.#seat);
    return this.#parts.feed.recent(kind);
  }

  emit(name: string, fields?: unknown): void {
    demandOpen(this.#seat);
    this.#parts.feed.add("event", makeEvent(name, fields, this.#seat.clock.read().wallMs));
  }

  metric(name: string, value: number, labels?: unknown): void {
    demandOpen(this.#seat);
    const measured = makeMetric(name, value, { labels, atMs: this.#seat.clock.read().wallMs });
    this.#parts.feed.add("metric", measured);
  }
}
