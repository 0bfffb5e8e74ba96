import { existsSync, readlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxRecord } from "../../ports/sandbox.ts";
import { readBootId } from "../../system/boot.ts";
import { isRunning, ownIdentity } from "../../system/process.ts";
import { Census, type CountedProcess, membersOf } from "./census.ts";
import { OWN_FILES } from "../folder/notes.ts";
import {
  type EnclosureRecord,
  type FirstProcess,
  type ProcessRecord,
  readRecord,
} from "./record.ts";
import type { Lister, Listing } from "./sweep.ts";

/** Whose sandboxes these are, and where their folders lie. */
export interface Place {
  readonly root: string;
  readonly fleet: string;
  readonly host: string;
}

const ALIVE = "alive";

/** A sandbox as it is seen by itself. */
interface Glance {
  readonly instance: string;
  readonly record: ProcessRecord | undefined;
  /** What is to be told of it while its first process runs. */
  readonly up: SandboxRecord | undefined;
}

/** Looks at the sandboxes of one fleet on this host: their records, and their processes. */
export class Lookout {
  readonly place: Place;
  readonly #census: Census;
  readonly #pidNamespace = readPidNamespace();
  readonly #bootId = readBootId();

  constructor(place: Place) {
    this.place = place;
    this.#census = new Census(place.fleet);
  }

  /** The folder of a sandbox, whether or not there is one. */
  folder(instance: string): string {
    return join(this.place.root, instance);
  }

  /** A record of a sandbox that this process is about to claim. */
  newRecord(instance: string, run: readonly string[], enclosure?: EnclosureRecord): ProcessRecord {
    const { pid, startTicks } = ownIdentity();
    return {
      version: 1,
      instance,
      fleet: this.place.fleet,
      host: this.place.host,
      boot_id: this.#bootId,
      pid_namespace: this.#pidNamespace,
      claimed_by: { pid, start_ticks: startTicks },
      run,
      process: null,
      ...(enclosure === undefined ? {} : { enclosure }),
    };
  }

  /**
   * All sandboxes of this fleet on this host, by instance. `pidOf` tells the first process of those
   * that this process knows to run. Only where some do not there is a need to look at all others.
   */
  async list(pidOf: (instance: string) => number | undefined): Promise<SandboxRecord[]> {
    const instances = await this.#instances();
    const looks = await Promise.all(instances.map((name) => this.#glance(name, pidOf(name))));
    // After the records: a process that a record names is in the listing, if it is alive.
    const rows = looks.some(({ up }) => up === undefined) ? await this.#census.take() : [];
    return looks.flatMap(({ instance, record, up }) => {
      if (record !== undefined && !this.#isOurs(record)) return [];
      return [up ?? this.#describe(instance, record, rows)];
    });
  }

  async #glance(instance: string, pid: number | undefined): Promise<Glance> {
    if (pid !== undefined)
      return { instance, record: undefined, up: { instance, pid, seen: ALIVE } };
    const record = await readRecord(this.folder(instance));
    if (!this.#isUp(record)) return { instance, record, up: undefined };
    return { instance, record, up: { instance, pid: record.process.pid, seen: ALIVE } };
  }

  /** One sandbox, as {@link list} would show it. */
  async look(instance: string): Promise<SandboxRecord> {
    const record = await readRecord(this.folder(instance));
    // While its first process runs there is no need to look at all others.
    if (this.#isUp(record)) return { instance, pid: record.process.pid, seen: ALIVE };
    return this.#describe(instance, record, await this.#census.take());
  }

  #isUp(
    record: ProcessRecord | undefined,
  ): record is ProcessRecord & { readonly process: FirstProcess } {
    if (record === undefined || record.process === null) return false;
    const { pid, start_ticks: startTicks } = record.process;
    return record.boot_id === this.#bootId && this.canSee(record) && isRunning({ pid, startTicks });
  }

  /** Lists the processes of one sandbox; a record as it was when the listing began to matter. */
  lister(instance: string, record: ProcessRecord | undefined): Lister {
    return async () => this.#listing(instance, record, await this.#census.take());
  }

  /** Whether this process can see the processes of a sandbox: pids are of one namespace. */
  canSee(record: ProcessRecord | undefined): boolean {
    return record === undefined || record.pid_namespace === this.#pidNamespace;
  }

  /** Whether what a record names was started since this host began: else its pids mean nothing. */
  isOfThisBoot(record: ProcessRecord): boolean {
    return record.boot_id === this.#bootId;
  }

  /** Whether its starter is alive, permitted, and has not yet written down what may run. */
  isStarting(record: ProcessRecord | undefined): boolean {
    if (record === undefined) return false;
    const isOnRecord = record.process !== null && record.enclosure?.init !== null;
    if (isOnRecord) return false;
    const { pid, start_ticks: startTicks } = record.claimed_by;
    const isPermitted = existsSync(join(this.folder(record.instance), OWN_FILES.permit));
    return isPermitted && record.boot_id === this.#bootId && isRunning({ pid, startTicks });
  }

  async #instances(): Promise<string[]> {
    const names = await readdir(this.place.root);
    return names.filter((name) => !name.startsWith(".")).toSorted();
  }

  #isOurs(record: ProcessRecord): boolean {
    return record.fleet === this.place.fleet && record.host === this.place.host;
  }

  #describe(
    instance: string,
    record: ProcessRecord | undefined,
    rows: readonly CountedProcess[],
  ): SandboxRecord {
    const pid = record?.process?.pid;
    const seen = this.#seen(this.#listing(instance, record, rows), record);
    return { instance, ...(pid === undefined ? {} : { pid }), seen };
  }

  #seen(listing: Listing, record: ProcessRecord | undefined): SandboxRecord["seen"] {
    if (listing.members.length > 0 || listing.includesSelf) return "alive";
    const isClear = record !== undefined && this.canSee(record) && !this.isStarting(record);
    return isClear ? "gone" : "unknown";
  }

  #listing(
    instance: string,
    record: ProcessRecord | undefined,
    all: readonly CountedProcess[],
  ): Listing {
    // After a boot, and in another namespace, the pid in the record means some other process.
    const isValid = record?.boot_id === this.#bootId && this.canSee(record);
    const first = isValid ? (record?.process ?? undefined) : undefined;
    const isSandbox = (other: string): boolean => existsSync(this.folder(other));
    const found = membersOf({ instance, first }, all, isSandbox);
    const members = found.filter((row) => row.pid !== process.pid);
    return { members, includesSelf: members.length < found.length, all };
  }
}

function readPidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    // A kernel without namespaces has one for all.
    return "none";
  }
}
