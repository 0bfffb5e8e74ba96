// How a worker becomes a process of the supervisor's:
//
//     asked ──▶ admitted ──▶ parent's limit ──▶ socket and ──▶ sandbox ──▶ registered ──▶ running
//               (durable)    lowered            token          started     (durable)
//
// A kill or a stop between any two of these wins: the driver's launcher looks for the permit, the
// registration is refused, and what had started is ended. Whatever fails gives the reservation
// back, raises the parent's limit again and leaves neither process nor socket.

import type { CommandMap } from "../kernel/command.ts";
import { ok } from "../kernel/assert.ts";
import type { SandboxRules } from "../kernel/fleet/contract.ts";
import { refuse, type Refusal } from "../kernel/refusal.ts";
import type { Manifest } from "../kernel/worker/manifest.ts";
import { refusalOfKill, refusalWithoutPermit } from "../library/kill/adoption.ts";
import { JOIN_FILES } from "../library/process/launch.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import type { RefusedAnswer } from "../library/refused.ts";
import { supervisorOf, type Granted, type Seat } from "../library/seat.ts";
import { giveBack } from "../library/worker/admit.ts";
import { manifestIn } from "../library/worker/history.ts";
import type { Answer } from "../runtime/loop.ts";
import { Fault } from "../ports/fault.ts";
import type { Instead, SandboxRecord, SandboxUse } from "../ports/sandbox.ts";
import type { Envelope } from "../ports/signer.ts";
import type { StartAnswer, StartOrder } from "../ports/supervision.ts";
import type { Allotments } from "./allotments.ts";
import { allotmentOf } from "./allotments.ts";
import type { Beats } from "./beats.ts";
import type { WorkerDoor, WorkerDoors } from "./doors.ts";
import { SUPERVISED_FILE } from "./reconcile.ts";
import type { SupervisorWorld } from "./world.ts";
import type { Fences } from "./fence/fences.ts";
import type { WorkerGits } from "./git/worker-gits.ts";
import { Reaches, type Reach } from "./reach.ts";

/** What starts are made with. */
export interface StartsOptions {
  readonly seat: Seat;
  readonly sandboxes: Sandboxes;
  readonly allotments: Allotments;
  readonly doors: WorkerDoors;
  readonly beats: Beats;
  /** Mounts what workers hold; absent where sandboxes cannot. */
  readonly fences: Fences | undefined;
  /** Gives them git directories of their own; absent like those. */
  readonly gits: WorkerGits | undefined;
  readonly identify: SupervisorWorld["identify"];
}

/** A start that the rules have refused after the process was there: not a failure of the world. */
class RefusedLate extends Error {
  readonly answer: StartAnswer & { readonly ok: false };

  constructor(answer: StartAnswer & { readonly ok: false }) {
    super(answer.refusal.message);
    this.answer = answer;
  }
}

/** Starts workers as processes, each instance once. */
export class Starts {
  readonly #so: StartsOptions;
  readonly #running = new Map<string, Promise<StartAnswer>>();
  readonly #reaches: Reaches;
  #isClosed = false;

  constructor(options: StartsOptions) {
    this.#so = options;
    this.#reaches = new Reaches(options.seat, options.sandboxes.mounts !== undefined);
  }

  /** How many are under way. */
  get count(): number {
    return this.#running.size;
  }

  /**
   * Starts a worker; the same order given again joins the start that is under way, or finds what
   * it has come to. Throws `Fault` `sandbox_failed` when nothing was left running, and
   * `supervisor_unreachable` (retryable) once this supervisor is about to leave.
   */
  start(order: StartOrder): Promise<StartAnswer> {
    if (this.#isClosed) throw leaving();
    const key = `${order.admission.instance} ${order.id}`;
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const start = this.#start(order).finally(() => this.#running.delete(key));
    this.#running.set(key, start);
    return start;
  }

  /** Refuses further starts, and waits until those under way have settled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#running.values());
  }

  /** Forgets a worker that has ended. */
  forget(id: string): void {
    this.#reaches.forget(id);
  }

  /** Takes starts again: nobody is leaving after all. */
  reopen(): void {
    this.#isClosed = false;
  }

  async #start(order: StartOrder): Promise<StartAnswer> {
    const { sandboxes } = this.#so;
    const { instance, parent } = order.admission;
    // Where the journal knows of the kill the rules refuse, and that is on record.
    const killed = this.#asAnswer(await refusalWithoutPermit(this.#so.seat));
    if (killed !== null) return killed;
    const data: CommandMap["worker.admit"] = {
      ...order.admission,
      degraded: sandboxes.degraded,
      ...(await this.#measure(parent)),
    };
    const admitted = await this.#admit(order, data);
    if (!admitted.ok) return admitted;
    const known = await this.#find(instance, admitted);
    if (known !== null) return known;
    const manifest = manifestIn(admitted.entries);
    ok(manifest !== undefined, "a granted admission has its entry");
    await this.#demandContainment(admitted, instance);
    await this.#demandKey(manifest);
    const crowded = await this.#carve(manifest);
    if (crowded !== null) return crowded;
    return this.#launch(order, manifest);
  }

  async #killed(): Promise<StartAnswer | null> {
    return this.#asAnswer(await refusalOfKill(this.#so.seat));
  }

  #asAnswer(killed: RefusedAnswer | null): StartAnswer | null {
    const { seat } = this.#so;
    if (killed === null) return null;
    const { code, message } = killed.refusal;
    const refusal = refuse(code, message, { fleet: seat.fleet });
    return { ok: false, seq: seat.loop.head().seq, refusal };
  }

  /**
   * Has an order admitted. One that was given to another supervisor before, whose sandboxes hold
   * more or less than these, has the answer that it had then.
   */
  async #admit({ id, by }: StartOrder, data: CommandMap["worker.admit"]): Promise<Answer> {
    const { loop, store } = this.#so.seat;
    const answer = await loop.submit({ kind: "worker.admit", data }, by, { id });
    if (answer.ok || answer.refusal.code !== "command_mismatch") return answer;
    const entries = await store.journal.about(data.instance, entriesMax);
    const first = entries.find((entry) => entry.id === id)?.command;
    if (first?.kind !== "worker.admit") return answer;
    const { degraded = [] } = first.data;
    return loop.submit({ kind: "worker.admit", data: { ...data, degraded } }, by, { id });
  }

  /** A worker that was admitted for a better sandbox than there is now is not started in it. */
  async #demandContainment({ entries }: Granted, instance: string): Promise<void> {
    const { seat, sandboxes } = this.#so;
    const asked = entries[0]?.command;
    const known = asked?.kind === "worker.admit" ? asked.data.degraded : undefined;
    const missing = sandboxes.degraded.filter((what) => known?.includes(what) === false);
    if (missing.length === 0) return;
    await giveBack(seat, instance);
    const message = `the sandbox of ${instance} must hold what it was admitted for, it lacks `;
    throw new Fault("sandbox_failed", message + missing.join(", "));
  }

  /** What a parent uses now, of what it is bounded in: the rules carve nothing that is in use. */
  async #measure(parent: string | null): Promise<Pick<CommandMap["worker.admit"], "parent_use">> {
    const { seat, sandboxes } = this.#so;
    if (parent === null || !sandboxes.isRunning(parent)) return {};
    const granted = seat.loop.state().workers.get(parent)?.granted;
    if (granted?.memory_bytes === undefined && granted?.processes === undefined) return {};
    const { memory_bytes, processes } = (await sandboxes.use(parent)) ?? {};
    const use = {
      ...(memory_bytes === undefined ? {} : { memory_bytes: Math.ceil(memory_bytes) }),
      ...(processes === undefined ? {} : { processes }),
    };
    return { parent_use: use };
  }

  /** What an order that was carried out before has come to; null where it is still to be. */
  async #find(instance: string, admitted: Granted): Promise<StartAnswer | null> {
    const { seat } = this.#so;
    const worker = seat.loop.state().workers.get(instance);
    if (worker?.status === "admitted") return null;
    // Stopping or gone: whether it ever ran is in its entries.
    const entries = await seat.store.journal.about(instance, entriesMax);
    const registered = entries.find(({ kind }) => kind === "worker.registered");
    if (registered !== undefined) return { ok: true, seq: registered.seq, worker: instance };
    if (worker?.stopping !== undefined && worker.stopping !== null) {
      await giveBack(seat, instance);
      return withdrawn(admitted.seq, instance);
    }
    const message = `${instance} must be new or have run, its start has failed before`;
    throw new Fault("sandbox_failed", message);
  }

  async #demandKey(manifest: Manifest): Promise<void> {
    const { seat } = this.#so;
    const { key_id: keyId } = seat.keys.signer.key;
    if (manifest.key_id === keyId) return;
    await giveBack(seat, manifest.instance);
    const message =
      `the key of the supervisor must be the fleet's, ${manifest.key_id}, it is ${keyId}: ` +
      "the key was rotated elsewhere";
    throw new Fault("key_mismatch", message);
  }

  /** Lowers the parent's limit; gives the child back when the parent has grown meanwhile. */
  async #carve({ parent, instance }: Manifest): Promise<StartAnswer | null> {
    if (parent === null) return null;
    const { seat, allotments } = this.#so;
    let use: SandboxUse | undefined;
    try {
      use = await allotments.align(parent);
    } catch (error) {
      await this.#undo(instance, parent);
      throw error;
    }
    if (use === undefined) return null;
    const left = seat.loop.state().workers.get(parent);
    const refusal = crowdedRefusal(parent, use, left === undefined ? {} : allotmentOf(left));
    await this.#undo(instance, parent);
    return { ok: false, seq: seat.loop.head().seq, refusal };
  }

  async #undo(instance: string, parent: string | null): Promise<void> {
    const { seat, allotments } = this.#so;
    await giveBack(seat, instance);
    if (parent !== null) await allotments.align(parent);
  }

  async #launch(order: StartOrder, manifest: Manifest): Promise<StartAnswer> {
    const { seat, sandboxes, allotments, doors, beats } = this.#so;
    const { instance, parent } = manifest;
    let door: WorkerDoor;
    let reach: Reach;
    try {
      reach = this.#reaches.of(instance, parent, order);
      door = await doors.open(instance);
    } catch (error) {
      await this.#undo(instance, parent);
      throw error;
    }
    let seq = 0;
    try {
      const envelope = seat.keys.signer.seal(manifest);
      const { sandbox: rules } = seat.loop.state().contract;
      const instead = await this.#insteadOf(instance, reach);
      const spec = { ...specOf({ order, manifest, door, envelope, rules, reach }), instead };
      allotments.begin(instance, spec.limits);
      await sandboxes.start(spec, async (record) => {
        seq = await this.#register(manifest, record);
        await beats.begin(instance);
        if (reach.ground !== undefined) this.#so.fences?.begin(instance);
      });
      return { ok: true, seq, worker: instance };
    } catch (error) {
      await doors.close(instance);
      this.#so.gits?.collect(instance);
      if (parent !== null) await allotments.align(parent);
      if (error instanceof RefusedLate) return error.answer;
      // A launcher finds no permit when a kill was quicker.
      const killed = error instanceof Fault ? await this.#killed() : null;
      if (killed !== null) return killed;
      throw error;
    }
  }

  async #insteadOf(instance: string, { ground }: Reach): Promise<readonly Instead[]> {
    return ground === undefined ? [] : ((await this.#so.gits?.prepare(instance)) ?? []);
  }

  /** Registers a worker for its process, as its supervisor; answers the entry's place. */
  async #register(manifest: Manifest, record: SandboxRecord): Promise<number> {
    const { seat, identify } = this.#so;
    const process = record.pid === undefined ? undefined : identify(record.pid);
    // The manifest is the very one that the journal has just granted, by this process's own key.
    const data = { manifest, envelope: "valid", ...(process && { process }) } as const;
    const answer = await seat.loop.submit({ kind: "worker.register", data }, supervisorOf(seat));
    if (!answer.ok) throw new RefusedLate(answer);
    return answer.seq;
  }
}

/** More than a worker has before it runs. */
const entriesMax = 64;

function specOf(so: {
  readonly order: StartOrder;
  readonly manifest: Manifest;
  readonly door: WorkerDoor;
  readonly envelope: Envelope;
  readonly rules: SandboxRules;
  readonly reach: Reach;
}) {
  const { order, manifest, door, rules, reach } = so;
  const { memory_bytes, cpu_milli, processes, wall_ms } = manifest.budget;
  return {
    instance: manifest.instance,
    run: order.run,
    cwd: order.cwd,
    env: { ...order.env, STINT_WORKER_TOKEN_FILE: door.tokenFile },
    files: {
      [SUPERVISED_FILE]: `${JSON.stringify({ version: 1 })}\n`,
      // Taken up already, so no secret: by it a recovery knows a worker that the journal has lost.
      [JOIN_FILES.manifest]: JSON.stringify(so.envelope),
    },
    limits: {
      ...(memory_bytes === undefined ? {} : { memory_bytes }),
      ...(cpu_milli === undefined ? {} : { cpu_milli }),
      ...(processes === undefined ? {} : { processes }),
      ...(wall_ms === undefined ? {} : { wall_ms }),
      open_files: rules.open_files,
      output_bytes: rules.output_bytes,
    },
    network: manifest.network,
    ...reach,
    scratchBytes: rules.scratch_bytes,
    // `none` is none: not even the way to the supervisor.
    visible: manifest.network === "none" ? [] : [door.folder],
  };
}

function withdrawn(seq: number, instance: string): StartAnswer {
  const message = `the manifest of ${instance} must be unused, its worker is stopping already`;
  const refusal = refuse("manifest_used", message, { instance, status: "stopping" });
  return { ok: false, seq, refusal };
}

function crowdedRefusal(parent: string, use: SandboxUse, left: object): Refusal {
  const message =
    `the parent ${parent} must use at most what would remain to it, ` +
    `${JSON.stringify(left)}, it uses ${JSON.stringify(use)}`;
  return refuse("budget_exceeded", message, { parent, use: { ...use }, remaining: { ...left } });
}

function leaving(): Fault {
  const message = "a supervisor that takes starts must run, this one is about to leave";
  return new Fault("supervisor_unreachable", message, { retryable: true });
}
