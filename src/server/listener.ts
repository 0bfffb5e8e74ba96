import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { Origin } from "./route/serving.ts";

/** How long a request may take to arrive whole, ms. */
const requestMs = 30_000;

/** How long its headers may take, ms, and how many bytes they may have. */
const headersMs = 10_000;
const headerBytesMax = 16 * 1_024;

/** How long a connection is kept open between two requests, ms. */
const keepAliveMs = 30_000;

const connectionsMax = 4_096;

/** How long answers under way are waited for when it is closed, ms. */
const closeMs = 2_000;

/** How a port is listened on. */
export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM texts; without them it speaks plainly. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Answers a request; never rejects. */
  readonly answer: (request: Request, origin: Origin) => Promise<Response>;
}

/** A port that is listened on. */
export interface Listener {
  readonly port: number;
  /** Takes no more requests, lets answers under way be given for a moment; safe to call twice. */
  close(): Promise<void>;
}

/** Listens on a port. Throws what the system says to it, `EADDRINUSE` say. */
export async function listen({ host, port, tls, answer }: ListenOptions): Promise<Listener> {
  const server = serverOf(requestListener(answer), tls);
  server.maxConnections = connectionsMax;
  server.requestTimeout = requestMs;
  server.headersTimeout = headersMs;
  server.keepAliveTimeout = keepAliveMs;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    const cut = setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, closeMs);
    await closed;
    clearTimeout(cut);
  };
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function serverOf(listener: RequestListener, tls: ListenOptions["tls"]) {
  if (tls === undefined) return createPlain({ maxHeaderSize: headerBytesMax }, listener);
  const { cert, key } = tls;
  const so = { maxHeaderSize: headerBytesMax, minVersion: "TLSv1.2" } as const;
  return createTls({ ...so, cert, key }, listener);
}

/** A request as it comes, and its answer. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** How long what still comes after an answer is dropped before the connection is closed, ms. */
const lingerMs = 1_000;

/**
 * Has a connection outlive an answer that was given before its request was read: who still writes
 * would find it closed, and lose the answer. What comes is dropped. Only a request that does not
 * end closes the connection: on any other the next request may be under way already.
 */
function linger({ incoming, outgoing }: Exchange): void {
  const { socket } = incoming;
  const isLast = incoming.headers.connection?.toLowerCase() === "close";
  outgoing.shouldKeepAlive = true;
  outgoing.once("finish", () => {
    const cut = setTimeout(() => socket.destroy(), lingerMs).unref();
    incoming.once("end", () => {
      clearTimeout(cut);
      if (isLast) socket.destroySoon();
    });
    incoming.resume();
    if (incoming.readableEnded || incoming.complete) clearTimeout(cut);
  });
}

function requestListener(answer: ListenOptions["answer"]): RequestListener {
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as unknown as Exchange;
      const response = await answer(request, {
        address: incoming.socket.remoteAddress ?? "",
        endWhenStuck: (afterMs) => {
          outgoing.setTimeout(afterMs, () => incoming.socket.destroy());
        },
      });
      if (!incoming.complete) linger({ incoming, outgoing });
      return response;
    },
    { overrideGlobalObjects: false },
  );
  return (incoming, outgoing) => void listener(incoming, outgoing);
}
