import type { SupervisorDoor } from "../library/relay/supervisor-door.ts";
import { errorText } from "../library/error-text.ts";
import { Fault } from "../ports/fault.ts";
import type { Log } from "../ports/log.ts";
import type { Supervision, SupervisorStatus } from "../ports/supervision.ts";

/** How often it is looked whether a supervisor serves; one that is asked does not idle away, ms. */
const keepEveryMs = 20_000;

/** What a link works with. */
export interface BusLinkOptions {
  /** The ways to the supervisor; undefined for a store that can have none. */
  readonly door: SupervisorDoor | undefined;
  /** Whether the fleet still is to have one; a killed one is not. */
  readonly isWanted: () => boolean;
  readonly log: Log;
}

/** The server's own line to the supervisor, which it starts where none runs, and keeps. */
export class BusLink {
  readonly #so: BusLinkOptions;
  #line: Promise<Supervision> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: BusLinkOptions) {
    this.#so = options;
  }

  /** Sees to it from now on that a supervisor runs; resolves after the first look. */
  async keep(): Promise<void> {
    await this.#look();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.keep(), keepEveryMs).unref();
  }

  /**
   * The supervisor's line. Throws `Fault` `supervisor_unreachable` where none runs and none could
   * be started.
   */
  async line(): Promise<Supervision> {
    const { door, isWanted } = this.#so;
    if (door === undefined || this.#isClosed) throw nobody("this server has no way to any");
    this.#line ??= (async () => {
      const running = await door.connect();
      if (running !== undefined) return running;
      if (!isWanted()) throw nobody("the fleet was killed");
      return door.start();
    })();
    const line = this.#line;
    try {
      return await line;
    } catch (error) {
      this.#forget(line);
      throw error;
    }
  }

  /** Asks the supervisor something; what cannot reach it lets the line go, for the next one. */
  async ask<T>(question: (line: Supervision) => Promise<T>): Promise<T> {
    const line = await this.line();
    try {
      return await question(line);
    } catch (error) {
      const isLost = error instanceof Fault && error.code === "supervisor_unreachable";
      if (isLost) {
        this.#line = undefined;
        await line.close();
      }
      throw error;
    }
  }

  /** How the supervisor is; null where none answers. Never rejects. */
  async status(): Promise<SupervisorStatus | null> {
    try {
      return await this.ask((line) => line.status());
    } catch {
      // That none answers is the answer.
      return null;
    }
  }

  /** Lets go of the supervisor, which stays; safe to call twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const line = this.#line;
    this.#line = undefined;
    await line?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  async #look(): Promise<void> {
    if (!this.#so.isWanted() || this.#so.door === undefined) return;
    try {
      await this.ask((line) => line.status());
    } catch (error) {
      this.#so.log.warn("no supervisor answers", { error: errorText(error) });
    }
  }

  #forget(line: Promise<Supervision>): void {
    if (this.#line === line) this.#line = undefined;
  }
}

function nobody(why: string): Fault {
  return new Fault("supervisor_unreachable", `a supervisor must answer, none does: ${why}`);
}
