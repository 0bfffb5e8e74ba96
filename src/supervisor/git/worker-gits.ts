import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../../library/error-text.ts";
import { supervisorOf, type Seat } from "../../library/seat.ts";
import { settledWithin } from "../../library/waiting.ts";
import type { Instead } from "../../ports/sandbox.ts";
import { fetchBrought } from "../../system/git/fetch.ts";
import { makePrivateDir, ORIGINAL } from "../../system/git/private-dir.ts";
import { removeTree } from "../../system/git/remove-tree.ts";
import { lookFrom } from "../reach.ts";

/** What lies in the folder beside the workers' own directories, by the end of its name. */
const BETWEEN = ".between";
const REFUSED = ".refused";

/** How many workers' commits are fetched at the same time. */
const LANES = 2;

/** How long who leaves waits for what is being fetched, and then for that to end, ms. */
const settledMs = 10_000;
const abortedMs = 1_000;

/** How much of what has come is put on record, characters. */
const noteCharsMax = 400;

/**
 * Gives each worker whose leases are enforced a git directory of its own in the place of the
 * repository's, and fetches what it committed when it has ended: its branches are
 * `refs/stint/WORKER/BRANCH` then, and what it tagged, stashed or has at a detached HEAD likewise.
 * Never is git run in what a worker writes to.
 */
export class WorkerGits {
  readonly #seat: Seat;
  readonly #folder: string;
  /** What fetches one after the other, to its end. */
  readonly #lanes: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve());
  /** Whose turn is to come, or runs. */
  readonly #waiting = new Set<string>();
  readonly #leaving = new AbortController();
  #queued = 0;

  /** `folder` is the supervisor's own, and hidden from workers. */
  constructor(seat: Seat, folder: string) {
    this.#seat = seat;
    this.#folder = folder;
  }

  /** Makes a worker's own directory; what its sandbox is to have for it, or nothing. */
  async prepare(worker: string): Promise<readonly Instead[]> {
    const at = this.#gitDir();
    if (at === undefined) return [];
    const from = join(this.#folder, worker);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      if (!(await makePrivateDir({ gitDir: at, dir: from, at }))) return [];
      const objects = join(at, "objects");
      return [
        { from, at, isReadOnly: false },
        { from: objects, at: join(at, ORIGINAL), isReadOnly: true },
      ];
    } catch (error) {
      // Then it has the repository's own, which it cannot write to.
      this.#warn("a worker has no git directory of its own", worker, error);
      await this.#remove(worker, from);
      return [];
    }
  }

  /** Fetches what a worker has committed that has ended, once, and removes its directory. */
  collect(worker: string): void {
    this.#queue(worker, () => this.#collect(worker));
  }

  /** Collects what a dead supervisor has left; `isLive` says who may still run. */
  collectLeft(isLive: (worker: string) => boolean): void {
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(BETWEEN)) this.#dropBetween(name.slice(0, -BETWEEN.length));
      else if (!name.endsWith(REFUSED) && !isLive(name)) this.collect(name);
    }
  }

  /**
   * Resolves when all is fetched that has begun to be, or within some seconds: what is not done by
   * then is ended, and left to the next supervisor as it is. Nothing is fetched after that.
   */
  async settled(): Promise<void> {
    const { timers } = this.#seat;
    await settledWithin(Promise.all(this.#lanes), settledMs, timers);
    this.#leaving.abort(new Error("the supervisor leaves"));
    await settledWithin(Promise.all(this.#lanes), abortedMs, timers);
  }

  /** Does something for a worker when one of the lanes is free; told again meanwhile, once. */
  #queue(worker: string, act: () => Promise<void>): void {
    if (this.#waiting.has(worker)) return;
    this.#waiting.add(worker);
    const lane = this.#queued % LANES;
    this.#queued += 1;
    const before = this.#lanes[lane] ?? Promise.resolve();
    this.#lanes[lane] = before.then(async () => {
      const { signal } = this.#leaving;
      try {
        signal.throwIfAborted();
        await act();
      } catch (error) {
        if (!signal.aborted) this.#warn("commits could not be fetched", worker, error);
        else this.#seat.log.info("a worker's commits are left to the next supervisor", { worker });
      } finally {
        this.#waiting.delete(worker);
      }
    });
  }

  async #collect(worker: string): Promise<void> {
    const from = join(this.#folder, worker);
    if (!existsSync(from)) return;
    const gitDir = this.#gitDir();
    if (gitDir === undefined) return;
    const namespace = `refs/stint/${worker}`;
    const between = `${from}${BETWEEN}`;
    const { signal } = this.#leaving;
    const fetched = await fetchBrought({ from, gitDir, namespace, between, signal });
    const { log } = this.#seat;
    if (fetched.ok) {
      const { names } = fetched;
      if (names.length > 0) {
        log.info("a worker's commits were fetched", { worker, names, namespace });
        await this.#note(worker, `its commits were fetched to ${namespace}: ${names.join(", ")}`);
      }
      // Under a name that says so: what is left of it when this supervisor ends is not fetched.
      await rename(from, between);
      await this.#remove(worker, between);
      return;
    }
    const kept = `${from}${REFUSED}`;
    await rename(from, kept);
    log.warn("a worker's commits were refused and are kept", { worker, why: fetched.why, kept });
    await this.#note(worker, `its commits were refused and are kept in ${kept}: ${fetched.why}`);
  }

  /** On record, for whoever asks what has become of a worker's commits. */
  async #note(worker: string, text: string): Promise<void> {
    const { loop } = this.#seat;
    const data = { worker, text: text.slice(0, noteCharsMax) };
    const noted = loop.submit({ kind: "worker.note", data }, supervisorOf(this.#seat));
    await noted.catch((error: unknown) => this.#warn("a note is lost", worker, error));
  }

  /** Removes a directory in between, unless its worker's fetch begins with that. */
  #dropBetween(worker: string): void {
    const from = join(this.#folder, worker);
    if (existsSync(from)) return;
    this.#queue(worker, () => this.#remove(worker, `${from}${BETWEEN}`));
  }

  async #remove(worker: string, folder: string): Promise<void> {
    const { signal } = this.#leaving;
    await removeTree(folder, signal).catch((error: unknown) => {
      if (!signal.aborted) this.#warn("a folder stays", worker, error);
    });
  }

  /** The repository's own directory: that of the main working tree, where it has one. */
  #gitDir(): string | undefined {
    const sight = lookFrom(this.#seat);
    const [top] = sight.ok ? sight.ground.topsOf("main") : [];
    const path = top === undefined ? undefined : join(top, ".git");
    const stat = path === undefined ? undefined : lstatSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() === true ? path : undefined;
  }

  #warn(message: string, worker: string, error: unknown): void {
    this.#seat.log.warn(message, { worker, error: errorText(error) });
  }
}
