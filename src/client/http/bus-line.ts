import type {
  Beat,
  BeatsAnswer,
  BusDelivery,
  BusLine,
  Hearing,
  RollDocument,
} from "../../ports/bus.ts";
import { Fault, FAULT_CODES } from "../../ports/fault.ts";
import { InputError } from "../../protocol/input.ts";
import { StintClient } from "./client.ts";
import type { ClientOptions } from "./line.ts";
import { ClientProblem } from "./problem.ts";

const FAULT_STATUS_MIN = 500;
const TOO_MANY = 429;

/**
 * Roll, beats and what is told to an instance, over a server's HTTP API: for a program on another
 * host, or one that has a token and no fleet. What a token may hear is what the server lets it.
 *
 * Throws `Fault`s where nobody answers, and InputErrors for what the server does not take.
 */
export class RemoteBus implements Omit<BusLine, "publish"> {
  readonly #client: StintClient;
  readonly #url: string;

  constructor(options: ClientOptions) {
    this.#client = new StintClient(options);
    this.#url = options.url;
  }

  roll(): Promise<RollDocument> {
    return this.#ask(() => this.#client.roll());
  }

  beats(list: readonly unknown[]): Promise<BeatsAnswer> {
    // One that is none comes back as refused.
    return this.#ask(() => this.#client.beats(list as readonly Beat[]));
  }

  async follow(
    patterns: readonly string[] | Hearing,
    onDelivery: (delivery: BusDelivery) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const asked = "patterns" in patterns ? patterns.patterns : patterns;
    const subjects = new Set(asked);
    await this.#ask(async () => {
      for await (const event of this.#client.events({ journal: false, signal })) {
        if (event.kind === "lost") onDelivery({ kind: "lost", count: event.count });
        if (event.kind === "open" || event.kind === "down") onDelivery({ kind: event.kind });
        const { envelope } = "envelope" in event ? event : {};
        if (envelope !== undefined && subjects.has(envelope.subject))
          onDelivery({ kind: "message", envelope });
      }
    });
  }

  /** Every call has a connection of its own: there is nothing to release. */
  async close(): Promise<void> {}

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw error instanceof ClientProblem ? this.#problem(error) : this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): Fault {
    const why = error instanceof Error ? (error.cause ?? error) : error;
    const said = why instanceof Error ? why.message : String(why);
    const message = `a server must answer at ${this.#url}, none does: ${said}`;
    return new Fault("supervisor_unreachable", message, { retryable: true, cause: error });
  }

  #problem({ problem }: ClientProblem): Fault | InputError {
    const { code, status, detail, retryable } = problem;
    if (status >= FAULT_STATUS_MIN || status === TOO_MANY) {
      const known = FAULT_CODES.find((one) => one === code);
      return new Fault(known ?? "supervisor_unreachable", detail, { retryable });
    }
    const path = status === 401 || status === 403 ? "the token" : "the request";
    const expected = `one that ${this.#url} takes`;
    return new InputError("usage", [{ path, expected, got: detail }]);
  }
}
