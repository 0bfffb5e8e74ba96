import { rmdirSync, rmSync } from "node:fs";
import { asStorageFault } from "../system/storage-fault.ts";
import {
  ensureWorkerFolder,
  type RuntimePlaces,
  type WorkerPlaces,
  workerPlaces,
} from "../system/places.ts";
import { errorText } from "../library/error-text.ts";
import type { Seat } from "../library/seat.ts";
import type { Door } from "./api/door.ts";
import { makeToken, writeTokenFile } from "./token.ts";

/** How long after its end a worker's door is closed, ms. */
const soonMs = 1_000;

/** The door of one worker: its folder, which is shown to it, and the token that opens it. */
export interface WorkerDoor {
  /** The folder of socket and token: nothing else lies in it. */
  readonly folder: string;
  /** What `STINT_WORKER_TOKEN_FILE` names. */
  readonly tokenFile: string;
}

/** Opens a listening socket for a worker, which takes the token. */
export type OpenSocket = (so: {
  readonly worker: string;
  readonly socket: string;
  readonly token: string;
}) => Promise<Door>;

/** The sockets of workers: opened before a worker starts, taken away when it has ended. */
export class WorkerDoors {
  readonly #runtime: RuntimePlaces;
  readonly #openSocket: OpenSocket;
  readonly #open = new Map<string, Door>();
  readonly #seat: Pick<Seat, "timers" | "log">;
  /** Doors of the ended, still to be closed. */
  readonly #due = new Set<string>();
  #cancel: (() => void) | undefined;

  constructor(runtime: RuntimePlaces, seat: Pick<Seat, "timers" | "log">, openSocket: OpenSocket) {
    this.#runtime = runtime;
    this.#seat = seat;
    this.#openSocket = openSocket;
  }

  /** Makes the folder, token and socket of a worker. Throws `Fault` `storage_*`. */
  async open(worker: string): Promise<WorkerDoor> {
    const { dir, socket, token: tokenFile } = workerPlaces(this.#runtime, worker);
    const token = makeToken();
    try {
      rmSync(dir, { recursive: true, force: true });
      ensureWorkerFolder({ dir, socket, token: tokenFile });
      writeTokenFile(tokenFile, token);
      this.#open.set(worker, await this.#openSocket({ worker, socket, token }));
      return { folder: dir, tokenFile };
    } catch (error) {
      await this.close(worker);
      throw asStorageFault(error, `opening the socket of ${worker}`);
    }
  }

  /**
   * Closes a worker's socket a moment later: whoever ends hundreds has no time for it now, and
   * there is nobody left on the other side.
   */
  closeSoon(worker: string): void {
    this.#due.add(worker);
    this.#cancel ??= this.#seat.timers.after(soonMs, () => void this.#closeDue());
  }

  async #closeDue(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const worker of this.#due) {
      this.#due.delete(worker);
      await this.close(worker).catch((error: unknown) => {
        this.#seat.log.warn("a socket stays", { worker, error: errorText(error) });
      });
    }
  }

  /** Closes a worker's socket and removes its folder; safe to call twice. */
  async close(worker: string): Promise<void> {
    const door = this.#open.get(worker);
    this.#open.delete(worker);
    await door?.close();
    removePlaces(workerPlaces(this.#runtime, worker));
  }

  /** Closes all of them. */
  async closeAll(): Promise<void> {
    await this.#closeDue();
    await Promise.all([...this.#open.keys()].map((worker) => this.close(worker)));
  }
}

/** Removes what lies in a door's folder, as a rule by its names: to look for them takes longer. */
function removePlaces({ dir, socket, token }: WorkerPlaces): void {
  try {
    for (const file of [socket, token]) rmSync(file, { force: true });
    rmdirSync(dir);
  } catch {
    // ENOENT: it is gone. ENOTEMPTY: something else was put there.
    rmSync(dir, { recursive: true, force: true });
  }
}
