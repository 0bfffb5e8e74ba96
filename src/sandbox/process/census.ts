import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { isDead, isSame, type ProcessStatus, readProcess } from "../../system/process.ts";
import type { FirstProcess } from "./record.ts";
import { shareScans } from "./scan.ts";

/** Pids read before other work of this process gets its turn. */
const pidsPerTurn = 64;

/** Times the list of pids is read in one listing: what began during it is looked at too. */
const roundsMax = 4;

/** Times an environment that reads as empty is read again: in execve(2) it does, for a moment. */
const rereadsMax = 5;

/** How long is waited before it is, ms. */
const rereadMs = 1;

/** A process, and the instances of one fleet that its environment names. */
export interface CountedProcess extends ProcessStatus {
  readonly instances: readonly string[];
}

/** What is known of a sandbox before its processes are looked for. */
export interface Wanted {
  readonly instance: string;
  /** Its first process; undefined when it has none, or when its pid no longer means it. */
  readonly first: FirstProcess | undefined;
}

/**
 * Lists the processes of this host as one fleet sees them.
 * Listings asked for at the same time are one listing, begun after the last of them was asked for.
 */
export class Census {
  readonly #fleet: string;
  /** All processes, zombies included: their pids are taken too. */
  readonly take: () => Promise<readonly CountedProcess[]> = shareScans(() => this.#scan());

  constructor(fleet: string) {
    this.#fleet = fleet;
  }

  async #scan(): Promise<readonly CountedProcess[]> {
    const rows: CountedProcess[] = [];
    const blank: ProcessStatus[] = [];
    const looked = new Set<string>();
    for (let round = 0; round < roundsMax; round += 1) {
      const fresh = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && !looked.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        looked.add(pid);
        if (looked.size % pidsPerTurn === 0) await nextTurn();
        const status = readProcess(Number(pid));
        if (status === undefined) continue;
        const row = this.#read(status);
        if (row === undefined) blank.push(status);
        else rows.push(row);
      }
    }
    return [...rows, ...(await this.#readAgain(blank))];
  }

  /**
   * Looks again at what showed no environment. It may be becoming another program: without its
   * mark a worker would be missed, and one that another worker started would be taken for a part
   * of that.
   */
  async #readAgain(statuses: readonly ProcessStatus[]): Promise<CountedProcess[]> {
    const rows: CountedProcess[] = [];
    let blank = statuses;
    for (let count = 0; count < rereadsMax && blank.length > 0; count += 1) {
      await sleep(rereadMs);
      const still: ProcessStatus[] = [];
      for (const before of blank) {
        const status = readProcess(before.pid);
        if (status === undefined || !isSame(status, before)) continue;
        const row = this.#read(status);
        if (row === undefined) still.push(status);
        else rows.push(row);
      }
      blank = still;
    }
    return [...rows, ...blank.map((status) => ({ ...status, instances: [] }))];
  }

  /** A process with the marks in its environment; undefined while that is blank. */
  #read(status: ProcessStatus): CountedProcess | undefined {
    const text = readEnvironment(status);
    if (text === "" && !isDead(status)) return undefined;
    return { ...status, instances: this.#instancesIn(text ?? "") };
  }

  /** The instances that an environment bears the mark of, more than one if it was given several. */
  #instancesIn(text: string): readonly string[] {
    const environment = text.split("\0");
    if (!environment.includes(`STINT_FLEET=${this.#fleet}`)) return [];
    const prefix = "STINT_INSTANCE=";
    return environment
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length));
  }
}

/**
 * The living processes of a sandbox, the host's first process left out. A sandbox has:
 *
 * 1. what bears its mark,
 * 2. what is in the group or the session of its first process,
 * 3. what descends from these, but for sandboxes of the same fleet: a worker's process may have
 *    started those, and still they are siblings, never parts of each other.
 */
export function membersOf(
  wanted: Wanted,
  rows: readonly CountedProcess[],
  isSandbox: (instance: string) => boolean,
): CountedProcess[] {
  const crowd = crowdOf(rows);
  const { instance, first } = wanted;
  const found = new Map<number, CountedProcess>();
  const add = (row: CountedProcess): void => void found.set(row.pid, row);
  for (const row of crowd.byInstance.get(instance) ?? []) add(row);
  if (first !== undefined && !isReused(first, crowd)) {
    const together = [crowd.byGroup.get(first.group), crowd.bySession.get(first.session)];
    for (const row of together.flatMap((one) => one ?? [])) if (isSince(row, first)) add(row);
  }
  const isSibling = (row: CountedProcess): boolean =>
    row.instances.some((other) => other !== instance && isSandbox(other));
  // A map grows while it is iterated: each new process is visited in its turn.
  for (const pid of found.keys())
    for (const child of crowd.byParent.get(pid) ?? [])
      if (!found.has(child.pid) && !isSibling(child)) add(child);
  // In a container the first process may bear a mark by inheritance; it is nobody's to signal.
  found.delete(1);
  return [...found.values()];
}

/** One listing's processes by what sandboxes are looked for by; the living but for `byPid`. */
interface Crowd {
  readonly byPid: ReadonlyMap<number, CountedProcess>;
  readonly byParent: ReadonlyMap<number, readonly CountedProcess[]>;
  readonly byGroup: ReadonlyMap<number, readonly CountedProcess[]>;
  readonly bySession: ReadonlyMap<number, readonly CountedProcess[]>;
  readonly byInstance: ReadonlyMap<string, readonly CountedProcess[]>;
}

const crowds = new WeakMap<readonly CountedProcess[], Crowd>();

/** Sorts a listing once: of hundreds of sandboxes each is looked for in the same one. */
function crowdOf(rows: readonly CountedProcess[]): Crowd {
  const known = crowds.get(rows);
  if (known !== undefined) return known;
  const alive = rows.filter((row) => !isDead(row));
  const marked = alive.flatMap((row) => row.instances.map((instance) => ({ row, instance })));
  const crowd: Crowd = {
    byPid: new Map(rows.map((row) => [row.pid, row])),
    byParent: Map.groupBy(alive, ({ parentPid }) => parentPid),
    byGroup: Map.groupBy(alive, ({ groupId }) => groupId),
    bySession: Map.groupBy(alive, ({ sessionId }) => sessionId),
    byInstance: new Map(
      [...Map.groupBy(marked, ({ instance }) => instance)].map(([instance, found]) => [
        instance,
        found.map(({ row }) => row),
      ]),
    ),
  };
  crowds.set(rows, crowd);
  return crowd;
}

/**
 * Whether the pid of a first process belongs to another process now. The kernel gives a number
 * away again only when no process, group or session has it: then none of ours is left under it.
 */
function isReused(first: FirstProcess, { byPid }: Crowd): boolean {
  const bearer = byPid.get(first.pid);
  return bearer !== undefined && bearer.startTicks !== first.start_ticks;
}

/** A group's or session's number may be that of an earlier one: nothing of ours is older. */
function isSince(row: CountedProcess, first: FirstProcess): boolean {
  return row.startTicks >= first.start_ticks;
}

/** The environment of a process as the kernel shows it; undefined where it shows none. */
function readEnvironment(status: ProcessStatus): string | undefined {
  // Threads of the kernel have no environment, no group and no session.
  if (status.groupId === 0 && status.sessionId === 0) return undefined;
  try {
    return readFileSync(`/proc/${status.pid}/environ`, "utf8");
  } catch {
    // It ended, or is of another user, whose processes this one could not signal either.
    return undefined;
  }
}
