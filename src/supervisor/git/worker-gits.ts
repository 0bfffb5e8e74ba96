import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { errorText } from "../../library/error-text.ts";
import type { Seat } from "../../library/seat.ts";
import type { Instead } from "../../ports/sandbox.ts";
import { fetchBranches } from "../../system/git/fetch.ts";
import { makePrivateDir, ORIGINAL } from "../../system/git/private-dir.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { lookFrom } from "../reach.ts";

/** What lies in the folder beside the workers' own directories, by the end of its name. */
const BETWEEN = ".between";
const REFUSED = ".refused";

/** How many workers' commits are fetched at the same time. */
const LANES = 2;

/**
 * Gives each worker whose leases are enforced a git directory of its own in the place of the
 * repository's, and fetches what it committed when it has ended: its branches are
 * `refs/stint/WORKER/BRANCH` then. Never is git run in what a worker writes to.
 */
export class WorkerGits {
  readonly #seat: Seat;
  readonly #folder: string;
  /** What fetches one after the other, to its end. */
  readonly #lanes: Promise<void>[] = Array.from({ length: LANES }, () => Promise.resolve());
  #collected = 0;

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

  /** Fetches what a worker has committed that has ended, and removes its directory. */
  collect(worker: string): void {
    const lane = this.#collected % LANES;
    this.#collected += 1;
    const before = this.#lanes[lane] ?? Promise.resolve();
    this.#lanes[lane] = before
      .then(() => this.#collect(worker))
      .catch((error: unknown) => this.#warn("commits could not be fetched", worker, error));
  }

  /** Collects what a dead supervisor has left; `isLive` says who may still run. */
  collectLeft(isLive: (worker: string) => boolean): void {
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(BETWEEN)) this.#dropBetween(name.slice(0, -BETWEEN.length));
      else if (!name.endsWith(REFUSED) && !isLive(name)) this.collect(name);
    }
  }

  /** Resolves when all is fetched that has begun to be. */
  async settled(): Promise<void> {
    await Promise.all(this.#lanes);
  }

  async #collect(worker: string): Promise<void> {
    const from = join(this.#folder, worker);
    if (!existsSync(from)) return;
    const gitDir = this.#gitDir();
    if (gitDir === undefined) return;
    const namespace = `refs/stint/${worker}`;
    const between = `${from}${BETWEEN}`;
    const fetched = await fetchBranches({ from, gitDir, namespace, between });
    const { log } = this.#seat;
    if (fetched.ok) {
      const { branches } = fetched;
      if (branches.length > 0)
        log.info("a worker's commits were fetched", { worker, branches, namespace });
      await this.#remove(worker, from);
      return;
    }
    const kept = `${from}${REFUSED}`;
    await rename(from, kept);
    log.warn("a worker's commits were refused and are kept", { worker, why: fetched.why, kept });
  }

  /** Removes a directory in between, unless its worker's fetch begins with that. */
  #dropBetween(worker: string): void {
    const from = join(this.#folder, worker);
    if (!existsSync(from)) void this.#remove(worker, `${from}${BETWEEN}`);
  }

  async #remove(worker: string, folder: string): Promise<void> {
    await removeTree(folder).catch((error: unknown) => this.#warn("a folder stays", worker, error));
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
