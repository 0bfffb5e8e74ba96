import { ClientProblem, readProblem } from "./problem.ts";
import { pause, pauseMs } from "./pause.ts";

/** How often a request is given that did not come through. */
const triesMax = 3;

/** How the server is reached. */
export interface ClientOptions {
  /** Where it serves, e.g. `http://127.0.0.1:7070`. */
  readonly url: string;
  /** The token's secret, or what reads it anew for each request. */
  readonly token: string | (() => string | Promise<string>);
  /** Another `fetch`, for tests and proxies. */
  readonly fetch?: typeof fetch;
}

/** One request. */
export interface ClientRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The `Idempotency-Key`; by default a fresh one, so that repeating it is safe. */
  readonly key?: string | undefined;
}

/** The way to one server. */
export class ClientLine {
  readonly #so: ClientOptions;
  readonly #url: string;

  constructor(options: ClientOptions) {
    this.#so = options;
    this.#url = options.url.replace(/\/+$/, "");
  }

  /** Asks and reads the answer as JSON. Throws {@link ClientProblem}, and what `fetch` throws. */
  async ask<T>(request: ClientRequest): Promise<T> {
    const keyed = { ...request, key: request.key ?? crypto.randomUUID() };
    for (let tries = 1; ; tries += 1) {
      let retryMs: number | undefined;
      try {
        const response = await this.send(keyed);
        if (response.ok) return (await response.json()) as T;
        const problem = await readProblem(response);
        // Repeated under its key, so that it is done once.
        if (!problem.problem.retryable || tries >= triesMax) throw problem;
        retryMs = problem.retryAfterMs;
      } catch (error) {
        request.signal?.throwIfAborted();
        if (error instanceof ClientProblem || tries >= triesMax) throw error;
      }
      await pause(retryMs ?? pauseMs(tries), request.signal);
    }
  }

  /** Sends a request once and answers whatever came back. */
  async send(request: ClientRequest): Promise<Response> {
    const { method, path, query = {}, body, signal, headers = {}, key } = request;
    const { token, fetch: send = fetch } = this.#so;
    const asked = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = asked.length === 0 ? "" : `?${new URLSearchParams(asked).toString()}`;
    const secret = typeof token === "string" ? token : await token();
    return send(`${this.#url}${path}${search}`, {
      method,
      headers: {
        Authorization: `Bearer ${secret}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(method === "GET" || key === undefined ? {} : { "Idempotency-Key": key }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      redirect: "error",
    });
  }
}
