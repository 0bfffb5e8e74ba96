import type { Socket } from "node:net";

/** How connections are kept. */
export interface ConnectionsOptions {
  /** How many there may be. */
  readonly max: number;
  /** How long a reader may take nothing of what it is told until it is cut off, ms. */
  readonly stuckMs: number;
  /** Ms of a clock that only runs forwards. */
  readonly nowMs?: () => number;
}

interface Connection {
  /** How many of its requests are not answered whole. */
  underWay: number;
  /** How many bytes of what it is told have gone out. */
  taken: number;
  /** When it last took some, or had nothing to take. */
  tookAtMs: number;
}

/**
 * The connections of a port. Where there are too many, a new one takes the place of the one that
 * has asked for nothing for longest: who opens many and is silent locks nobody out. Who does not
 * read what it is told is cut off, for what waits for it is kept in memory.
 */
export class Connections {
  readonly #max: number;
  readonly #stuckMs: number;
  readonly #nowMs: () => number;
  /** Those that are idle longest come first. */
  readonly #all = new Map<Socket, Connection>();

  constructor({ max, stuckMs, nowMs = () => performance.now() }: ConnectionsOptions) {
    this.#max = max;
    this.#stuckMs = stuckMs;
    this.#nowMs = nowMs;
  }

  /** How many there are. */
  get count(): number {
    return this.#all.size;
  }

  /** Takes in a new one. */
  add(socket: Socket): void {
    if (this.#all.size >= this.#max) (this.#idlest() ?? socket).destroy();
    if (socket.destroyed) return;
    this.#all.set(socket, { underWay: 0, taken: 0, tookAtMs: this.#nowMs() });
    socket.once("close", () => this.#all.delete(socket));
  }

  /** Takes note of a request; answers how many of its connection are under way with it. */
  begin(socket: Socket): number {
    const connection = this.#all.get(socket);
    if (connection === undefined) return 1;
    connection.underWay += 1;
    return connection.underWay;
  }

  /** Takes note that a request is answered whole, or never will be. */
  end(socket: Socket): void {
    const connection = this.#all.get(socket);
    if (connection === undefined) return;
    connection.underWay -= 1;
    // To the end of the line: it was busy until now.
    this.#all.delete(socket);
    this.#all.set(socket, connection);
  }

  /** Whether a request of a connection is under way. */
  isBusy(socket: Socket): boolean {
    return (this.#all.get(socket)?.underWay ?? 0) > 0;
  }

  /** Cuts off who has taken nothing for too long; to be called now and then. */
  cutStuck(): void {
    const nowMs = this.#nowMs();
    for (const [socket, connection] of this.#all) {
      const taken = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength === 0 || taken > connection.taken) connection.tookAtMs = nowMs;
      connection.taken = taken;
      if (nowMs - connection.tookAtMs >= this.#stuckMs) socket.destroy();
    }
  }

  /** Cuts off all of them. */
  cutAll(): void {
    for (const socket of this.#all.keys()) socket.destroy();
  }

  #idlest(): Socket | undefined {
    for (const [socket, { underWay }] of this.#all) if (underWay === 0) return socket;
    return undefined;
  }
}
