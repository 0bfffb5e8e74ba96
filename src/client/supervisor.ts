import { readFile } from "node:fs/promises";
import { isUrgent, type Command } from "../kernel/command.ts";
import type { JsonObject } from "../kernel/json.ts";
import type {
  CommandAnswer,
  CommandOrder,
  StartAnswer,
  StartOrder,
  Supervision,
  SupervisorStatus,
} from "../ports/supervision.ts";
import { operatorSocketOf, statePlaces } from "../system/places.ts";
import { BusConnection } from "./bus.ts";
import { commandPath } from "./command-path.ts";
import { noAnswer, readData, readDecision, readStart } from "./answer.ts";
import { isListening, SocketLine } from "./socket-line.ts";

/** How long a command may take, ms. The same id may be given again elsewhere after that. */
const commandMs = 5_000;

/** How long a command may take that nothing is to hold up, ms. */
const urgentMs = 500;

/** How long it may take until a worker's process runs, ms. */
const startMs = 60_000;

/** How long a supervisor may take to say how it is, ms. */
const statusMs = 2_000;

/** How long a supervisor may take to begin to leave, ms: it ends its workers first. */
const leaveMs = 120_000;

/** Which supervisor is meant. */
export interface ConnectOptions {
  /** The state folder of the fleet. */
  readonly stateDir: string;
}

/**
 * Connects to the supervisor of a fleet on this host as its operator; undefined when none runs, or
 * when this user may not speak to it. That one runs does not mean yet that it answers.
 */
export async function connectSupervisor({
  stateDir,
}: ConnectOptions): Promise<Supervision | undefined> {
  const token = await readToken(stateDir);
  if (token === undefined) return undefined;
  const socket = operatorSocketOf(stateDir);
  if (!(await isListening(socket))) return undefined;
  return new SupervisorConnection(new SocketLine({ socket, token }));
}

/** The operator's token; undefined where there is none, or none for this user to read. */
async function readToken(stateDir: string): Promise<string | undefined> {
  try {
    const text = (await readFile(statePlaces(stateDir).operatorToken, "utf8")).trim();
    return text === "" ? undefined : text;
  } catch {
    // No supervisor ever ran here, the folder is gone, or it is another user's.
    return undefined;
  }
}

class SupervisorConnection extends BusConnection implements Supervision {
  readonly #line: SocketLine;

  constructor(line: SocketLine) {
    super(line);
    this.#line = line;
  }

  async submit(
    { sights, token, turn_ms = 0, ...order }: CommandOrder,
    signal?: AbortSignal,
  ): Promise<CommandAnswer> {
    const urgent = isUrgent(order.command.kind);
    const reply = await this.#line.ask({
      method: "POST",
      path: commandPath({ turn_ms, ...(sights === undefined ? {} : { sights }) }),
      body: wire({ ...order, command: withToken(order.command, token) }),
      deadlineMs: urgent ? urgentMs : commandMs + turn_ms,
      // Whoever waits keeps no connection from others.
      isUrgent: urgent || turn_ms > 0,
      ...(signal === undefined ? {} : { signal }),
    });
    return readDecision(reply);
  }

  async start(order: StartOrder, signal?: AbortSignal): Promise<StartAnswer> {
    const so = { method: "POST", path: "/v1/workers", deadlineMs: startMs } as const;
    const given = signal === undefined ? {} : { signal };
    return readStart(await this.#line.ask({ ...so, ...given, body: wire(order) }));
  }

  async status(): Promise<SupervisorStatus> {
    const so = { method: "GET", path: "/v1/status", deadlineMs: statusMs } as const;
    // The supervisor is this very program: its description of itself has the fields of one.
    return readData(await this.#line.ask({ ...so, isUrgent: true })) as unknown as SupervisorStatus;
  }

  async leave({ stopGraceMs }: { readonly stopGraceMs?: number }): Promise<readonly string[]> {
    const body = stopGraceMs === undefined ? {} : { stop_grace_ms: stopGraceMs };
    const so = { method: "POST", path: "/v1/leave", deadlineMs: leaveMs } as const;
    const reply = await this.#line.ask({ ...so, body });
    const { workers } = readData(reply);
    if (Array.isArray(workers)) return workers as readonly string[];
    throw noAnswer(reply.status, reply.body);
  }

  async close(): Promise<void> {
    this.#line.close();
  }
}

/** A command as its supervisor takes it: with the token that is shown, and never with a hash. */
function withToken({ kind, data }: Command, token: string | undefined): object {
  if (!("claim" in data) || data.claim === undefined || "worker" in data.claim)
    return { kind, data };
  const { token_hash: _, ...claim } = data.claim;
  const shown = token === undefined ? claim : { ...claim, token };
  return { kind, data: { ...data, claim: shown } };
}

/** An order as a document: its type says that it is one. */
function wire(order: object): JsonObject {
  return order as JsonObject;
}
