import { commandOf, isRunning, listRows, variableOf, type Row } from "./table.ts";

/** A process of the fleet, as the host's table shows it. */
export interface Sighting extends Row {
  /** The worker that it belongs to, by the mark in its environment or its parent's. */
  readonly worker: string | undefined;
}

/** How often the table is looked at, ms. */
const LOOK_EVERY_MS = 400;

/**
 * Keeps account of every process of a fleet that the host's table ever shows: what bears the
 * fleet's mark, what descends from its supervisor, and what descends from either.
 */
export class Census {
  readonly #fleet: string;
  readonly #seen = new Map<string, Sighting>();
  readonly #workers = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  /** The supervisor's process, once there is one. */
  supervisor: Row | undefined;
  /** The most workers that had processes at the same time. */
  workersMax = 0;

  constructor(fleet: string) {
    this.#fleet = fleet;
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** The fleet's processes now, its supervisor left out. */
  look(): readonly Sighting[] {
    const rows = listRows();
    const byParent = Map.groupBy(rows, ({ parentPid }) => parentPid);
    const found = new Map<number, Sighting>();
    const add = (row: Row, inherited: string | undefined): void => {
      if (found.has(row.pid) || row.pid === this.supervisor?.pid || row.pid === process.pid) return;
      const worker = this.#markOf(row) ?? inherited;
      found.set(row.pid, { ...row, worker });
      for (const child of byParent.get(row.pid) ?? []) add(child, worker);
    };
    for (const row of rows) if (this.#markOf(row) !== undefined) add(row, undefined);
    for (const row of byParent.get(this.supervisor?.pid ?? -1) ?? []) add(row, undefined);
    return this.#keep([...found.values()]);
  }

  /** The processes of a worker now. */
  of(worker: string): readonly Sighting[] {
    return this.look().filter((sighting) => sighting.worker === worker);
  }

  /** The processes of a worker that were ever seen. */
  everOf(worker: string): readonly Sighting[] {
    this.look();
    return [...this.#seen.values()].filter((sighting) => sighting.worker === worker);
  }

  /** The process of a worker that runs a program, as its command line begins; none: undefined. */
  programOf(worker: string, command: string): Sighting | undefined {
    return this.of(worker).find(({ pid }) => commandOf(pid).startsWith(command));
  }

  /** Every process that was ever seen and still runs. */
  left(): readonly Sighting[] {
    this.look();
    return [...this.#seen.values()].filter(isRunning);
  }

  /** How many processes were ever seen. */
  get seenCount(): number {
    return this.#seen.size;
  }

  /** The workers that ever had a process. */
  get workers(): ReadonlySet<string> {
    return this.#workers;
  }

  /** Stops looking; safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
  }

  #keep(sightings: readonly Sighting[]): readonly Sighting[] {
    const workers = new Set(sightings.flatMap(({ worker }) => worker ?? []));
    for (const worker of workers) this.#workers.add(worker);
    this.workersMax = Math.max(this.workersMax, workers.size);
    for (const sighting of sightings) {
      const key = `${sighting.pid}/${sighting.startTicks}`;
      // Whoever is just ending shows its mark no more.
      const worker = sighting.worker ?? this.#seen.get(key)?.worker;
      this.#seen.set(key, { ...sighting, worker });
    }
    return sightings;
  }

  #markOf({ pid }: Row): string | undefined {
    if (variableOf(pid, "STINT_FLEET") !== this.#fleet) return undefined;
    return variableOf(pid, "STINT_INSTANCE");
  }
}
