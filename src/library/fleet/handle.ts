import type { Actor } from "../../kernel/actor.ts";
import type { Command, CommandKind } from "../../kernel/command.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { parseCharge } from "../../protocol/budget.ts";
import { parseCommandData } from "../../protocol/command.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parseReason } from "../../protocol/worker.ts";
import { demandBesideGround } from "../ground/above-ground.ts";
import { demandOpen } from "../closed.ts";
import { demandOptions } from "../given-options.ts";
import { absentLeftOut } from "../lease/options.ts";
import { Appliance } from "../supervision/apply.ts";
import { lookAround } from "../supervision/look.ts";
import {
  parseSupervision,
  type ApplyOptions,
  type DoneView,
  type SupervisionOptions,
} from "../supervision/options.ts";
import { plan, type SupervisionPlan } from "../supervision/plan.ts";
import { JudgingWatch, type HaltWatch, type WatchOptions } from "../supervision/watch.ts";
import { FleetGround } from "../ground/fleet-ground.ts";
import { kill } from "../kill/kill.ts";
import type { Receipt } from "../kill/receipt.ts";
import { stopWithReceipt } from "../kill/stop.ts";
import { snapshotOf, toCamel, toWire } from "../names.ts";
import { givePlainCommand, type PlainAnswer } from "../plain-command.ts";
import { Refused, type Refusable } from "../refused.ts";
import {
  parseServices,
  viewRoster,
  type ServiceOptions,
  type ServiceView,
} from "../roster/options.ts";
import { startAnywhere } from "../relay/starting.ts";
import { demand, type Seat, type Secret } from "../seat.ts";
import {
  parseQuarantine,
  quarantine,
  stopQuarantined,
  unquarantine,
  type QuarantineOptions,
} from "../steward/quarantine.ts";
import { reapStale } from "../steward/watching.ts";
import { handleOf, type ChargeOptions, type WorkerHandle } from "../worker/handle.ts";
import { resolveAllNow, resolveNow } from "../worker/reference.ts";
import { parseStop, type StopOptions } from "../worker/stop-order.ts";
import { stopTree, type StopReport } from "../worker/stopping.ts";
import { rotateSecret } from "./rotate.ts";
import { parseContractOptions, type ContractOptions } from "./contract.ts";
import type {
  Fleet,
  HaltOptions,
  KillOptions,
  ReasonOptions,
  SpawnOptions,
  StartOptions,
} from "./fleet.ts";
import type { FleetParts } from "./reader.ts";
import { spawnRequest, startRequest } from "./spawn-request.ts";
import * as steps from "./steps.ts";

const settleMsDefault = 2_000;

/** What options are to be where one of them must be given. */
const WITH_REASON = "an object with a reason";

const QUARANTINE_FIELDS = ["reason", "source", "severity", "evidence", "tree"];

/** The handle of an open fleet, as an operator: checks what it is given, and passes it on. */
export class FleetHandle extends FleetGround implements Fleet {
  readonly #parts: FleetParts;
  readonly #seat: Seat;
  readonly #operator: Actor;
  #closing: Promise<void> | undefined;

  constructor(parts: FleetParts) {
    super(parts);
    this.#parts = parts;
    this.#seat = parts.member.seat;
    this.#operator = this.#seat.owner;
    // Whoever works for the fleet may hold its handle, and is not to put other verbs into it.
    Object.freeze(this);
  }

  async start(options?: StartOptions): Promise<WorkerHandle> {
    const started = await this.tryStart(options);
    if (started.ok) return started.worker;
    throw new Refused(started.refusal, started.seq);
  }

  async tryStart(options?: StartOptions): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
    const { member } = this.#parts;
    const request = await startRequest(member, options);
    const started = await startAnywhere(member, request, this.#operator);
    return started.ok ? { ok: true, worker: handleOf(member, started) } : started;
  }

  async stop(references: string | readonly string[], options?: StopOptions): Promise<Receipt> {
    const order = parseStop(options);
    const ids = await resolveAllNow(this.#seat, references);
    return stopWithReceipt(this.#parts.member, ids, { order, by: this.#operator });
  }

  async deregister(reference: string, options: ReasonOptions = {}): Promise<StopReport> {
    demandOptions(options, ["reason"]);
    const order = parseStop({ ...options, tree: false });
    const id = await resolveNow(this.#seat, reference);
    return stopTree(this.#parts.member, id, { order, by: this.#operator });
  }

  async writeOff(reference: string, options: { readonly reason: string }): Promise<void> {
    demandOptions(options, ["reason"], WITH_REASON);
    const { reason } = options;
    const worker = await resolveNow(this.#seat, reference);
    await this.#give("worker.write_off", { worker, reason });
  }

  async pause(options: ReasonOptions = {}): Promise<void> {
    demandOptions(options, ["reason"]);
    const { reason = "pause" } = options;
    await this.#give("fleet.pause", { reason });
  }

  async resume(options: ReasonOptions = {}): Promise<void> {
    demandOptions(options, ["reason"]);
    const { reason = "resume" } = options;
    await this.#give("fleet.resume", { reason });
  }

  async enact(options: ContractOptions): Promise<void> {
    const { contract, functions } = parseContractOptions(options);
    demandBesideGround(this.#seat, contract);
    Object.assign(this.#parts.conditions.functions, functions);
    await this.#give("contract.enact", { contract });
  }

  roster(): readonly ServiceView[] {
    demandOpen(this.#seat);
    return viewRoster(this.#seat.loop.state().roster);
  }

  async enactRoster(services: readonly ServiceOptions[]): Promise<void> {
    await this.#give("roster.enact", parseServices(services, "services"));
  }

  async rotateSecret(secret: Secret): Promise<void> {
    await rotateSecret(this.#seat, secret);
  }

  submit(command: unknown, options?: { readonly id?: string }): Promise<PlainAnswer> {
    return givePlainCommand(this.#seat, command, options);
  }

  async requestHalt(request: HaltOptions): Promise<void> {
    await this.#give("halt.request", toWire(request, "request") as object, "request");
  }

  async planSupervision(options: SupervisionOptions): Promise<SupervisionPlan> {
    demandOpen(this.#seat);
    const parsed = parseSupervision(options);
    return snapshotOf(plan(await lookAround(this.#seat, parsed), parsed));
  }

  async applySupervision(
    given: SupervisionPlan,
    options: SupervisionOptions & ApplyOptions,
  ): Promise<readonly DoneView[]> {
    demandOpen(this.#seat);
    const { startFor, onDone, signal, ...asked } = options;
    const appliance = new Appliance(this.#seat, this, parseSupervision(asked));
    const how = { startFor, onDone, signal };
    return appliance.apply(given, absentLeftOut(how));
  }

  watchHalts(options?: WatchOptions): HaltWatch {
    demandOpen(this.#seat);
    return new JudgingWatch(this.#seat, options);
  }

  async kill(options: KillOptions): Promise<Receipt> {
    demandOptions(options, ["reason", "settleMs"], WITH_REASON);
    const { reason, settleMs = settleMsDefault } = options;
    parseReason(reason, { path: "options.reason" });
    checkMs("options.settleMs", settleMs);
    return kill(this.#parts.member, { reason, settleMs }, this.#operator);
  }

  async quarantine(reference: string, options: QuarantineOptions): Promise<void> {
    demandOptions(options, QUARANTINE_FIELDS, WITH_REASON);
    const id = await resolveNow(this.#seat, reference);
    const order = parseQuarantine(id, options);
    await quarantine(this.#parts.member, id, { ...order, by: this.#operator });
  }

  async unquarantine(
    reference: string,
    options: { readonly resolution?: string } = {},
  ): Promise<void> {
    demandOptions(options, ["resolution"]);
    const { resolution = "cleared" } = options;
    const id = await resolveNow(this.#seat, reference);
    await unquarantine(this.#parts.member, id, { resolution, by: this.#operator });
  }

  async stopQuarantined(reference?: string, options: ReasonOptions = {}): Promise<StopReport> {
    demandOptions(options, ["reason"]);
    const { reason } = options;
    const id = reference === undefined ? undefined : await resolveNow(this.#seat, reference);
    const detail =
      reason === undefined ? undefined : parseReason(reason, { path: "options.reason" });
    return stopQuarantined(this.#parts.member, id, { detail, by: this.#operator });
  }

  async note(reference: string, text: string): Promise<void> {
    const worker = await resolveNow(this.#seat, reference);
    await this.#give("worker.note", { worker, text }, "note");
  }

  async charge(reference: string, given: ChargeOptions): Promise<void> {
    const amounts = parseCharge(toWire(given, "amounts"), { path: "amounts", rename: toCamel });
    await this.#give("budget.charge", { worker: await resolveNow(this.#seat, reference), amounts });
  }

  async issueManifest(options?: SpawnOptions): Promise<Refusable<steps.IssuedManifest>> {
    return steps.issueManifest(this.#seat, await spawnRequest(this.#parts.member, options));
  }

  register(envelope: unknown): Promise<Refusable<{ readonly worker: WorkerHandle }>> {
    return steps.registerHere(this.#parts.member, envelope);
  }

  async heartbeat(
    reference: string,
    options: { readonly progress?: number } = {},
  ): Promise<Refusable<object>> {
    demandOptions(options, ["progress"]);
    const { progress } = options;
    if (progress !== undefined && !(Number.isSafeInteger(progress) && progress >= 0)) {
      const expected = "an integer from 0 on";
      throw new InputError("usage", [{ path: "progress", expected, got: describeValue(progress) }]);
    }
    const worker = await resolveNow(this.#seat, reference);
    const answer = await steps.heartbeat(this.#seat, worker, progress);
    if (answer.ok) this.#parts.feed.addBeat(worker, this.#seat.clock.read().wallMs);
    return answer;
  }

  reapStale(): Promise<readonly string[]> {
    return reapStale(this.#parts.member, this.#parts.watcher);
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Checks and gives a command as the operator; `path` is what its caller calls the body. Throws
   * `Refused`.
   */
  async #give(kind: CommandKind, data: object, path = "options"): Promise<void> {
    const place = { path, rename: toCamel };
    // The parser answers the body that belongs to this very kind.
    const command = { kind, data: parseCommandData(kind, data, place) } as unknown as Command;
    await demand(this.#seat, command, this.#operator);
  }
}

function checkMs(path: string, value: unknown): void {
  const { stopGraceMsMax: max } = LIMITS;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max) return;
  const expected = `an integer from 0 to ${max}`;
  throw new InputError("usage", [{ path, expected, got: describeValue(value) }]);
}
