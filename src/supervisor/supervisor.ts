// The life of a supervisor:
//
//     claim taken ──▶ leftovers ended ──▶ serving ──▶ draining ──▶ left
//                     and journaled          │  no new starts;    head signed, sockets gone,
//                                            │  workers stopped   claim released
//                        idle, killed, told to leave, SIGTERM
//
// Nothing of this is owed by a supervisor that dies: the kernel releases its claim, its successor
// finds its sandboxes by their records.

import type { Entry } from "../kernel/entry.ts";
import { errorText } from "../library/error-text.ts";
import { adoptKill } from "../library/kill/adoption.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import { Retries } from "../library/process/retries.ts";
import type { Seat } from "../library/seat.ts";
import { Steward } from "../library/steward/steward.ts";
import { makeWatcher } from "../library/steward/watching.ts";
import type { SupervisorStatus } from "../ports/supervision.ts";
import { clearFolder } from "../system/folders.ts";
import {
  ensureRuntimePlaces,
  fileIdentity,
  permitFile,
  removeRuntimePlaces,
} from "../system/places.ts";
import { removeAbout, writeAbout, type About } from "./claim/about.ts";
import { Allotments } from "./allotments.ts";
import { openDoor, type Door } from "./api/door.ts";
import { operatorApi } from "./api/operator-api.ts";
import { workerApi } from "./api/worker-api.ts";
import { Beats } from "./beats.ts";
import type { Claim } from "./claim/claim.ts";
import { Departure, type DrainOptions } from "./departure.ts";
import { WorkerDoors } from "./doors.ts";
import { takeMembership, type Membership } from "./membership.ts";
import { Idleness } from "./idleness.ts";
import { endLeftover, endLeftovers } from "./reconcile.ts";
import { Starts } from "./starts.ts";
import { stopOwn } from "./stop-own.ts";
import { claimOnHost } from "./claim/host-claim.ts";
import { takeClaim } from "./claim/takeover.ts";
import { ensureTokenFile } from "./token.ts";
import { watchFile } from "./watching.ts";
import type { SupervisorWorld } from "./world.ts";

/** How long a supervisor stays without workers and requests, ms. */
const IDLE_MS = 10 * 60_000;

/** How long it still answers after a kill when nothing is left to end, ms. */
const KILLED_IDLE_MS = 1_000;

/** The pause between two looks at sandboxes while there are none, ms: it costs all that idles. */
const IDLE_ROUND_MS = 10_000;

/** How often it is looked whether the claim still is the one that others would have to take, ms. */
const CLAIM_LOOK_MS = 5_000;

/** How often old output is dropped, ms. */
const RETAIN_EVERY_MS = 60_000;

/** Connections that the operator's socket, and one worker's, hold at the same time. */
const OPERATOR_CONNECTIONS_MAX = 512;
const WORKER_CONNECTIONS_MAX = 64;

/** A supervisor that serves. */
export interface Supervisor {
  /** How it is now. */
  readonly status: SupervisorStatus;
  /** Resolves when it has left, for whatever reason. */
  untilLeft(): Promise<void>;
  /**
   * Leaves if no worker lives, or stops them if a grace is given. Answers the ids of those that
   * live: with any it stays.
   */
  leave(options: Partial<DrainOptions>): Promise<readonly string[]>;
  /** Stops all workers and leaves, even if one cannot be ended. Resolves when it has left. */
  drain(options: DrainOptions): Promise<void>;
  /** Drains without grace; safe to call twice. */
  close(): Promise<void>;
}

/** How a supervisor is opened. */
export interface SupervisorOptions {
  /** How long it stays without workers and requests, ms; 10 minutes by default. */
  readonly idleMs?: number;
}

/**
 * Becomes the supervisor of a state folder: takes the claim, ends and journals what another one
 * left, and serves. Throws `AlreadySupervised` when another one serves, and the faults of the
 * store.
 */
export async function openSupervisor(
  world: SupervisorWorld,
  options: SupervisorOptions = {},
): Promise<Supervisor> {
  const claim = await takeClaim(world.state, world.timers);
  let onHost: Claim | undefined;
  let membership: Membership | undefined;
  let supervisor: FleetSupervisor | undefined;
  const release = (): void => {
    onHost?.release();
    claim.release();
  };
  const admit = (fleet: string): void => {
    const warn = (message: string, error: unknown): void => world.log.warn(message, { error });
    onHost = claimOnHost({ folder: world.claims, fleet, stateDir: world.state.dir, warn });
  };
  try {
    ensureRuntimePlaces(world.runtime);
    // Sockets and tokens of a dead supervisor open nothing any more.
    clearFolder(world.runtime.workers);
    const heard = new Set<string>();
    membership = await takeMembership(world, { hears: (id) => heard.has(id), admit });
    const { seat, sandboxes } = membership.member;
    const beats = new Beats(seat, sandboxes, heard);
    supervisor = new FleetSupervisor({ world, claim, release, membership, beats, options });
    await supervisor.begin();
    return supervisor;
  } catch (error) {
    if (supervisor !== undefined) await supervisor.goAway();
    else await membership?.close();
    release();
    throw error;
  }
}

interface Parts {
  readonly world: SupervisorWorld;
  readonly claim: Claim;
  /** Lets go of the claim, and of that on the host. */
  readonly release: () => void;
  readonly membership: Membership;
  readonly beats: Beats;
  readonly options: SupervisorOptions;
}

class FleetSupervisor implements Supervisor {
  readonly #world: SupervisorWorld;
  readonly #claim: Claim;
  readonly #release: () => void;
  readonly #membership: Membership;
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  readonly #beats: Beats;
  readonly #allotments: Allotments;
  readonly #doors: WorkerDoors;
  readonly #starts: Starts;
  readonly #leftovers: Retries;
  readonly #idleness: Idleness;
  readonly #startedAtMs: number;
  readonly #about: About;
  readonly #departure: Departure;
  readonly #cancels = new Set<() => void>();
  #steward: Steward | undefined;
  #isAligning = false;
  #watcher: ReturnType<typeof makeWatcher> | undefined;
  #operator: Door | undefined;
  #retainedMs = -Infinity;

  constructor({ world, claim, release, membership, beats, options }: Parts) {
    const { seat, sandboxes } = membership.member;
    this.#world = world;
    this.#claim = claim;
    this.#release = release;
    this.#membership = membership;
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#beats = beats;
    this.#startedAtMs = seat.clock.read().wallMs;
    this.#allotments = new Allotments(seat, sandboxes);
    this.#doors = new WorkerDoors(world.runtime, (so) => this.#openWorkerSocket(so));
    const { identify } = world;
    const parts = { seat, sandboxes, beats, identify };
    this.#starts = new Starts({ ...parts, allotments: this.#allotments, doors: this.#doors });
    this.#departure = new Departure({
      starts: this.#starts,
      timers: seat.timers,
      live: () => [...sandboxes.own],
      stopAll: (graceMs) => stopOwn(seat, sandboxes, graceMs),
      goAway: () => this.goAway(),
    });
    this.#leftovers = new Retries(seat, (id) => void this.#endLeftover(id));
    this.#idleness = new Idleness(seat, {
      idleMs: options.idleMs ?? IDLE_MS,
      isBusy: () => sandboxes.own.size > 0 || this.#starts.count > 0 || this.#departure.isDraining,
      onIdle: () => void this.leave({}),
    });
    const { pid, started } = world.host.process;
    const { operatorSocket: socket } = world.runtime;
    const taken = fileIdentity(world.state.claim) ?? "";
    this.#about = { pid, started, version: world.version, socket, claim: taken };
  }

  /** Ends what another supervisor left, and begins to serve. */
  async begin(): Promise<void> {
    const { state, runtime } = this.#world;
    const token = ensureTokenFile(state.operatorToken);
    await adoptKill(this.#seat).catch((error: unknown) => this.#warn("kill", error));
    for (const id of await endLeftovers(this.#seat, this.#sandboxes)) this.#leftovers.add(id);
    this.#watcher = makeWatcher(this.#membership.member);
    const { member } = this.#membership;
    this.#steward = new Steward(member, this.#watcher, { idleRoundEveryMs: IDLE_ROUND_MS });
    this.#listen();
    const permit = permitFile(state.dir, this.#seat.fleet);
    this.#cancels.add(watchFile(permit, () => this.#steward?.hurry()));
    const api = operatorApi({
      seat: this.#seat,
      token,
      onRequest: () => this.#idleness.touch(),
      status: () => this.status,
      start: (order) => this.#starts.start(order),
      leave: (options) => this.leave(options),
    });
    this.#operator = await openDoor({
      socket: runtime.operatorSocket,
      connectionsMax: OPERATOR_CONNECTIONS_MAX,
      fetch: (request) => api.fetch(request),
    });
    writeAbout(state.about, this.#about);
    this.#idleness.touch();
    this.#watchClaim();
    this.#retainOutput();
    this.#leaveIfKilled();
    this.#seat.log.info("serving", { ...this.status });
  }

  get status(): SupervisorStatus {
    const { fleet } = this.#seat;
    return {
      fleet,
      pid: this.#about.pid,
      version: this.#about.version,
      started_at_ms: this.#startedAtMs,
      worker_count: this.#sandboxes.own.size,
      rung: this.#sandboxes.rung,
      degraded: this.#sandboxes.degraded,
      is_draining: this.#departure.isDraining,
    };
  }

  untilLeft(): Promise<void> {
    return this.#departure.left;
  }

  leave(options: Partial<DrainOptions>): Promise<readonly string[]> {
    return this.#departure.leave(options);
  }

  async drain(options: DrainOptions): Promise<void> {
    const left = await this.#departure.drain(options);
    if (left.length > 0)
      this.#seat.log.warn("workers are left to the next supervisor", { workers: left });
    await this.untilLeft();
  }

  close(): Promise<void> {
    return this.drain({ stopGraceMs: 0 });
  }

  /** Lets go of everything, stops nothing; what was never begun is not there to let go of. */
  async goAway(): Promise<void> {
    this.#seat.log.info("leaving", { ...this.status });
    this.#idleness.close();
    for (const cancel of this.#cancels) cancel();
    this.#leftovers.clear();
    await this.#starts.close();
    removeAbout(this.#world.state.about, this.#about);
    await Promise.all([this.#operator?.close(), this.#doors.closeAll()]);
    await this.#steward?.close();
    await this.#watcher?.stop();
    await this.#beats.close();
    await this.#membership.close();
    // With another claim in its place somebody else may serve here by now.
    if (this.#claim.isHeld()) removeRuntimePlaces(this.#world.runtime);
    this.#release();
  }

  #listen(): void {
    const { loop } = this.#seat;
    this.#cancels.add(loop.onEntry((entry) => this.#hear(entry)));
    this.#cancels.add(this.#sandboxes.onForgotten((id) => this.#forget(id)));
  }

  #hear(entry: Entry): void {
    if (entry.kind === "fleet.killed") this.#leaveIfKilled();
    // What these free, or take, is a parent's: its sandbox is held to what it has now.
    const isTelling = ["worker.stopped", "worker.lapsed", "worker.reparented"].includes(entry.kind);
    if (isTelling) this.#alignSoon();
  }

  /** Once for all that is told in a turn: hundreds may end by one order. */
  #alignSoon(): void {
    if (this.#isAligning) return;
    this.#isAligning = true;
    void this.#seat.timers.turn().then(() => {
      this.#isAligning = false;
      for (const id of this.#sandboxes.own) this.#align(id);
    });
  }

  #align(id: string): void {
    this.#allotments.align(id).then(
      (use) => {
        const facts = { worker: id, use };
        if (use !== undefined) this.#seat.log.warn("a worker uses more than it has now", facts);
      },
      (error: unknown) => this.#warn("limits could not be set yet", error),
    );
  }

  #forget(id: string): void {
    this.#starts.forget(id);
    this.#idleness.touch();
    this.#beats.forget(id);
    this.#allotments.forget(id);
    this.#doors.close(id).catch((error: unknown) => this.#warn("a socket stays", error));
    this.#retainOutput();
    this.#leaveIfKilled();
  }

  async #endLeftover(id: string): Promise<void> {
    if (await endLeftover(this.#seat, this.#sandboxes, id)) this.#leftovers.forget(id);
    else this.#leftovers.add(id);
  }

  #openWorkerSocket(so: {
    readonly worker: string;
    readonly socket: string;
    readonly token: string;
  }): Promise<Door> {
    const { worker, socket, token } = so;
    const api = workerApi({
      seat: this.#seat,
      worker,
      token,
      onRequest: () => this.#idleness.touch(),
      beat: (progress) => this.#beats.hear(worker, progress),
      start: (order) => this.#starts.start(order),
    });
    const fetch = (request: Request): Response | Promise<Response> => api.fetch(request);
    return openDoor({ socket, connectionsMax: WORKER_CONNECTIONS_MAX, fetch });
  }

  /** A killed fleet starts nothing more: when all have ended, nobody needs a supervisor. */
  #leaveIfKilled(): void {
    if (this.#seat.loop.state().status !== "killed" || this.#sandboxes.own.size > 0) return;
    this.#after(KILLED_IDLE_MS, () => void this.leave({}));
  }

  #watchClaim(): void {
    this.#after(CLAIM_LOOK_MS, () => {
      if (this.#claim.isHeld()) return this.#watchClaim();
      // Another may supervise the fleet, or there is no place left to write anything down.
      this.#seat.log.warn("the claim was taken away: everything is ended", {});
      void this.drain({ stopGraceMs: 0 });
    });
  }

  #retainOutput(): void {
    const nowMs = this.#seat.clock.monotonicMs();
    if (nowMs - this.#retainedMs < RETAIN_EVERY_MS) return;
    this.#retainedMs = nowMs;
    const live = new Set([...this.#seat.loop.state().workers.keys(), ...this.#sandboxes.own]);
    this.#world.retainOutput(live).catch((error: unknown) => {
      this.#warn("old output could not be dropped", error);
    });
  }

  #after(delayMs: number, run: () => void): void {
    const cancel = this.#seat.timers.after(delayMs, () => {
      this.#cancels.delete(cancel);
      run();
    });
    this.#cancels.add(cancel);
  }

  #warn(message: string, error: unknown): void {
    this.#seat.log.warn(message, { error: errorText(error) });
  }
}
