import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { JsonObject } from "../kernel/json.ts";
import type { Manifest } from "../kernel/worker/manifest.ts";
import { codeOf } from "../ports/error-code.ts";
import { Fault } from "../ports/fault.ts";
import type { CommandAnswer, StartAnswer } from "../ports/supervision.ts";
import type {
  ChildOrder,
  LeaseList,
  LeaseLook,
  PathsAsked,
  PathsJudged,
  WorkerDoor,
  WorkerSelf,
  WorkerSighting,
  WorkerSignal,
} from "../ports/worker-door.ts";
import { isPlainObject } from "../protocol/input.ts";
import { besideToken } from "../system/places.ts";
import { commandPath } from "./command-path.ts";
import { noAnswer, readAnswer, readData, readDecision, readStart } from "./answer.ts";
import { followSignals } from "./signals.ts";
import { SocketLine, type Ask, type Reply } from "./socket-line.ts";

/** The environment variable that names a worker's token file; its socket lies beside it. */
export const TOKEN_VARIABLE = "STINT_WORKER_TOKEN_FILE";

/** How long the supervisor may take to answer, ms. */
const answerMs = 10_000;

/** How long it may take until a child's process runs, ms. */
const startMs = 60_000;

/** How long one wait for an end goes on before it is asked again, ms. */
const waitMs = 60_000;

/** How long a worker that asks too often is held up at most, ms. */
const heldUpMsMax = 5_000;

/** How long what breaks off is asked again, ms. */
const brokenMs = 2_000;

/** The pause before something that broke off is asked again, ms. */
const againMs = 250;

/**
 * The supervisor as a worker reaches it, by the token file that it was given. Nothing is asked yet:
 * whether the token is good shows with the first call.
 *
 * Throws `Fault` `supervisor_unreachable` when the token cannot be read.
 */
export async function connectAsWorker(tokenFile: string): Promise<WorkerDoor> {
  const token = await readToken(tokenFile);
  return new WorkerConnection(new SocketLine({ socket: besideToken(tokenFile).socket, token }));
}

async function readToken(tokenFile: string): Promise<string> {
  try {
    return (await readFile(tokenFile, "utf8")).trim();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    // The variable is set all the same: who runs there is never taken for an operator.
    const unseen = codeOf(cause) === "ENOENT" ? NO_WAY : "";
    const message = `the token file that ${TOKEN_VARIABLE} names must be readable, got: ${why}`;
    throw new Fault("supervisor_unreachable", `${message}${unseen}`, { cause });
  }
}

const NO_WAY =
  "; a worker whose network is none is shown no way to its supervisor: it acquires no lease, has " +
  "no children and gives no sign of life";

function folderNow(): { readonly cwd?: string } {
  try {
    return { cwd: process.cwd() };
  } catch {
    // It was removed: nobody stands in it.
    return {};
  }
}

class WorkerConnection implements WorkerDoor {
  readonly #line: SocketLine;
  readonly #closing = new AbortController();

  constructor(line: SocketLine) {
    this.#line = line;
  }

  async self(): Promise<WorkerSelf> {
    const reply = await this.#ask({ method: "GET", path: "/v1/worker", deadlineMs: answerMs });
    const self = readData(reply);
    const isWhole =
      isPlainObject(self["manifest"]) &&
      isPlainObject(self["state"]) &&
      isPlainObject(self["view"]) &&
      typeof self["beat_every_ms"] === "number";
    if (!isWhole) throw noAnswer(reply.status, reply.body);
    return self as unknown as WorkerSelf;
  }

  async beat(progress?: number): Promise<void> {
    const body = progress === undefined ? {} : { progress };
    const so = { method: "POST", path: "/v1/worker/beat", deadlineMs: answerMs } as const;
    readAnswer(await this.#ask({ ...so, body }));
  }

  async submit({
    turn_ms = 0,
    ...order
  }: Parameters<WorkerDoor["submit"]>[0]): Promise<CommandAnswer> {
    const so = {
      method: "POST",
      path: commandPath({ turn_ms }),
      deadlineMs: answerMs + turn_ms,
      // Whoever waits keeps no connection from others.
      isUrgent: turn_ms > 0,
    } as const;
    // A request that names no worktree is meant where this process stands.
    const from = order.command.kind === "lease.acquire" ? folderNow() : {};
    const body = { ...order, ...from } as unknown as JsonObject;
    return readDecision(await this.#ask({ ...so, body }));
  }

  async leases(worker: string): Promise<LeaseList> {
    const path = `/v1/workers/${encodeURIComponent(worker)}/leases`;
    const reply = await this.#ask({ method: "GET", path, deadlineMs: answerMs });
    const answer = readAnswer(reply);
    if (!answer.ok) return answer;
    const { leases } = readData(reply);
    if (!Array.isArray(leases)) throw noAnswer(reply.status, reply.body);
    return { ok: true, leases: leases as readonly JsonObject[] };
  }

  async lease(id: string): Promise<LeaseLook> {
    const path = `/v1/leases/${encodeURIComponent(id)}`;
    const reply = await this.#ask({ method: "GET", path, deadlineMs: answerMs });
    const answer = readAnswer(reply);
    if (!answer.ok) return answer;
    const { lease } = readData(reply);
    if (!isPlainObject(lease)) throw noAnswer(reply.status, reply.body);
    return { ok: true, lease: lease as JsonObject };
  }

  async check(worker: string, asked: PathsAsked): Promise<PathsJudged> {
    const path = `/v1/workers/${encodeURIComponent(worker)}/paths`;
    const so = { method: "POST", path, deadlineMs: answerMs } as const;
    const reply = await this.#ask({ ...so, body: { ...asked } });
    const answer = readAnswer(reply);
    if (!answer.ok) return answer;
    const { paths } = readData(reply);
    if (!Array.isArray(paths)) throw noAnswer(reply.status, reply.body);
    return { ok: true, paths: paths as readonly JsonObject[] };
  }

  async start(order: ChildOrder): Promise<StartAnswer> {
    const so = { method: "POST", path: "/v1/workers", deadlineMs: startMs } as const;
    return readStart(await this.#ask({ ...so, body: order as unknown as JsonObject }));
  }

  async worker(id: string): Promise<WorkerSighting> {
    const path = `/v1/workers/${encodeURIComponent(id)}`;
    const reply = await this.#ask({ method: "GET", path, deadlineMs: answerMs });
    const answer = readAnswer(reply);
    if (!answer.ok) return answer;
    const { manifest, view } = readData(reply);
    if (!isPlainObject(manifest) || !isPlainObject(view)) throw noAnswer(reply.status, reply.body);
    return { ok: true, manifest: manifest as unknown as Manifest, view: view as JsonObject };
  }

  async untilEnded(id: string, signal: AbortSignal): Promise<JsonObject> {
    const path = `/v1/workers/${encodeURIComponent(id)}/end`;
    const given = AbortSignal.any([signal, this.#closing.signal]);
    for (;;) {
      given.throwIfAborted();
      const askedAtMs = performance.now();
      try {
        const ask = { method: "GET", path, deadlineMs: waitMs, isUrgent: true } as const;
        const reply = await this.#ask({ ...ask, signal: given });
        const { view } = readData(reply);
        if (isPlainObject(view)) return view as JsonObject;
        throw noAnswer(reply.status, reply.body);
      } catch (error) {
        // A wait that was merely long is asked again; what broke off at once has nobody to ask.
        const isLong = performance.now() - askedAtMs >= waitMs;
        if (given.aborted || !isLong) throw error;
      }
    }
  }

  listen(listener: (signal: WorkerSignal) => void): () => void {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, this.#closing.signal]);
    void followSignals(this.#line, listener, signal);
    return () => controller.abort();
  }

  async close(): Promise<void> {
    this.#closing.abort(new Fault("closed", "the worker must not have left, it has"));
    this.#line.close();
  }

  /**
   * Asks. What breaks off is asked again for a while, as all that is asked here may be; whoever
   * asks too often is held up, and asks again within his time.
   */
  async #ask(ask: Ask): Promise<Reply> {
    const askedAtMs = performance.now();
    for (;;) {
      const reply = await this.#tryAsk(ask, askedAtMs);
      if (reply !== undefined) {
        const { status, retryAfterMs } = reply;
        const isHeldUp = status === 429 && retryAfterMs !== undefined;
        const afterMs = performance.now() - askedAtMs + (retryAfterMs ?? 0);
        if (!isHeldUp || afterMs > ask.deadlineMs) return reply;
        await pause(Math.min(heldUpMsMax, Math.max(againMs, retryAfterMs)));
      } else await pause(againMs);
    }
  }

  /** Answers undefined when it broke off and may be asked again. */
  async #tryAsk(ask: Ask, askedAtMs: number): Promise<Reply | undefined> {
    try {
      return await this.#line.ask(ask);
    } catch (error) {
      const isOver = this.#closing.signal.aborted || ask.signal?.aborted === true;
      if (isOver || performance.now() - askedAtMs > brokenMs) throw error;
      return undefined;
    }
  }
}
