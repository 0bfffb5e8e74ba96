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
import { submodulesOf } from "../../system/git/submodules.ts";
import { placesOf } from "./places.ts";

/** How often a worker's ground that it has open is tried to be taken again, ms. */
const againMsMin = 20;
const againMsMax = 500;

/** When what failed is tried again, ms. */
const failedMs = 2_000;

/** How often it is looked whether what was given is as it was, ms. */
const strayedEveryMs = 1_000;

/** Workers that are looked at in one pass; of more, each is looked at less often. */
const strayedMax = 200;

/** How much of what went wrong is put on record, characters. */
const noteCharsMax = 400;

/** How long an answer waits until what it grants is mounted, ms. */
const mountedMs = 5_000;

/** What is known of a worker whose ground is mounted, by its leases. */
interface Fenced {
  /** The turn that runs for it, and the one that waits for its end. */
  turn?: Promise<void> | undefined;
  waiting?: Promise<void> | undefined;
  /** What is mounted, as it was given. */
  readonly given: Map<string, readonly Gift[]>;
  /** Leases whose ground is being taken. */
  readonly taking: Set<string>;
  /** What could not be mounted, with the patterns that it had then. */
  readonly unfit: Map<string, string>;
  /** Leases that were revoked while they were mounted. */
  readonly revoked: Set<string>;
  /** Leases whose ground was changed from outside; whether more than that can be written to. */
  readonly strayed: Map<string, boolean>;
}

/** Sees to it that workers write to what they hold, as far as mounts can. */
export class Fences {
  readonly #seat: Seat;
  readonly #sandboxes: Sandboxes;
  readonly #mounts: GroundMounts;
  /** Workers whose ground is mounted by leases. */
  readonly #workers = new Map<string, Fenced>();
  #isWatching = false;
  /** Where among the workers the next pass begins. */
  #from = 0;

  constructor(seat: Seat, sandboxes: Sandboxes, mounts: GroundMounts) {
    this.#seat = seat;
    this.#sandboxes = sandboxes;
    this.#mounts = mounts;
  }

  /** Takes a worker in whose sandbox has ground. */
  begin(worker: string): void {
    const fenced: Fenced = {
      given: new Map(),
      taking: new Set(),
      unfit: new Map(),
      revoked: new Set(),
      strayed: new Map(),
    };
    this.#workers.set(worker, fenced);
    void this.#look(worker);
    this.#watch();
  }

  /** Forgets a worker that has ended: what it had is free by its end. */
  forget(worker: string): void {
    this.#workers.delete(worker);
  }

  /** Hears what may give a worker ground, or take it. */
  hear({ kind, data }: Entry): void {
    const worker = this.#workerOf({ kind, data } as Entry);
    if (worker === undefined) return;
    if (kind === "lease.revoked") this.#workers.get(worker)?.revoked.add(data.lease);
    void this.#look(worker);
  }

  /**
   * Waits until what a worker holds now is mounted, as far as it can be: who is told of a grant can
   * write there. Never rejects, and gives up after a while.
   */
  async settled(worker: string): Promise<void> {
    if (!this.#workers.has(worker)) return;
    await settledWithin(this.#look(worker), mountedMs, this.#seat.timers);
  }

  /**
   * Looks now and then whether somebody outside of all sandboxes has moved or removed what is
   * mounted, or what is left out of it: that is taken, and given anew as it should be.
   */
  #watch(): void {
    const { timers, closing } = this.#seat;
    if (this.#isWatching || closing.aborted || this.#workers.size === 0) return;
    this.#isWatching = true;
    timers.after(strayedEveryMs, () => {
      this.#isWatching = false;
      const all = [...this.#workers];
      const from = this.#from % Math.max(1, all.length);
      this.#from = from + strayedMax;
      const next = [...all.slice(from), ...all.slice(0, from)].slice(0, strayedMax);
      for (const [worker, fenced] of next) this.#lookForStrays(worker, fenced);
      this.#watch();
    });
  }

  #lookForStrays(worker: string, { given, taking, strayed }: Fenced): void {
    if (given.size === 0 || !this.#isHeld(worker)) return;
    for (const { folder, isOpen } of this.#mounts.strayed(worker)) {
      const [lease] = [...given].find(([, all]) => all.some((one) => one.folder === folder)) ?? [];
      if (lease === undefined || taking.has(lease)) continue;
      strayed.set(lease, isOpen);
      const facts = { worker, lease, folder, could_write_elsewhere: isOpen };
      this.#seat.log.warn("what a worker was given was moved or removed from outside", facts);
      void this.#look(worker);
    }
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
  async #look(worker: string): Promise<void> {
    const fenced = this.#workers.get(worker);
    if (fenced === undefined) return;
    if (fenced.waiting !== undefined) return fenced.waiting;
    if (fenced.turn === undefined) return this.#begin(worker, fenced);
    fenced.waiting = fenced.turn.then(() => {
      fenced.waiting = undefined;
      return this.#begin(worker, fenced);
    });
    return fenced.waiting;
  }

  #begin(worker: string, fenced: Fenced): Promise<void> {
    fenced.turn = this.#align(worker, fenced)
      .catch((error: unknown) => this.#warn("ground could not be mounted", worker, error))
      .finally(() => {
        fenced.turn = undefined;
      });
    return fenced.turn;
  }

  async #align(worker: string, fenced: Fenced): Promise<void> {
    const { book } = this.#seat.loop.state();
    if (!this.#isHeld(worker)) return;
    const mounts = [...book.mounts.values()].filter((mount) => mount.worker === worker);
    const isOver = (mount: Mount): boolean =>
      !this.#isSpokenFor(mount) || fenced.strayed.has(mount.lease);
    const over = mounts.filter((mount) => isOver(mount));
    await Promise.all(over.map((mount) => this.#takeOnce(mount, fenced)));
    // What its own lapsed mount covers is mounted anew when that is gone: this is looked at again.
    if (over.some(({ lease }) => fenced.taking.has(lease))) return;
    for (const lease of leasesOf(book, { worker })) await this.#mount(lease, { worker, fenced });
  }

  /** Whether a worker runs, by the journal and by its sandbox. */
  #isHeld(worker: string): boolean {
    const known = this.#seat.loop.state().workers.get(worker);
    const isHere = this.#workers.has(worker) && this.#sandboxes.isRunning(worker);
    return isHere && known?.status === "running";
  }

  #isSpokenFor({ lease: id, worker, region }: Mount): boolean {
    const { book } = this.#seat.loop.state();
    const lease = book.leases.get(id);
    if (lease === undefined || workerIn(lease.holder) !== worker) return false;
    return foldersIn(lease, book.foldsCase).patterns.join("\n") === region.join("\n");
  }

  async #mount(
    lease: Lease,
    { worker, fenced }: { readonly worker: string; readonly fenced: Fenced },
  ): Promise<void> {
    const { book } = this.#seat.loop.state();
    const { patterns } = foldersIn(lease, book.foldsCase);
    const isDone = book.mounts.has(lease.id) || fenced.unfit.get(lease.id) === patterns.join("\n");
    if (patterns.length === 0 || isDone) return;
    const gifts = await this.#giftsFor(lease, { worker, fenced });
    if (gifts.length === 0) return;
    const data = { lease: lease.id, worker };
    const by = supervisorOf(this.#seat);
    const answer = await this.#seat.loop.submit({ kind: "lease.mount", data }, by);
    // It has ended meanwhile, or was mounted otherwise before, and is looked at again.
    if (!answer.ok) return;
    fenced.given.set(lease.id, gifts);
    try {
      for (const gift of gifts) await this.#mounts.give(worker, gift);
    } catch (error) {
      await this.#refuse(lease, { worker, fenced, error });
      const mount = this.#seat.loop.state().book.mounts.get(lease.id);
      if (mount !== undefined) await this.#takeOnce(mount, fenced);
    }
  }

  async #giftsFor(
    lease: Lease,
    { worker, fenced }: { readonly worker: string; readonly fenced: Fenced },
  ): Promise<readonly Gift[]> {
    const sight = lookFrom(this.#seat);
    if (!sight.ok) return [];
    const { ground } = sight;
    const { foldsCase } = this.#seat.loop.state().book;
    try {
      const all = await Promise.all(ground.topsOf(null).map((top) => submodulesOf(top)));
      const [kept, left] = [all.flatMap((one) => one.kept), all.flatMap((one) => one.left)];
      return placesOf({ ground, foldsCase, submodules: { kept, left } }, lease);
    } catch (error) {
      await this.#refuse(lease, { worker, fenced, error });
      return [];
    }
  }

  /** Puts on record that what a lease holds cannot be mounted, and tries no more. */
  async #refuse(
    lease: Lease,
    so: { readonly worker: string; readonly fenced: Fenced; readonly error: unknown },
  ): Promise<void> {
    const { worker, fenced, error } = so;
    const { patterns } = foldersIn(lease, this.#seat.loop.state().book.foldsCase);
    fenced.unfit.set(lease.id, patterns.join("\n"));
    this.#warn(`what ${lease.id} holds could not be mounted`, worker, error);
    const text = `${lease.id} gives nothing to write to: ${errorText(error)}`;
    const data = { worker, text: text.slice(0, noteCharsMax) };
    await this.#seat.loop.submit({ kind: "worker.note", data }, supervisorOf(this.#seat));
  }

  /** Begins to take what is mounted for a lease; resolves when that was tried once. */
  #takeOnce(mount: Mount, fenced: Fenced): Promise<void> {
    const { lease, worker } = mount;
    if (fenced.taking.has(lease)) return Promise.resolve();
    fenced.taking.add(lease);
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    const take = async (isFrozen: Promise<boolean>): Promise<void> =>
      this.#take(mount, { fenced, wasFrozen: await isFrozen, tried: resolve });
    // Who was told to stop writing writes no more; who is let run can close what it has open.
    const isHeld = fenced.revoked.delete(lease) || fenced.strayed.get(lease) === true;
    const taken = isHeld
      ? this.#sandboxes.freezer.holdWhile(worker, take)
      : take(Promise.resolve(false));
    const over = (): void => {
      fenced.taking.delete(lease);
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
    so: {
      readonly fenced: Fenced;
      readonly wasFrozen: boolean;
      readonly tried: () => void;
    },
  ): Promise<void> {
    const { lease, worker } = mount;
    const { loop, clock, timers } = this.#seat;
    const beganMs = clock.monotonicMs();
    for (let round = 0; !(await this.#isTaken(mount, so.fenced)); round += 1) {
      so.tried();
      if (!this.#isHeld(worker)) return;
      // Whoever lifts a quarantine meanwhile may have let it run.
      if (so.wasFrozen) await this.#sandboxes.freezer.align(worker);
      const waitedMs = clock.monotonicMs() - beganMs;
      const { contract, workers } = loop.state();
      // A worker in quarantine is left as it is: what it has stays nobody's until it is over.
      const isKept = workers.get(worker)?.quarantine !== null;
      if (waitedMs >= contract.revoke_grace_ms && !isKept) return this.#end(mount);
      await timers.wait(Math.min(againMsMax, againMsMin * 2 ** Math.min(round, 10)));
    }
    // Who has ended meanwhile is free by the proof of that, which is still to come.
    if (!this.#sandboxes.isRunning(worker)) return;
    const waited_ms = Math.round(clock.monotonicMs() - beganMs);
    const data = { lease, worker, waited_ms, was_frozen: so.wasFrozen };
    await loop.submit({ kind: "lease.fence", data }, supervisorOf(this.#seat));
    so.fenced.given.delete(lease);
    so.fenced.strayed.delete(lease);
  }

  async #isTaken({ lease, worker }: Mount, { given }: Fenced): Promise<boolean> {
    let isTaken = true;
    for (const { folder } of given.get(lease) ?? [])
      isTaken = (await this.#mounts.take(worker, folder)) && isTaken;
    return isTaken;
  }

  /** Ends a worker that does not let go of what it no longer holds. */
  async #end({ lease, worker }: Mount): Promise<void> {
    const detail = `it has files open for writing on ground that it does not hold (${lease})`;
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
