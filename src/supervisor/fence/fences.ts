// Leases as mounts. What a worker may write to is mounted in its sandbox when it is granted a lease
// there, and taken from it when the lease has ended, shrunk, or gone to another:
//
//     granted ──▶ lease.mounted ──▶ mounted      (on record before it is done)
//     ended   ──▶ taken         ──▶ lease.fenced (done before it is on record)
//
// Between its end and `lease.fenced` the ground is nobody's: the rules grant it to no other. So
// whatever dies in between, no two workers have it. With the supervisor its sandboxes die, and
// their ends free what they had.

import type { Entry } from "../../kernel/entry.ts";
import { foldersIn } from "../../kernel/mount/folders.ts";
import type { Mount } from "../../kernel/mount/mount.ts";
import { leasesOf } from "../../kernel/lease/book.ts";
import type { Lease } from "../../kernel/lease/lease.ts";
import { errorText } from "../../library/error-text.ts";
import type { Sandboxes } from "../../library/process/sandboxes.ts";
import { supervisorOf, type Seat } from "../../library/seat.ts";
import { settledWithin } from "../../library/waiting.ts";
import type { Gift, GroundMounts } from "../../ports/sandbox.ts";
import { lookFrom } from "../reach.ts";
import { placesOf } from "./places.ts";

/** How often a worker's ground that it has open is tried to be taken again, ms. */
const againMsMin = 20;
const againMsMax = 500;

/** When what failed is tried again, ms. */
const failedMs = 2_000;

/** How long an answer waits until what it grants is mounted, ms. */
const mountedMs = 5_000;

/** Sees to it that workers write to what they hold, as far as mounts can. */
export class Fences {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  readonly #mounts: GroundMounts;
  /** Workers whose ground is mounted by leases. */
  readonly #workers = new Set<string>();
  /** The turn that runs for a worker, and the one that waits for its end. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();
  /** What is mounted for a lease, as it was given. */
  readonly #given = new Map<string, readonly Gift[]>();
  /** Leases whose ground is being taken, and those that could not be mounted as they are. */
  readonly #taking = new Set<string>();
  readonly #unfit = new Map<string, string>();
  readonly #revoked = new Set<string>();

  constructor(seat: Seat, sandboxes: Sandboxes, mounts: GroundMounts) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#mounts = mounts;
  }

  /** Takes a worker in whose sandbox has ground. */
  begin(worker: string): void {
    this.#workers.add(worker);
    void this.#look(worker);
  }

  /** Forgets a worker that has ended: what it had is free by its end. */
  forget(worker: string): void {
    this.#workers.delete(worker);
  }

  /** Hears what may give a worker ground, or take it. */
  hear({ kind, data }: Entry): void {
    if (kind === "lease.revoked") this.#revoked.add(data.lease);
    const worker = this.#workerOf({ kind, data } as Entry);
    if (worker !== undefined) void this.#look(worker);
  }

  /**
   * Waits until what a worker holds now is mounted, as far as it can be: who is told of a grant can
   * write there. Never rejects, and gives up after a while.
   */
  async settled(worker: string): Promise<void> {
    if (!this.#workers.has(worker)) return;
    await settledWithin(this.#look(worker), mountedMs, this.#seat.timers);
  }

  #workerOf({ kind, data }: Entry): string | undefined {
    const { book } = this.#seat.loop.state();
    if (kind === "lease.granted") return workerIn(data.holder);
    if (kind === "lease.handed_over") return workerIn(data.to);
    if (kind === "lease.fenced") return data.worker;
    const isLess = ["lease.narrowed", "lease.released", "lease.revoked", "lease.lapsed"];
    if (!isLess.includes(kind) || !("lease" in data)) return undefined;
    return book.mounts.get(data.lease)?.worker;
  }

  /** Brings what is mounted for a worker in line with the state; callers at once share a turn. */
  #look(worker: string): Promise<void> {
    const waiting = this.#waiting.get(worker);
    if (waiting !== undefined) return waiting;
    const running = this.#turns.get(worker);
    if (running === undefined) return this.#begin(worker);
    const next = running.then(() => {
      this.#waiting.delete(worker);
      return this.#begin(worker);
    });
    this.#waiting.set(worker, next);
    return next;
  }

  #begin(worker: string): Promise<void> {
    const turn = this.#align(worker)
      .catch((error: unknown) => this.#warn("ground could not be mounted", worker, error))
      .finally(() => this.#turns.delete(worker));
    this.#turns.set(worker, turn);
    return turn;
  }

  async #align(worker: string): Promise<void> {
    const { book, workers } = this.#seat.loop.state();
    const isRunning = workers.get(worker)?.status === "running" && this.#workers.has(worker);
    if (!isRunning || !this.#sandboxes.isRunning(worker)) return;
    const mounts = [...book.mounts.values()].filter((mount) => mount.worker === worker);
    const over = mounts.filter((mount) => !this.#isSpokenFor(mount));
    const first = over.map((mount) => this.#takeOnce(mount));
    await Promise.all(first);
    // What its own lapsed mount covers is mounted anew when that is gone: this is looked at again.
    if (over.some(({ lease }) => this.#taking.has(lease))) return;
    for (const lease of leasesOf(book, { worker })) await this.#mount(worker, lease);
  }

  #isSpokenFor({ lease: id, worker, region }: Mount): boolean {
    const { book } = this.#seat.loop.state();
    const lease = book.leases.get(id);
    if (lease === undefined || workerIn(lease.holder) !== worker) return false;
    return foldersIn(lease, book.foldsCase).patterns.join("\n") === region.join("\n");
  }

  async #mount(worker: string, lease: Lease): Promise<void> {
    const { book } = this.#seat.loop.state();
    const { patterns } = foldersIn(lease, book.foldsCase);
    const isDone = book.mounts.has(lease.id) || this.#unfit.get(lease.id) === patterns.join("\n");
    if (patterns.length === 0 || isDone) return;
    const sight = lookFrom(this.#seat);
    const gifts = sight.ok ? placesOf(sight.ground, lease, book.foldsCase) : [];
    if (gifts.length === 0) return;
    const data = { lease: lease.id, worker };
    const by = supervisorOf(this.#seat);
    const answer = await this.#seat.loop.submit({ kind: "lease.mount", data }, by);
    // It has ended meanwhile, or was mounted otherwise before, and is looked at again.
    if (!answer.ok) return;
    this.#given.set(lease.id, gifts);
    try {
      for (const gift of gifts) await this.#mounts.give(worker, gift);
    } catch (error) {
      this.#unfit.set(lease.id, patterns.join("\n"));
      this.#warn(`what ${lease.id} holds could not be mounted`, worker, error);
      const mount = this.#seat.loop.state().book.mounts.get(lease.id);
      if (mount !== undefined) await this.#takeOnce(mount);
    }
  }

  /** Begins to take what is mounted for a lease; resolves when that was tried once. */
  #takeOnce(mount: Mount): Promise<void> {
    const { lease, worker } = mount;
    if (this.#taking.has(lease)) return Promise.resolve();
    this.#taking.add(lease);
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    const isRevoked = this.#revoked.delete(lease);
    const take = (): Promise<void> => this.#take(mount, { wasFrozen: isRevoked, tried: resolve });
    // Who was told to stop writing writes no more; who is let run can close what it has open.
    const taken = isRevoked ? this.#sandboxes.freezer.holdWhile(worker, take) : take();
    const over = (): void => {
      this.#taking.delete(lease);
      resolve();
    };
    taken.then(
      () => {
        over();
        void this.#look(worker);
      },
      (error: unknown) => {
        over();
        this.#warn("ground could not be taken yet", worker, error);
        this.#seat.timers.after(failedMs, () => void this.#look(worker));
      },
    );
    return tried;
  }

  async #take(
    mount: Mount,
    so: { readonly wasFrozen: boolean; readonly tried: () => void },
  ): Promise<void> {
    const { lease, worker } = mount;
    const { loop, clock, timers } = this.#seat;
    const beganMs = clock.monotonicMs();
    for (let round = 0; !(await this.#isTaken(mount)); round += 1) {
      so.tried();
      const now = loop.state().workers.get(worker);
      if (now?.status !== "running" || !this.#workers.has(worker)) return;
      const waitedMs = clock.monotonicMs() - beganMs;
      const { revoke_grace_ms: graceMs } = loop.state().contract;
      // A worker in quarantine is left as it is: what it has stays nobody's until it is over.
      if (waitedMs >= graceMs && now.quarantine === null) return this.#end(mount);
      await timers.wait(Math.min(againMsMax, againMsMin * 2 ** Math.min(round, 10)));
    }
    // Who has ended meanwhile is free by the proof of that, which is still to come.
    if (!this.#sandboxes.isRunning(worker)) return;
    const waited_ms = Math.round(clock.monotonicMs() - beganMs);
    const data = { lease, worker, waited_ms, was_frozen: so.wasFrozen };
    await loop.submit({ kind: "lease.fence", data }, supervisorOf(this.#seat));
    this.#given.delete(lease);
  }

  async #isTaken({ lease, worker }: Mount): Promise<boolean> {
    let isTaken = true;
    for (const { folder } of this.#given.get(lease) ?? [])
      isTaken = (await this.#mounts.take(worker, folder)) && isTaken;
    return isTaken;
  }

  /** Ends a worker that does not let go of what it no longer holds. */
  async #end({ lease, worker }: Mount): Promise<void> {
    const detail = `it has files open for writing on ground that it no longer holds (${lease})`;
    const data = { worker, reason: "requested", tree: false, detail, grace_ms: 0 } as const;
    await this.#seat.loop.submit({ kind: "worker.stop", data }, this.#seat.owner);
  }

  #warn(message: string, worker: string, error: unknown): void {
    if (this.#seat.closing.aborted) return;
    this.#seat.log.warn(message, { worker, error: errorText(error) });
  }
}

function workerIn(holder: Lease["holder"]): string | undefined {
  return "worker" in holder ? holder.worker : undefined;
}
