import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDead, type ProcessStatus, readProcess } from "../../system/process.ts";
import type { FirstProcess } from "./record.ts";

/** Pids read before other work of this process gets its turn. */
const pidsPerTurn = 64;

/** Times the list of pids is read in one listing: what began during it is looked at too. */
const roundsMax = 4;

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
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<readonly CountedProcess[]> | undefined;

  constructor(fleet: string) {
    this.#fleet = fleet;
  }

  /** All processes, zombies included: their pids are taken too. */
  take(): Promise<readonly CountedProcess[]> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#running.then(() => {
      this.#next = undefined;
      return this.#scan();
    });
    this.#next = next;
    // A listing that failed is told to those who asked for it, and holds up nobody after them.
    this.#running = next.catch(() => undefined);
    return next;
  }

  async #scan(): Promise<readonly CountedProcess[]> {
    const rows: CountedProcess[] = [];
    const looked = new Set<string>();
    for (let round = 0; round < roundsMax; round += 1) {
      const fresh = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && !looked.has(pid));
      if (fresh.length === 0) break;
      for (const pid of fresh) {
        looked.add(pid);
        if (looked.size % pidsPerTurn === 0) await nextTurn();
        const status = readProcess(Number(pid));
        if (status === undefined) continue;
        rows.push({ ...status, instances: this.#instancesOf(status) });
      }
    }
    return rows;
  }

  /** The instances that a process carries the mark of, more than one if it was given several. */
  #instancesOf(status: ProcessStatus): readonly string[] {
    const environment = readEnvironment(status);
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
  const alive = rows.filter((row) => !isDead(row));
  const groupIsOurs = wanted.first !== undefined && !isReused(wanted.first, rows);
  const found = new Map<number, CountedProcess>();
  for (const row of alive) {
    const isMarked = row.instances.includes(wanted.instance);
    if (isMarked || (groupIsOurs && isGrouped(row, wanted.first))) found.set(row.pid, row);
  }
  const isSibling = (row: CountedProcess): boolean =>
    row.instances.some((instance) => instance !== wanted.instance && isSandbox(instance));
  addDescendants(
    found,
    alive.filter((row) => !isSibling(row)),
  );
  // In a container the first process may bear a mark by inheritance; it is nobody's to signal.
  found.delete(1);
  return [...found.values()];
}

function addDescendants(
  found: Map<number, CountedProcess>,
  candidates: readonly CountedProcess[],
): void {
  let hasGrown = true;
  while (hasGrown) {
    hasGrown = false;
    for (const row of candidates) {
      if (found.has(row.pid) || !found.has(row.parentPid)) continue;
      found.set(row.pid, row);
      hasGrown = true;
    }
  }
}

/**
 * Whether the pid of a first process belongs to another process now. The kernel gives a number
 * away again only when no process, group or session has it: then none of ours is left under it.
 */
function isReused(first: FirstProcess, rows: readonly CountedProcess[]): boolean {
  const bearer = rows.find((row) => row.pid === first.pid);
  return bearer !== undefined && bearer.startTicks !== first.start_ticks;
}

function isGrouped(row: CountedProcess, first: FirstProcess | undefined): boolean {
  if (first === undefined || row.startTicks < first.start_ticks) return false;
  return row.groupId === first.group || row.sessionId === first.session;
}

function readEnvironment(status: ProcessStatus): readonly string[] {
  // Threads of the kernel have no environment, no group and no session.
  if (status.groupId === 0 && status.sessionId === 0) return [];
  try {
    return readFileSync(`/proc/${status.pid}/environ`, "utf8").split("\0");
  } catch {
    // It ended, or is of another user, whose processes this one could not signal either.
    return [];
  }
}
