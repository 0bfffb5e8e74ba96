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

  async #wait(): Promise<void> {
    this.#arrived.resolve();
    await this.#gate.promise;
  }
}
