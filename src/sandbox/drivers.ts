// A fleet may have workers of both kinds at once: it was supervised by the one driver yesterday and
// is by the other today, and whoever ends its workers must end them all. Which driver a sandbox is
// of stands in its record.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { SILENT } from "../ports/log.ts";
import type {
  Ending,
  Sandbox,
  SandboxExhibit,
  SandboxLimits,
  SandboxRecord,
  SandboxSpec,
  SandboxUse,
} from "../ports/sandbox.ts";
import type { LimitHit } from "../kernel/worker/limit.ts";
import { OWN_FILES } from "./folder/notes.ts";
import { type ContainerRecord, readRecord } from "./container/record.ts";
import { openProcessSandbox, type ProcessSandboxOptions } from "./process/process-sandbox.ts";

/** What new workers are run in, if not as processes of this host. */
export interface ContainersOptions {
  readonly image: string;
  /** The engine's socket; the first usual one by default. */
  readonly socket?: string;
}

/** How the drivers of a fleet are opened. */
export interface DriversOptions extends ProcessSandboxOptions {
  /** Has new workers run as containers. */
  readonly containers?: ContainersOptions | undefined;
}

/**
 * Opens what runs a fleet's workers on this host: new ones as processes, or as containers if those
 * are asked for; those that there are, as what they were started.
 *
 * Throws as the driver of the new ones does. A driver that only those before need is opened when it
 * is needed: what it throws then is thrown by that call, and its sandboxes are listed as `unknown`.
 */
export async function openSandboxes(options: DriversOptions): Promise<Sandbox> {
  const { containers, ...processes } = options;
  const process = await openProcessSandbox(processes);
  const drivers = new Drivers(options, process);
  if (containers === undefined) return drivers;
  try {
    await drivers.startIn(containers);
    return drivers;
  } catch (error) {
    await drivers.close();
    throw error;
  }
}

class Drivers implements Sandbox {
  readonly #options: DriversOptions;
  readonly #process: Sandbox;
  /** Containers by their engine's socket. */
  readonly #containers = new Map<string, Promise<Sandbox>>();
  readonly #listeners = new Set<(instance: string) => void>();
  /** Whose a sandbox is, once its record is there; samples ask for hundreds of them a second. */
  readonly #owners = new Map<string, Sandbox>();
  #starting: Sandbox;

  constructor(options: DriversOptions, process: Sandbox) {
    this.#options = options;
    this.#process = process;
    this.#starting = process;
    process.onExit((instance) => this.#tell(instance));
  }

  /** Has new workers run as containers. */
  async startIn({ image, socket }: ContainersOptions): Promise<void> {
    const { findSocket } = await import("./container/engine/socket.ts");
    this.#starting = await this.#containersAt(socket ?? findSocket(), image);
  }

  get degraded(): Sandbox["degraded"] {
    return this.#starting.degraded;
  }

  get mounts(): Sandbox["mounts"] {
    return this.#starting.mounts;
  }

  get rung(): string {
    return this.#starting.rung;
  }

  folder(instance: string): string {
    return this.#process.folder(instance);
  }

  start(spec: SandboxSpec): Promise<SandboxRecord> {
    return this.#starting.start(spec);
  }

  async list(): Promise<readonly SandboxRecord[]> {
    const records = await this.#records();
    const processes = (await this.#process.list()).filter(({ instance }) => !records.has(instance));
    const lists = await Promise.all([...this.#sockets(records)].map((at) => this.#listAt(at)));
    const seen = new Map(lists.flat().map((record) => [record.instance, record]));
    // What its engine's driver cannot tell of may run all the same.
    const unseen = [...records.values()].filter(({ instance }) => !seen.has(instance));
    const unknown = unseen.map(({ instance }) => ({ instance, seen: "unknown" }) as const);
    const all = [...processes, ...seen.values(), ...unknown];
    const there = new Set(all.map(({ instance }) => instance));
    for (const instance of this.#owners.keys())
      if (!there.has(instance)) this.#owners.delete(instance);
    return all.toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  async freeze(instance: string): Promise<void> {
    await (await this.#of(instance)).freeze(instance);
  }

  async thaw(instance: string): Promise<void> {
    await (await this.#of(instance)).thaw(instance);
  }

  async stop(
    instance: string,
    options: Parameters<Sandbox["stop"]>[1],
  ): Promise<Ending | undefined> {
    return (await this.#of(instance)).stop(instance, options);
  }

  async strike(by: string): Promise<void> {
    // Before anything is read: whoever ends one of them next waits for this one order.
    const processes = Promise.allSettled([this.#process.strike(by)]);
    const records = await this.#records();
    const strikes = [...this.#sockets(records)].map(async (socket) => {
      await (await this.#containersAt(socket)).strike(by);
    });
    const done = (await Promise.all([processes, Promise.allSettled(strikes)])).flat();
    for (const one of done) if (one.status === "rejected") throw one.reason;
  }

  async limit(instance: string, limits: SandboxLimits): Promise<SandboxUse | undefined> {
    return (await this.#of(instance)).limit(instance, limits);
  }

  async use(instance: string): Promise<SandboxUse | undefined> {
    return (await this.#of(instance)).use(instance);
  }

  async examine(instance: string): Promise<SandboxExhibit | undefined> {
    return (await this.#of(instance)).examine(instance);
  }

  async hits(instance: string): Promise<readonly LimitHit[]> {
    return (await this.#of(instance)).hits(instance);
  }

  async forget(instance: string): Promise<void> {
    await (await this.#of(instance)).forget(instance);
    this.#owners.delete(instance);
  }

  onExit(listener: (instance: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#process.close();
    for (const opened of this.#containers.values()) {
      // One that could not be opened needs no closing.
      await (await opened.catch(() => undefined))?.close();
    }
  }

  /** The driver of a sandbox: by its record, else that of new ones. */
  async #of(instance: string): Promise<Sandbox> {
    const known = this.#owners.get(instance);
    if (known !== undefined) return known;
    const names = await readdir(this.folder(instance)).catch((): string[] => []);
    const record = await readRecord(this.folder(instance));
    const other = names.length > 0 ? this.#process : this.#starting;
    const owner = record === undefined ? other : await this.#containersAt(record.socket);
    // A record that was there before it was read, and is no container's, is a process's.
    if (names.includes(OWN_FILES.record)) this.#owners.set(instance, owner);
    return owner;
  }

  async #records(): Promise<ReadonlyMap<string, ContainerRecord>> {
    const root = join(this.#options.stateFolder, "sandboxes");
    const isUnknown = (name: string): boolean => this.#owners.get(name) !== this.#process;
    const names = (await readdir(root)).filter((name) => !name.startsWith(".") && isUnknown(name));
    const records = await Promise.all(names.map((name) => readRecord(join(root, name))));
    const known = records.flatMap((record, index) => {
      const name = names[index];
      return record === undefined || name === undefined ? [] : [[name, record] as const];
    });
    return new Map(known);
  }

  #sockets(records: ReadonlyMap<string, ContainerRecord>): ReadonlySet<string> {
    const recorded = [...records.values()].map(({ socket }) => socket);
    return new Set([...this.#containers.keys(), ...recorded]);
  }

  async #listAt(socket: string): Promise<readonly SandboxRecord[]> {
    try {
      return await (await this.#containersAt(socket)).list();
    } catch (error) {
      const { log = SILENT } = this.#options;
      log.warn("containers cannot be looked for", { socket, error: String(error) });
      return [];
    }
  }

  #containersAt(socket: string, image?: string): Promise<Sandbox> {
    const known = this.#containers.get(socket);
    if (known !== undefined) return known;
    const opened = this.#openContainers(socket, image);
    this.#containers.set(socket, opened);
    // What is missing may be there at the next call.
    opened.catch(() => this.#containers.delete(socket));
    return opened;
  }

  async #openContainers(socket: string, image: string | undefined): Promise<Sandbox> {
    const { openContainerSandbox } = await import("./container/container-sandbox.ts");
    const { stateFolder, fleet, host, permitFile, hidden, output, log } = this.#options;
    const opened = await openContainerSandbox({
      stateFolder,
      fleet,
      socket,
      ...(host === undefined ? {} : { host }),
      ...(image === undefined ? {} : { image }),
      ...(permitFile === undefined ? {} : { permitFile }),
      ...(hidden === undefined ? {} : { hidden }),
      ...(output === undefined ? {} : { output }),
      ...(log === undefined ? {} : { log }),
    });
    opened.onExit((instance) => this.#tell(instance));
    return opened;
  }

  #tell(instance: string): void {
    for (const listener of this.#listeners) listener(instance);
  }
}
