import { Agent, request as openRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { JsonObject } from "../kernel/json.ts";
import { codeOf } from "../ports/error-code.ts";
import { Fault } from "../ports/fault.ts";

/** The longest answer that is taken, bytes: a decision has a few entries of 64 KiB at most. */
const replyBytesMax = 16 * 2 ** 20;

/** How many requests of a process are under way on one socket at the same time. */
const requestsMax = 32;

/** How long a socket may take to say whether somebody listens on it, ms. */
const listeningMs = 1_000;

/** One request over a Unix socket. */
export interface Ask {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: JsonObject;
  /** Until when the whole answer must be here, counted from the call, ms. */
  readonly deadlineMs: number;
  /** On a connection of its own: it waits for nothing that hangs. */
  readonly isUrgent?: boolean;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
}

/** What came back: the status, and the body as JSON, undefined when it is none. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** How long to wait before the same is asked again, ms; undefined when nothing was said. */
  readonly retryAfterMs: number | undefined;
}

/** Where a line leads, and what shows who is at this end of it. */
export interface LineOptions {
  /** The path of a Unix socket. */
  readonly socket: string;
  /** The bearer token. */
  readonly token: string;
}

/**
 * HTTP over one Unix socket, connections kept open. Idle connections keep no process alive.
 *
 * What is not answered in time, or breaks off, throws `Fault` `supervisor_unreachable`: it may
 * have been carried out or not. A request that met a connection which the other side was just
 * closing is sent once more, so everything that is asked must bear being asked twice.
 */
export class SocketLine {
  readonly #so: LineOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: requestsMax });

  constructor(options: LineOptions) {
    this.#so = options;
  }

  /** Asks, and answers whatever came back. Throws `Fault` `supervisor_unreachable`. */
  async ask(ask: Ask): Promise<Reply> {
    const deadlineAtMs = performance.now() + ask.deadlineMs;
    try {
      return await this.#send(ask, deadlineAtMs);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
    }
    try {
      return await this.#send({ ...ask, isUrgent: true }, deadlineAtMs);
    } catch (error) {
      throw error instanceof StaleConnection ? unreachable(this.#so.socket, error.message) : error;
    }
  }

  /**
   * Opens an answer that does not end by itself, and hands its chunks over as they come. Resolves
   * when the other side ends it, or the signal fires. Throws as {@link ask} does, also when
   * nothing came for `silentMsMax`.
   */
  async follow(
    path: string,
    so: {
      readonly onText: (text: string) => void;
      readonly onStatus: (status: number) => void;
      readonly silentMsMax: number;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (what: string): void => reject(unreachable(this.#so.socket, what));
    const request = openRequest({
      socketPath: this.#so.socket,
      path,
      headers: { authorization: `Bearer ${this.#so.token}` },
      agent: false,
      signal: so.signal,
    });
    const silence = setTimeout(
      () => request.destroy(new Error(`nothing came for ${so.silentMsMax} ms`)),
      so.silentMsMax,
    );
    // Who waits to be told something is not kept running by that alone.
    silence.unref();
    request.on("socket", (socket) => socket.unref());
    request.on("response", (response: IncomingMessage) => {
      so.onStatus(response.statusCode ?? 0);
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        silence.refresh();
        so.onText(text);
      });
      response.on("end", resolve);
      response.on("error", (error) => fail(error.message));
    });
    request.on("error", (error) => {
      if (so.signal.aborted) resolve();
      else fail(error.message);
    });
    request.end();
    try {
      await promise;
    } finally {
      clearTimeout(silence);
      request.destroy();
    }
  }

  /** Closes all connections; what is under way breaks off. Safe to call twice. */
  close(): void {
    this.#agent.destroy();
  }

  #send(ask: Ask, deadlineAtMs: number): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const { socket, token } = this.#so;
    const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
    const request = openRequest({
      socketPath: socket,
      method: ask.method,
      path: ask.path,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
      agent: ask.isUrgent === true ? false : this.#agent,
      ...(ask.signal === undefined ? {} : { signal: ask.signal }),
    });
    const leftMs = Math.max(0, deadlineAtMs - performance.now());
    const timer = setTimeout(() => {
      reject(unreachable(socket, `it did not within ${ask.deadlineMs} ms`));
      request.destroy();
    }, leftMs);
    let isAnswering = false;
    request.on("response", (response) => {
      isAnswering = true;
      readBody(response).then(
        (text) => resolve(replyOf(response, text)),
        (error: unknown) => {
          reject(unreachable(socket, `its answer broke off: ${textOf(error)}`));
          request.destroy();
        },
      );
    });
    request.on("error", (error) => {
      const isStale = request.reusedSocket && !isAnswering;
      reject(isStale ? new StaleConnection(error.message) : unreachable(socket, error.message));
    });
    request.end(body);
    return promise.finally(() => clearTimeout(timer));
  }
}

/** Whether somebody takes connections at the path of a Unix socket. Never rejects. */
export function isListening(socket: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(socket);
  const timer = setTimeout(() => resolve(false), listeningMs);
  probe.on("connect", () => resolve(true));
  // Somebody listens whose queue is full; whether it answers is for the first request to find out.
  probe.on("error", (error) => resolve(codeOf(error) === "EAGAIN"));
  return promise.finally(() => {
    clearTimeout(timer);
    probe.destroy();
  });
}

/** A kept connection that the other side had closed, or was closing, when it was used again. */
class StaleConnection extends Error {
  override readonly name = "StaleConnection";
}

function unreachable(socket: string, what: string): Fault {
  const message = `the supervisor must answer on ${socket}: ${what}`;
  return new Fault("supervisor_unreachable", message, { retryable: true });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    // Without an encoding a stream of HTTP gives buffers.
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > replyBytesMax)
      throw new Error(`it must have at most ${replyBytesMax} bytes, it has more`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function replyOf({ statusCode = 0, headers }: IncomingMessage, text: string): Reply {
  const seconds = Number(headers["retry-after"]);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  return { status: statusCode, body: parse(text), retryAfterMs };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // An empty body, or somebody else's page: whoever reads the reply says what was expected.
    return undefined;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
