import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";

/** How long a request may take to arrive whole, ms. */
const REQUEST_MS = 10_000;

/** How long its headers may take, ms. */
const HEADERS_MS = 5_000;

/** How long a connection is kept open between two requests, ms. */
const KEEP_ALIVE_MS = 30_000;

/**
 * How often connections are looked at for requests that take too long, ms. Each socket does so by
 * itself, in use or not: 1 000 workers at 2 s are 500 times a second that this process wakes up.
 */
const LOOK_EVERY_MS = 5_000;

/** How long answers under way are waited for when a door is closed, ms. */
const CLOSE_MS = 500;

/** A listening Unix socket. */
export interface Door {
  /** Stops listening, lets answers under way be given for a moment; safe to call twice. */
  close(): Promise<void>;
}

/** How a door is opened. */
export interface DoorOptions {
  /** The path of the socket; what is there is replaced. */
  readonly socket: string;
  readonly connectionsMax: number;
  /** Answers a request; never rejects. */
  readonly fetch: (request: Request) => Response | Promise<Response>;
}

/** A request as it comes, and its answer. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/**
 * Has a connection outlive an answer that was given before its request was read: who still writes
 * would find it closed, and lose the answer. What comes is dropped, for a moment.
 */
function linger({ incoming, outgoing }: Exchange): void {
  if (!incoming.complete) outgoing.shouldKeepAlive = true;
}

/** Opens a Unix socket, mode 0600, that speaks HTTP. Throws what the system says to it. */
export async function openDoor({ socket, connectionsMax, fetch }: DoorOptions): Promise<Door> {
  rmSync(socket, { force: true });
  const answer = async (request: Request, env: unknown): Promise<Response> => {
    const response = await fetch(request);
    linger(env as Exchange);
    return response;
  };
  const listener = getRequestListener(answer, { overrideGlobalObjects: false });
  const server = createServer(
    {
      requestTimeout: REQUEST_MS,
      headersTimeout: HEADERS_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    },
    (incoming, outgoing) => void listener(incoming, outgoing),
  );
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, () => {
      server.off("error", reject);
      resolve();
    });
  });
  chmodSync(socket, 0o600);
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    await closed;
    clearTimeout(cut);
  };
  return {
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
