import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { Connections } from "./connections.ts";
import {
  BAD_REQUEST,
  malformed,
  TOO_MANY,
  turnAway,
  written,
  type TurnAway,
} from "./guard/malformed.ts";
import type { Origin } from "./route/serving.ts";

/** How long a request may take to arrive whole, ms. */
const requestMs = 30_000;

/** How long its headers may take, ms, and how many bytes they may have. */
const headersMs = 10_000;
const headerBytesMax = 16 * 1_024;

/** How long a connection is kept open between two requests, ms. */
const keepAliveMs = 30_000;

/** How often it is looked for what took too long, ms. */
const checkEveryMs = 2_000;

const connectionsMax = 4_096;

/** How long a reader may take nothing until its connection is cut, ms. */
const stuckMs = 60_000;

/** How many requests may be under way on one connection: programs send one after the other. */
const underWayMax = 32;

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
  /** How many connections there may be; default 4096. */
  readonly connectionsMax?: number;
  /** How long a reader may take nothing until its connection is cut, ms; default a minute. */
  readonly stuckMs?: number;
}

/** A port that is listened on. */
export interface Listener {
  readonly port: number;
  /** Takes no more requests, lets answers under way be given for a moment; safe to call twice. */
  close(): Promise<void>;
}

/** Listens on a port. Throws what the system says to it, `EADDRINUSE` say. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, tls } = options;
  const max = options.connectionsMax ?? connectionsMax;
  const connections = new Connections({ max, stuckMs: options.stuckMs ?? stuckMs });
  const turn = turnAway(tls !== undefined);
  const server = serverOf(requestListener({ answer: options.answer, connections, turn }), tls);
  server.requestTimeout = requestMs;
  server.headersTimeout = headersMs;
  server.keepAliveTimeout = keepAliveMs;
  // By TLS it can be spoken on only when both sides have agreed.
  server.on(tls === undefined ? "connection" : "secureConnection", (socket: Socket) =>
    connections.add(socket),
  );
  server.on("clientError", (error: Error, socket: Socket) => {
    const { status, detail } = malformed(error);
    // Into an answer that is under way nothing can be written.
    if (!socket.writable || connections.isBusy(socket)) socket.destroy();
    else socket.end(written(turn(status, detail)));
  });
  const checking = setInterval(() => connections.cutStuck(), checkEveryMs).unref();
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
    const cut = setTimeout(() => connections.cutAll(), closeMs);
    await closed;
    clearTimeout(cut);
    clearInterval(checking);
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
  const so = { maxHeaderSize: headerBytesMax, connectionsCheckingInterval: checkEveryMs };
  if (tls === undefined) return createPlain(so, listener);
  const { cert, key } = tls;
  return createTls({ ...so, minVersion: "TLSv1.2", cert, key }, listener);
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

function requestListener(so: {
  readonly answer: ListenOptions["answer"];
  readonly connections: Connections;
  readonly turn: TurnAway;
}): RequestListener {
  const { answer, connections, turn } = so;
  const listener = getRequestListener(
    async (request, env) => {
      const { incoming, outgoing } = env as unknown as Exchange;
      const response = await answer(request, { address: incoming.socket.remoteAddress ?? "" });
      if (!incoming.complete) linger({ incoming, outgoing });
      return response;
    },
    {
      overrideGlobalObjects: false,
      errorHandler: () => {
        const detail = "the request's target and its header Host must make a URL";
        const { body, status, headers } = turn(BAD_REQUEST, detail);
        return new Response(body, { status, headers });
      },
    },
  );
  return (incoming, outgoing) => {
    const { socket } = incoming;
    const underWay = connections.begin(socket);
    outgoing.once("close", () => connections.end(socket));
    if (underWay <= underWayMax) {
      void listener(incoming, outgoing);
      return;
    }
    const away = turn(TOO_MANY, "requests of this connection must be answered before others come");
    outgoing.writeHead(away.status, away.headers).end(away.body);
  };
}
