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
import type { StartAnswer, StartOrder, SupervisorStatus } from "../ports/supervision.ts";
import { clearFolder } from "../system/folders.ts";
import {
  ensureRuntimePlaces,
  fileIdentity,
  permitFile,
  removeRuntimePlaces,
} from "../system/places.ts";
import { removeAbout, writeAbout, type About } from "./claim/about.ts";
import { Allotments } from "./allotments.ts";
import { Archiving } from "./archiving.ts";
import { ArmedChecks } from "./armed/armed-checks.ts";
import type { Door } from "./api/door.ts";
import { Beats } from "./beats.ts";
import { SupervisorBus } from "./bus/bus.ts";
import type { Claim } from "./claim/claim.ts";
import { watchClaim, watchJournal } from "./claim/claim-watch.ts";
import { Departure, type DrainOptions } from "./leaving/departure.ts";
import { WorkerDoors } from "./doors.ts";
import { takeMembership, type Membership } from "./membership.ts";
import { Fences } from "./fence/fences.ts";
import { WorkerGits } from "./git/worker-gits.ts";
import { Idleness } from "./leaving/idleness.ts";
import { Exhibits } from "./measuring/exhibits.ts";
import { KillWatch } from "./measuring/watch.ts";
import { HitWatch } from "./measuring/hit-watch.ts";
import { endLeftover, endLeftovers } from "./reconcile.ts";
import { Retention } from "./retention.ts";
import { openOperatorDoor, openWorkerDoor } from "./serving/sockets.ts";
import { Starts } from "./starts.ts";
import { stopOwn } from "./leaving/stop-own.ts";
import { claimOnHost } from "./claim/host-claim.ts";
import { takeClaim } from "./claim/takeover.ts";
import { Tether } from "./tether.ts";
import { ensureTokenFile } from "./token.ts";
import { watchFile } from "./watching.ts";
import type { SupervisorWorld } from "./world.ts";

/** How long a supervisor stays without workers and requests, ms. */
const IDLE_MS = 10 * 60_000;

/** How long it still answers after a kill when nothing is left to end, ms. */
const KILLED_IDLE_MS = 1_000;

/** The pause between two looks at sandboxes while there are none, ms: it costs all that idles. */
const IDLE_ROUND_MS = 10_000;

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
  readonly #bus: SupervisorBus;
  readonly #allotments: Allotments;
  readonly #doors: WorkerDoors;
  readonly #starts: Starts;
  readonly #fences: Fences | undefined;
  readonly #gits: WorkerGits | undefined;
  readonly #leftovers: Retries;
  readonly #idleness: Idleness;
  readonly #startedAtMs: number;
  readonly #about: About;
  readonly #departure: Departure;
  readonly #retention: Retention;
  readonly #tether: Tether;
  readonly #cancels = new Set<() => void>();
  #steward: Steward | undefined;
  #hits: HitWatch | undefined;
  #watches: readonly { close(): Promise<void> }[] = [];
  #watcher: ReturnType<typeof makeWatcher> | undefined;
  #operator: Door | undefined;

  constructor({ world, claim, release, membership, beats, options }: Parts) {
    const { seat, sandboxes } = membership.member;
    this.#world = world;
    this.#claim = claim;
    this.#release = release;
    this.#membership = membership;
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#beats = beats;
    this.#bus = new SupervisorBus(seat, { version: world.version });
    this.#startedAtMs = seat.clock.read().wallMs;
    this.#allotments = new Allotments(seat, sandboxes);
    this.#doors = new WorkerDoors(world.runtime, seat, (so) => this.#openWorkerSocket(so));
    const { identify } = world;
    const { mounts } = sandboxes;
    this.#fences = mounts && new Fences(seat, sandboxes, mounts);
    this.#gits = mounts && new WorkerGits(seat, world.state.git);
    const parts = { seat, sandboxes, beats, identify, fences: this.#fences, gits: this.#gits };
    this.#starts = new Starts({ ...parts, allotments: this.#allotments, doors: this.#doors });
    this.#departure = new Departure({
      starts: this.#starts,
      timers: seat.timers,
      live: () => [...sandboxes.own],
      stopAll: (graceMs) => stopOwn(seat, sandboxes, graceMs),
      goAway: () => this.goAway(),
    });
    this.#leftovers = new Retries(seat, (id) => void this.#endLeftover(id));
    this.#retention = new Retention(seat, sandboxes, (live) => world.retainOutput(live));
    const isBusy = (): boolean => sandboxes.own.size > 0 || this.#starts.count > 0;
    const isFollowed = (): boolean => this.#bus.hub.counts.subscriptions > 0;
    this.#tether = new Tether({ seat, sandboxes, isBusy });
    this.#idleness = new Idleness(seat, {
      idleMs: options.idleMs ?? IDLE_MS,
      isBusy: () => isBusy() || isFollowed() || this.#departure.isDraining,
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
    this.#gits?.collectLeft((id) => this.#leftovers.isWaiting(id));
    this.#watcher = makeWatcher(this.#membership.member);
    const { member } = this.#membership;
    this.#steward = new Steward(member, this.#watcher, { idleRoundEveryMs: IDLE_ROUND_MS });
    this.#hits = new HitWatch(this.#seat, this.#sandboxes);
    const { driver } = this.#membership;
    const onLeft = (id: string): void => this.#leftovers.add(id);
    const armed = new ArmedChecks({ seat: this.#seat, driver, onLeft });
    const archiving = new Archiving(this.#seat);
    this.#watches = [new KillWatch(member), new Exhibits(member), armed, archiving];
    await this.#bus.begin();
    this.#listen();
    const permit = permitFile(state.dir, this.#seat.fleet);
    this.#cancels.add(watchFile(permit, () => this.#steward?.hurry()));
    this.#operator = await openOperatorDoor(runtime.operatorSocket, {
      seat: this.#seat,
      bus: this.#bus,
      token,
      onRequest: () => this.#idleness.touch(),
      status: () => this.status,
      start: (order) => this.#start(order),
      leave: (options) => this.leave(options),
    });
    writeAbout(state.about, this.#about);
    this.#idleness.touch();
    const { timers } = this.#seat;
    this.#cancels.add(
      watchClaim(this.#claim, timers, () => this.#lose("the claim was taken away")),
    );
    const { loop } = this.#seat;
    this.#cancels.add(watchJournal(loop, timers, () => this.#lose("the journal is lost")));
    this.#retention.consider();
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
    await this.#tether.close();
    removeAbout(this.#world.state.about, this.#about);
    // First its streams end, so that no door waits for them.
    await this.#bus.close();
    await Promise.all([this.#operator?.close(), this.#doors.closeAll()]);
    await Promise.all(this.#watches.map((one) => one.close()));
    await this.#steward?.close();
    await this.#gits?.settled();
    await this.#watcher?.stop();
    await Promise.all([this.#beats.close(), this.#hits?.close()]);
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
    this.#fences?.hear(entry);
    this.#bus.hear(entry);
    // What these free, or take, is a parent's: its sandbox is held to what it has now.
    const isTelling = ["worker.stopped", "worker.lapsed", "worker.reparented"].includes(entry.kind);
    if (isTelling) this.#allotments.alignSoon();
  }

  #forget(id: string): void {
    this.#starts.forget(id);
    this.#fences?.forget(id);
    this.#gits?.collect(id);
    this.#idleness.touch();
    this.#beats.forget(id);
    this.#hits?.forget(id);
    this.#allotments.forget(id);
    this.#doors.closeSoon(id);
    this.#retention.consider();
    this.#leaveIfKilled();
  }

  async #endLeftover(id: string): Promise<void> {
    if (await endLeftover(this.#seat, this.#sandboxes, id)) this.#leftovers.forget(id);
    else this.#leftovers.add(id);
  }

  #start(order: StartOrder): Promise<StartAnswer> {
    // First, so that no worker is ever without it.
    this.#tether.begin();
    return this.#starts.start(order);
  }

  #openWorkerSocket(so: {
    readonly worker: string;
    readonly socket: string;
    readonly token: string;
  }): Promise<Door> {
    const { worker, socket, token } = so;
    return openWorkerDoor(socket, {
      seat: this.#seat,
      bus: this.#bus,
      worker,
      token,
      onRequest: () => this.#idleness.touch(),
      beat: (progress) => this.#beats.hear(worker, progress),
      start: (order) => this.#start(order),
      untilMounted: async () => this.#fences?.settled(worker),
    });
  }

  /** A killed fleet starts nothing more: when all have ended, nobody needs a supervisor. */
  #leaveIfKilled(): void {
    if (this.#seat.loop.state().status !== "killed" || this.#sandboxes.own.size > 0) return;
    this.#after(KILLED_IDLE_MS, () => void this.leave({}));
  }

  #lose(what: string): void {
    this.#seat.log.warn(`${what}: everything is ended`, {});
    void this.drain({ stopGraceMs: 0 });
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
