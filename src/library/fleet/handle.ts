import type { Actor } from "../../kernel/actor.ts";
import type { Command } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { parseCharge } from "../../protocol/budget.ts";
import { parseCommandData } from "../../protocol/command.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parseReason, type AdmissionRequest } from "../../protocol/worker.ts";
import type { FunctionConditions } from "../../runtime/function-condition.ts";
import type { Watcher } from "../../runtime/watcher.ts";
import { readEntries, type EntriesOptions } from "../feed/entries.ts";
import type { EntryView, Feed, FeedKind, FeedMap } from "../feed/feed.ts";
import type { Counters, Metrics } from "../feed/metrics.ts";
import { makeEvent, makeMetric } from "../feed/said.ts";
import { kill } from "../kill/kill.ts";
import { isReceiptSigned, type Receipt } from "../kill/receipt.ts";
import type { Member } from "../member.ts";
import { toCamel, toWire } from "../names.ts";
import { Refused, type Refusable } from "../refused.ts";
import { actorOf, demand, type Seat } from "../seat.ts";
import { parseQuarantine, quarantine, stopQuarantined, unquarantine } from "../steward/quarantine.ts";
import type { QuarantineOptions } from "../steward/quarantine.ts";
import { reportQuarantines, type QuarantineReport } from "../steward/quarantine-report.ts";
import { reapStale } from "../steward/watching.ts";
import { startWorker } from "../worker/admit.ts";
import { handleOf, type ChargeOptions, type WorkerHandle } from "../worker/handle.ts";
import { findWorker, listAll, listLineage } from "../worker/history.ts";
import { resolveWorker } from "../worker/reference.ts";
import { parseRequest, type WorkerRequest } from "../worker/request.ts";
import { parseStop, stopTree, type StopOptions, type StopReport } from "../worker/stopping.ts";
import { hasEnded } from "../worker/until.ts";
import { viewOf, type WorkerView } from "../worker/view.ts";
import { audit, type Audit, type AuditOptions } from "./audit.ts";
import { parseContractOptions, showContract, type ContractOptions } from "./contract.ts";
import type { ContractView } from "./contract.ts";
import type { Fleet, KillOptions, ReasonOptions, SpawnOptions, StartOptions } from "./fleet.ts";
import * as steps from "./steps.ts";

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

const settleMsDefault = 2_000;

/** The handle of an open fleet: checks what it is given, and passes it on. */
export class FleetHandle implements Fleet {
  readonly #parts: FleetParts;
  readonly #seat: Seat;
  readonly #operator: Actor;
  #closing: Promise<void> | undefined;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#seat = parts.member.seat;
    this.#operator = this.#seat.owner;
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

  async start(options?: StartOptions): Promise<WorkerHandle> {
    const started = await this.tryStart(options);
    if (started.ok) return started.worker;
    throw new Refused(started.refusal);
  }

  async tryStart(options?: StartOptions): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
    const { member } = this.#parts;
    const started = await startWorker(member, this.#request(options, null), this.#operator);
    return started.ok ? { ok: true, worker: handleOf(member, started) } : started;
  }

  workers(): readonly WorkerView[];
  workers(options: { readonly all: true }): Promise<readonly WorkerView[]>;
  workers(options?: {
    readonly all?: boolean;
  }): readonly WorkerView[] | Promise<readonly WorkerView[]> {
    if (options?.all === true) return listAll(this.#seat);
    const live = [...this.#seat.loop.state().workers.values()].filter((one) => !hasEnded(one));
    return Object.freeze(live.map(viewOf));
  }

  async worker(reference: string): Promise<WorkerView | undefined> {
    return findWorker(this.#seat, await this.#resolve(reference));
  }

  async lineage(reference: string): Promise<readonly WorkerView[]> {
    return listLineage(this.#seat, await this.#resolve(reference));
  }

  metrics(): Metrics {
    return this.#parts.counters.measure(this.#seat.loop.state(), this.#parts.feed.dropped());
  }

  entries(options?: EntriesOptions): AsyncIterable<EntryView> {
    return readEntries(this.#seat, options);
  }

  async look(): Promise<void> {
    await this.#seat.loop.look();
  }

  async stop(reference: string, options?: StopOptions): Promise<StopReport> {
    const order = parseStop(options);
    const id = await this.#resolve(reference);
    return stopTree(this.#parts.member, id, { order, by: this.#operator });
  }

  deregister(reference: string, options: ReasonOptions = {}): Promise<StopReport> {
    return this.stop(reference, { ...options, tree: false });
  }

  async writeOff(reference: string, options: { readonly reason: string }): Promise<void> {
    const data = { worker: await this.#resolve(reference), ...options };
    await this.#give("worker.write_off", data);
  }

  async pause({ reason = "pause" }: ReasonOptions = {}): Promise<void> {
    await this.#give("fleet.pause", { reason });
  }

  async resume({ reason = "resume" }: ReasonOptions = {}): Promise<void> {
    await this.#give("fleet.resume", { reason });
  }

  async enact(options: ContractOptions): Promise<void> {
    const { contract, functions } = parseContractOptions(options);
    Object.assign(this.#parts.conditions.functions, functions);
    await this.#give("contract.enact", { contract });
  }

  async kill({ reason, settleMs = settleMsDefault }: KillOptions): Promise<Receipt> {
    parseReason(reason);
    checkMs("settleMs", settleMs);
    return kill(this.#parts.member, { reason, settleMs }, this.#operator);
  }

  audit(options?: AuditOptions): Promise<Audit> {
    return audit(this.#seat, options);
  }

  verifyReceipt(receipt: Receipt): boolean {
    return isReceiptSigned(this.#seat.signer, receipt);
  }

  async quarantine(reference: string, options: QuarantineOptions): Promise<void> {
    const id = await this.#resolve(reference);
    const order = parseQuarantine(id, options);
    await quarantine(this.#parts.member, id, { ...order, by: this.#operator });
  }

  async unquarantine(
    reference: string,
    { resolution = "cleared" }: { readonly resolution?: string } = {},
  ): Promise<void> {
    const id = await this.#resolve(reference);
    await unquarantine(this.#parts.member, id, { resolution, by: this.#operator });
  }

  isQuarantined(reference: string): boolean {
    const state = this.#seat.loop.state();
    const worker = state.workers.get(resolveWorker(state, reference));
    return worker !== undefined && worker.quarantine !== null;
  }

  async stopQuarantined(reference?: string, { reason }: ReasonOptions = {}): Promise<StopReport> {
    const id = reference === undefined ? undefined : await this.#resolve(reference);
    const detail = reason === undefined ? undefined : parseReason(reason);
    return stopQuarantined(this.#parts.member, id, { detail, by: this.#operator });
  }

  report(): Promise<QuarantineReport> {
    return reportQuarantines(this.#seat);
  }

  async note(reference: string, text: string): Promise<void> {
    await this.#give("worker.note", { worker: await this.#resolve(reference), text });
  }

  async charge(reference: string, given: ChargeOptions): Promise<void> {
    const amounts = parseCharge(toWire(given, "amounts"), { path: "amounts", rename: toCamel });
    await this.#give("budget.charge", { worker: await this.#resolve(reference), amounts });
  }

  async canSpawn(options?: SpawnOptions): Promise<Refusable<unknown>> {
    const request = await this.#spawnRequest(options);
    return steps.canSpawn(this.#seat, this.#parts.conditions, request);
  }

  async issueManifest(options?: SpawnOptions): Promise<Refusable<steps.IssuedManifest>> {
    return steps.issueManifest(this.#seat, await this.#spawnRequest(options));
  }

  verifyManifest(envelope: unknown): steps.VerifiedManifest {
    return steps.verifyManifest(this.#seat, envelope);
  }

  register(envelope: unknown): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
    return steps.registerHere(this.#parts.member, envelope);
  }

  async heartbeat(
    reference: string,
    { progress }: { readonly progress?: number } = {},
  ): Promise<Refusable<unknown>> {
    if (progress !== undefined && !(Number.isSafeInteger(progress) && progress >= 0)) {
      const expected = "an integer from 0 on";
      throw new InputError("usage", [{ path: "progress", expected, got: describeValue(progress) }]);
    }
    const worker = await this.#resolve(reference);
    const answer = await steps.heartbeat(this.#seat, worker, progress);
    if (answer.ok) this.#parts.feed.addBeat(worker, this.#wallMs());
    return answer;
  }

  reapStale(): Promise<readonly string[]> {
    return reapStale(this.#parts.member, this.#parts.watcher);
  }

  on<K extends FeedKind>(kind: K, listener: (item: FeedMap[K]) => void): () => void {
    return this.#parts.feed.on(kind, listener);
  }

  recent<K extends FeedKind>(kind: K): readonly FeedMap[K][] {
    return this.#parts.feed.recent(kind);
  }

  emit(name: string, fields?: unknown): void {
    this.#parts.feed.add("event", makeEvent(name, fields, this.#wallMs()));
  }

  metric(name: string, value: number, labels?: unknown): void {
    const measured = makeMetric(name, value, { labels, atMs: this.#wallMs() });
    this.#parts.feed.add("metric", measured);
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #wallMs(): number {
    return this.#seat.clock.read().wallMs;
  }

  async #resolve(reference: string): Promise<string> {
    return resolveWorker(await this.#seat.loop.look(), reference);
  }

  #request(options: unknown, parent: string | null): WorkerRequest {
    const { sandboxes } = this.#parts.member;
    const defaults = { path: "options", name: "worker", reason: "start" };
    return parseRequest(options, { ...defaults, parent, degraded: sandboxes?.degraded });
  }

  async #spawnRequest({ parent, ...options }: SpawnOptions = {}): Promise<AdmissionRequest> {
    const id = parent === undefined ? null : await this.#resolve(parent);
    return this.#request(options, id).admission;
  }

  /** Checks and gives a command as the operator. Throws `Refused`. */
  async #give<K extends Command["kind"]>(kind: K, data: object): Promise<void> {
    // The parser answers the body that belongs to this very kind.
    const command = { kind, data: parseCommandData(kind, data) } as unknown as Command;
    await demand(this.#seat, command, this.#operator);
  }
}

/** The operator of a handle: whoever holds the fleet's secret, under a name of their choice. */
export function operatorOf(host: Seat["host"], name: string | undefined): Actor {
  const who = { kind: "operator", via: "library" } as const;
  return name === undefined ? actorOf(host, who) : actorOf(host, { ...who, id: name, claimed: ["id"] });
}

function checkMs(path: string, value: unknown): void {
  const { stopGraceMsMax: max } = LIMITS;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max) return;
  const expected = `an integer from 0 to ${max}`;
  throw new InputError("usage", [{ path, expected, got: describeValue(value) }]);
}
