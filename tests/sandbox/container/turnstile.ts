// Stands between a driver and its engine, passes everything on, and holds one request or its answer
// until it is let go: so a start can be stopped at a place of its own.
import {
  createServer,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** What is held: a request before the engine has it, or the answer to it. */
export interface Held {
  readonly path: RegExp;
  readonly what: "request" | "answer";
}

/** A socket before an engine's. */
export class Turnstile {
  readonly socket: string;
  /** Resolves when what is to be held is held. */
  readonly held: Promise<void>;
  readonly #engine: string;
  readonly #hold: Held;
  readonly #gate = Promise.withResolvers<void>();
  readonly #arrived = Promise.withResolvers<void>();
  readonly #server: Server;
  #isArmed = false;

  constructor(engine: string, socket: string, hold: Held) {
    this.#engine = engine;
    this.socket = socket;
    this.#hold = hold;
    this.held = this.#arrived.promise;
    this.#server = createServer((from, to) => void this.#pass(from, to));
    this.#server.on("upgrade", (from, to, head) => this.#passRaw(from, { to, head }));
  }

  async listen(): Promise<void> {
    this.#server.listen(this.socket);
    await once(this.#server, "listening");
  }

  /** From now on holds what it is to hold. */
  arm(): void {
    this.#isArmed = true;
  }

  /** Lets go what is held. */
  release(): void {
    this.#gate.resolve();
  }

  async close(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const isHeld = this.#isArmed && from.method === "POST" && this.#hold.path.test(from.url ?? "");
    if (isHeld && this.#hold.what === "request") await this.#wait();
    const { url: path, method, headers } = from;
    const onward = request({ socketPath: this.#engine, path, method, headers });
    onward.on("error", () => to.destroy());
    to.on("close", () => onward.destroy());
    from.pipe(onward);
    const [answer] = (await once(onward, "response")) as [IncomingMessage];
    if (isHeld && this.#hold.what === "answer") await this.#wait();
    to.writeHead(answer.statusCode ?? 500, answer.headers);
    to.flushHeaders();
    answer.pipe(to);
  }

  /** Passes on what becomes a stream of its own; never held. */
  #passRaw(from: IncomingMessage, { to, head }: { readonly to: Duplex; readonly head: Buffer }) {
    const onward = connect(this.#engine);
    for (const [one, other] of [
      [onward, to],
      [to, onward],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
    const headers = Array.from({ length: from.rawHeaders.length / 2 }, (_, index) =>
      from.rawHeaders.slice(2 * index, 2 * index + 2).join(": "),
    );
    onward.write([`${from.method} ${from.url} HTTP/1.1`, ...headers, "", ""].join("\r\n"));
    onward.write(head);
    to.pipe(onward).pipe(to);
  }

  async #wait(): Promise<void> {
    this.#arrived.resolve();
    await this.#gate.promise;
  }
}
