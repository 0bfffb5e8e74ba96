import type { Observation } from "../kernel/command.ts";
import { isLive, type State } from "../kernel/state.ts";

/** What one reading of a pulse store says of a worker; no count when it has no row. */
export interface Sighting {
  readonly count: number | undefined;
  readonly generation: string;
}

/** How long a worker has been silent, as one watcher saw it. */
export interface Silence {
  readonly worker: string;
  /** The observation at a monotonic instant, ms. */
  at(nowMs: number, seen: Observation["seen"]): Observation;
}

interface Window extends Sighting {
  /** When this count was first seen. */
  readonly sinceMs: number;
  /** When the watcher began to watch this worker in this generation of the store. */
  readonly watchedSinceMs: number;
}

/**
 * For each worker, the window in which a watcher has seen the same count of beats. Instants are of
 * the watcher's monotonic clock. A store that was emptied or replaced begins every window anew: it
 * can only make silence look shorter.
 */
export class SilenceWindows {
  #windows = new Map<string, Window>();
  #unwatched = new Set<string>();

  /** Takes in what was read of a worker, at `atMs` or before. */
  see(worker: string, sighting: Sighting, atMs: number): Silence {
    const window = next(this.#windows.get(worker), sighting, atMs);
    this.#windows.set(worker, window);
    const { count, sinceMs, watchedSinceMs } = window;
    return {
      worker,
      at: (nowMs, seen) => ({
        worker,
        ...(count === undefined ? {} : { beat_count: count }),
        silent_ms: wholeMs(nowMs - sinceMs),
        watched_ms: wholeMs(nowMs - watchedSinceMs),
        seen,
      }),
    };
  }

  /** Lets `ms` pass that count for nobody. */
  pass(ms: number): void {
    for (const [worker, window] of this.#windows) {
      const { sinceMs, watchedSinceMs } = window;
      const later = { sinceMs: sinceMs + ms, watchedSinceMs: watchedSinceMs + ms };
      this.#windows.set(worker, { ...window, ...later });
    }
  }

  /** Ends the windows of all other workers. */
  keepOnly(workers: ReadonlySet<string>): void {
    for (const worker of this.#windows.keys()) {
      if (workers.has(worker)) continue;
      this.#windows.delete(worker);
      this.#unwatched.add(worker);
    }
  }

  /** The workers that were watched and have ended since, each once. */
  takeDead(state: State): readonly string[] {
    const dead: string[] = [];
    for (const id of this.#unwatched) {
      const worker = state.workers.get(id);
      const isOver = worker === undefined || !isLive(worker);
      if (isOver) dead.push(id);
      if (isOver || this.#windows.has(id)) this.#unwatched.delete(id);
    }
    return dead;
  }

  /** Ends all windows. */
  clear(): void {
    this.#windows.clear();
  }
}

function next(window: Window | undefined, sighting: Sighting, atMs: number): Window {
  const isNew =
    window === undefined ||
    window.generation !== sighting.generation ||
    (window.count ?? 0) > (sighting.count ?? 0) ||
    (window.count !== undefined && sighting.count === undefined);
  if (isNew) return { ...sighting, sinceMs: atMs, watchedSinceMs: atMs };
  if (window.count === sighting.count) return window;
  return { ...window, count: sighting.count, sinceMs: atMs };
}

/** Whole milliseconds, rounded down: silence is never made longer than it was. */
function wholeMs(ms: number): number {
  return Math.max(0, Math.floor(ms));
}
