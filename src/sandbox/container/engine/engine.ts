// Talks to a Docker-compatible engine through its socket. Every call has a deadline. What the
// engine answers is a value, a no included; that it cannot be reached or is too late is a fault.

import type { Duplex, Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type Dockerode from "dockerode";
import { codeOf } from "../../../ports/error-code.ts";
import { Fault } from "../../../ports/fault.ts";
import { isObject } from "../../folder/document.ts";
import type { SandboxLimits, SandboxUse } from "../../../ports/sandbox.ts";
import { type ContainerState, parseListed, parseState } from "./state.ts";
import { updateBodies } from "./limits.ts";

/** How long an engine may take for one answer, ms. */
export const CALL_MS = 10_000;

/** How long it may take to create or start a container, which it may have to unpack, ms. */
const heavyCallMs = 60_000;

/** How often an engine is asked what it sees before its failure counts, and how soon again, ms. */
const looksMax = 5;
const lookEveryMs = 20;

/** How much of what an engine says is put into a fault, characters. */
const wordsCharsMax = 500;

/** A yes of an engine with what it brings, or its no. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly words: string };

/** An engine, by its socket. Holds no connection between calls. */
export class Engine {
  readonly socket: string;
  readonly #docker: Dockerode;
  readonly #closing = new AbortController();

  constructor(docker: Dockerode, socket: string) {
    this.#docker = docker;
    this.socket = socket;
  }

  /** Its name and version, for people. */
  async describe(): Promise<string> {
    const version = await this.#demand("say its version", () => this.#docker.version());
    const [part] = version.Components ?? [];
    const name = /podman/i.test(part?.Name ?? "") ? "Podman" : "Docker Engine";
    return `${name} ${version.Version}`;
  }

  /** What it says of itself that a probe could not show. */
  async abilities(): Promise<{ readonly [name: string]: unknown }> {
    return this.#demand("say what it can", async () => {
      const said: unknown = await this.#docker.info();
      return isObject(said) ? said : {};
    });
  }

  /** Whether it has an image by that name; it is never asked to fetch one. */
  async hasImage(name: string): Promise<boolean> {
    const answer = await this.#ask("look for an image", () =>
      this.#docker.getImage(name).inspect(),
    );
    if (answer.ok || answer.status === 404) return answer.ok;
    throw refused("look for an image", answer);
  }

  /** Creates a container and answers its id. A name that is taken is the status 409. */
  async create(options: Dockerode.ContainerCreateOptions): Promise<Answer<string>> {
    const answer = await this.#ask(
      "create a container",
      async (signal) =>
        (await this.#docker.createContainer({ ...options, abortSignal: signal })).id,
      heavyCallMs,
    );
    // Podman has 500 for it.
    if (!answer.ok && /name .*already in use/i.test(answer.words))
      return { ...answer, status: 409 };
    return answer;
  }

  /** Starts what was created; 304 where it was started before, 404 or 409 where it is gone. */
  start(id: string): Promise<Answer<unknown>> {
    return this.#ask(
      "start a container",
      (signal) => this.#docker.getContainer(id).start({ abortSignal: signal }),
      heavyCallMs,
    );
  }

  /** A container by id or name; undefined when there is none. */
  async inspect(id: string): Promise<ContainerState | undefined> {
    const what = "show a container";
    const answer = await this.#look(what, (signal) =>
      this.#docker.getContainer(id).inspect({ abortSignal: signal }),
    );
    if (answer.ok) return parseState(answer.value);
    if (answer.status === 404) return undefined;
    throw refused(what, answer);
  }

  /** All containers that bear these labels, whatever state they are in. */
  async list(labels: Readonly<Record<string, string>>): Promise<readonly ContainerState[]> {
    const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    const found = await this.#demand("list containers", (signal) =>
      this.#docker.listContainers({ all: true, filters: { label }, abortSignal: signal }),
    );
    return found.map(parseListed);
  }

  /** Sends a signal to the first process of a container. */
  kill(id: string, signal: "SIGKILL" | "SIGTERM"): Promise<Answer<unknown>> {
    return this.#ask("kill a container", (abortSignal) =>
      this.#docker.getContainer(id).kill({ signal, abortSignal }),
    );
  }

  pause(id: string): Promise<Answer<unknown>> {
    return this.#ask("pause a container", (signal) =>
      this.#docker.getContainer(id).pause({ abortSignal: signal }),
    );
  }

  unpause(id: string): Promise<Answer<unknown>> {
    return this.#ask("unpause a container", (signal) =>
      this.#docker.getContainer(id).unpause({ abortSignal: signal }),
    );
  }

  /** Kills what runs in a container, and removes it. */
  remove(id: string): Promise<Answer<unknown>> {
    return this.#ask(
      "remove a container",
      (signal) =>
        this.#docker.getContainer(id).remove({ force: true, v: true, abortSignal: signal }),
      heavyCallMs,
    );
  }

  /** What a container uses; undefined where it does not run. */
  async use(id: string): Promise<SandboxUse | undefined> {
    const answer = await this.#ask("measure a container", (abortSignal) => {
      const once = { stream: false, "one-shot": true, abortSignal } as const;
      return this.#docker.getContainer(id).stats(once);
    });
    if (!answer.ok) return undefined;
    const { memory_stats: memory, pids_stats: pids, cpu_stats: cpu } = answer.value;
    return {
      ...numeric("memory_bytes", memory?.usage),
      ...numeric("processes", pids?.current),
      // Nanoseconds.
      ...numeric("cpu_ms", Math.round((cpu?.cpu_usage?.total_usage ?? Number.NaN) / 1e6)),
    };
  }

  /** Sets other limits on a running container. */
  async update(id: string, limits: SandboxLimits): Promise<Answer<unknown>> {
    const bodies = updateBodies(limits);
    const what = "change limits";
    const answer = await this.#ask(what, (signal) =>
      this.#docker.getContainer(id).update({ ...bodies.docker, abortSignal: signal }),
    );
    if (answer.ok || answer.status !== 404) return answer;
    // Podman 4.3 has that call only among its own.
    return this.#ask(what, (signal) => this.#dialLibpod(id, bodies.libpod, signal));
  }

  /**
   * Waits until a container does not run, and answers its exit code; undefined where it is not
   * known or the container is gone. Without a deadline: until `signal` or {@link close}.
   */
  async wait(id: string): Promise<number | undefined> {
    const answer = await this.#ask(
      "wait for a container",
      (signal) => this.#docker.getContainer(id).wait({ abortSignal: signal }),
      Number.POSITIVE_INFINITY,
    );
    if (!answer.ok) return undefined;
    const { StatusCode: code } = answer.value as { readonly StatusCode?: unknown };
    return typeof code === "number" && code >= 0 ? code : undefined;
  }

  /** What a container writes from now on, as the engine frames it; attach before it is started. */
  attach(id: string): Promise<Readable> {
    return this.#stream("attach to a container", (signal) =>
      this.#docker
        .getContainer(id)
        .attach({ stream: true, stdout: true, stderr: true, abortSignal: signal }),
    );
  }

  /** The input of a container that was made with one; attach before it is started. */
  async attachInput(id: string): Promise<Duplex> {
    const options = { stream: true, stdin: true, hijack: true } as const;
    const input = await this.#stream("attach to the input of a container", (abortSignal) =>
      this.#docker.getContainer(id).attach({ ...options, abortSignal }),
    );
    return input as Duplex;
  }

  /**
   * All that the engine has kept of what a container wrote, and what it writes on: the stream ends
   * when the container has. Without `follow` dockerode would gather it all in memory.
   */
  logs(id: string): Promise<Readable> {
    const options = { stdout: true, stderr: true, follow: true } as const;
    return this.#stream("tell what was written", (signal) =>
      this.#docker.getContainer(id).logs({ ...options, abortSignal: signal }),
    );
  }

  /** Gives up every call that is under way. */
  close(): void {
    this.#closing.abort();
  }

  #dialLibpod(id: string, body: object, abortSignal: AbortSignal): Promise<unknown> {
    const path = `/v4.0.0/libpod/containers/${id}/update?`;
    const statusCodes = { 200: true, 201: true, 400: "bad request", 404: "not found", 500: "no" };
    const dial = { path, method: "POST", options: { _body: body }, statusCodes, abortSignal };
    return new Promise((resolve, reject) => {
      this.#docker.modem.dial(dial, (error: unknown, value: unknown) => {
        if (error instanceof Error) reject(error);
        else resolve(value);
      });
    });
  }

  async #stream(
    what: string,
    call: (signal: AbortSignal) => Promise<NodeJS.ReadableStream>,
  ): Promise<Readable> {
    // Of the whole stream's life: a deadline would cut it.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), CALL_MS);
    try {
      const signal = AbortSignal.any([late.signal, this.#closing.signal]);
      return (await call(signal)) as Readable;
    } catch (error) {
      throw unreachable(this.socket, what, error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #demand<T>(what: string, call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const answer = await this.#look(what, call);
    if (answer.ok) return answer.value;
    throw refused(what, answer);
  }

  /** Asks what changes nothing: Podman fails while a container ends under its eyes. */
  async #look<T>(what: string, call: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#ask(what, call);
      if (answer.ok || answer.status < 500 || tries === looksMax) return answer;
      await sleep(lookEveryMs);
    }
  }

  async #ask<T>(
    what: string,
    call: (signal: AbortSignal) => Promise<T>,
    withinMs = CALL_MS,
  ): Promise<Answer<T>> {
    const signals = [this.#closing.signal];
    if (Number.isFinite(withinMs)) signals.push(AbortSignal.timeout(withinMs));
    const signal = AbortSignal.any(signals);
    try {
      // Some calls of dockerode take no signal.
      return { ok: true, value: await Promise.race([call(signal), untilAborted(signal)]) };
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw unreachable(this.socket, what, error);
      const words = wordsOf(error);
      // Podman has 500 for what is removed while it looks.
      const isGone = status === 500 && /no such container$/i.test(words);
      return { ok: false, status: isGone ? 404 : status, words };
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/** The fault for a no that was not expected. */
export function refused(what: string, { status, words }: Answer<unknown> & { ok: false }): Fault {
  const said = words.slice(0, wordsCharsMax);
  return new Fault("sandbox_failed", `the engine must ${what}, got ${status}: ${said}`);
}

function unreachable(socket: string, what: string, error: unknown): Fault {
  const name = error instanceof Error ? error.name : "";
  const why = /Abort|Timeout/.test(name) ? "no answer in time" : codeOf(error) || String(error);
  const message = `the engine at ${socket} must ${what}, got ${why}`;
  return new Fault("sandbox_failed", message, { retryable: true, cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error)) return undefined;
  return typeof error.statusCode === "number" ? error.statusCode : undefined;
}

function wordsOf(error: unknown): string {
  const json: unknown = error instanceof Error && "json" in error ? error.json : undefined;
  const isSaid = typeof json === "object" && json !== null && "message" in json;
  return isSaid ? String(json.message) : String(error);
}

function numeric<N extends string>(name: N, value: unknown): Partial<Record<N, number>> {
  return typeof value === "number" && Number.isFinite(value)
    ? ({ [name]: value } as Record<N, number>)
    : {};
}
