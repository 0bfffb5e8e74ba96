// A server in this very process, on a fleet in memory, with a bus that the test plays.
import { memory, thisMachine } from "../../src/compose/library.ts";
import type { AccessCommandMap } from "../../src/kernel/access/command.ts";
import type { TokenRole } from "../../src/kernel/access/token.ts";
import { freshToken } from "../../src/library/access/fresh-token.ts";
import { openMemberIn, type OpenedMember } from "../../src/library/fleet/open-fleet.ts";
import type { Store } from "../../src/library/fleet/store.ts";
import type { BusDelivery } from "../../src/ports/bus.ts";
import type { Log } from "../../src/ports/log.ts";
import type { Supervision } from "../../src/ports/supervision.ts";
import { openServer, type Server } from "../../src/server/server.ts";

/** The secret of every fleet here. */
export const SECRET = "tests of the server, 16 bytes at least";

/** A supervisor that a test plays: it answers with what it is given. */
export class PlayedSupervisor {
  readonly beats: { readonly list: readonly unknown[]; readonly as: unknown }[] = [];
  #listeners = new Set<(delivery: BusDelivery) => void>();

  /** Delivers something to all who follow. */
  deliver(delivery: BusDelivery): void {
    for (const listener of this.#listeners) listener(delivery);
  }

  /** As its line is seen by who asks. */
  get line(): Supervision {
    const line: Partial<Supervision> = {
      status: async () => ({
        fleet: "f-played",
        pid: 1,
        version: "0",
        started_at_ms: 1,
        worker_count: 0,
        rung: "none",
        degraded: [],
        is_draining: false,
      }),
      roll: async () => ({
        at_ms: 1,
        bus: { up: false, why: "it is played" },
        watching_since_ms: null,
        sections: { expected: [], unexpected: [], workers: [] },
        counts: { ok: 0, stale: 0, unknown: 0, stopping: 0, stopped: 0, truncated: 0 },
      }),
      beats: async (list, as) => {
        this.beats.push({ list, as });
        return { accepted: list.length, refused: [] };
      },
      follow: async (_, onDelivery, signal) => {
        this.#listeners.add(onDelivery);
        onDelivery({ kind: "open" });
        const { promise, resolve } = Promise.withResolvers<void>();
        signal.addEventListener("abort", () => resolve());
        await promise;
        this.#listeners.delete(onDelivery);
      },
      close: async () => undefined,
    };
    return line as Supervision;
  }
}

/** A log whose lines a test reads. */
export class LogOfTest implements Log {
  readonly lines: { readonly message: string; readonly facts: object }[] = [];
  warn(message: string, facts: object = {}): void {
    this.lines.push({ message, facts });
  }
  info(message: string, facts: object = {}): void {
    this.lines.push({ message, facts });
  }
}

/** A served fleet, and tokens of every role. */
export interface ServedFleet {
  readonly opened: OpenedMember;
  readonly server: Server;
  readonly played: PlayedSupervisor;
  readonly log: LogOfTest;
  /** Issues a token; answers its secret. */
  token(role: TokenRole, more?: Partial<AccessCommandMap["token.issue"]>): Promise<string>;
  /** Sends a request. */
  ask(path: string, options?: Asking): Promise<Response>;
  close(): Promise<void>;
}

/** A request of a test. */
export interface Asking {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Serves a fresh fleet in memory; or another server on the same store. */
export async function serveFleet(
  so: {
    readonly store?: Store;
    readonly contract?: object;
    readonly hostNames?: readonly string[];
    readonly version?: string;
  } = {},
): Promise<ServedFleet> {
  const { store = memory(), contract = {}, hostNames = [], version = "0.0.0" } = so;
  const played = new PlayedSupervisor();
  const log = new LogOfTest();
  const withDoor: Store = {
    kind: store.kind,
    open: async (options) => ({
      ...(await store.open(options)),
      supervisor: { connect: async () => played.line, start: async () => played.line },
    }),
  };
  const common = { secret: SECRET, steward: false, supervisor: "none" } as const;
  const options = { store: withDoor, ...common, contract };
  const opened = await openMemberIn({ ...thisMachine(), log }, options);
  const rest = { log, version, keepsSupervisor: false };
  const server = await openServer(opened, { host: "127.0.0.1", port: 0, hostNames, ...rest });
  return {
    opened,
    server,
    played,
    log,
    token: async (role, more = {}) => {
      const { secret, ...fresh } = freshToken();
      const bound = role === "service" ? { service: "api" } : {};
      const data = { ...fresh, role, lifetime_ms: 60_000, ...bound, ...more };
      const answer = await opened.fleet.submit({ kind: "token.issue", data });
      if (!answer.ok) throw new Error(answer.refusal.message);
      return secret;
    },
    ask: (path, asking = {}) => ask(server.url, path, asking),
    close: () => server.close(),
  };
}

/** Sends a request to a server. */
export function ask(url: string, path: string, asking: Asking = {}): Promise<Response> {
  const { method = "GET", token, body, headers = {}, signal } = asking;
  return fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Reads a stream of events until a number of blocks are there; then hangs up. */
export async function readBlocks(response: Response, count: number): Promise<readonly string[]> {
  const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const blocks = text.split("\n\n");
    if (blocks.length > count) {
      await reader?.cancel();
      return blocks.slice(0, count);
    }
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return blocks.filter((block) => block !== "");
    text += decoder.decode(piece.value, { stream: true });
  }
}
