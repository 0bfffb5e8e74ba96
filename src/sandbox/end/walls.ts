import type { HitMeasure } from "../../kernel/worker/limit.ts";
import type { Log } from "../../ports/log.ts";

/** The longest that one timer of Node waits, ms; longer times are waited for in parts. */
const timerMsMax = 2 ** 31 - 1;

/** When an end that did not come about, or would have hit a frozen worker, is tried again, ms. */
const againMs = 1_000;

/** A sandbox whose time is counted. */
interface Wall {
  /** By this process's monotonic clock. */
  readonly startedAtMs: number;
  wallMs: number;
  timer: NodeJS.Timeout | undefined;
}

/** Ends a sandbox whose time is over, told how much it had of it, ms. */
type EndOfTime = (instance: string, spent: HitMeasure) => Promise<boolean>;

/**
 * The time that sandboxes are given from the start of their programs. It is counted by the process
 * that started them, and goes on while they are frozen; what is frozen is ended when it is thawed.
 */
export class Walls {
  readonly #walls = new Map<string, Wall>();
  readonly #end: EndOfTime;
  readonly #log: Log;

  /** `end` ends a sandbox whose time is over, and answers whether nothing is left to be done. */
  constructor(end: EndOfTime, log: Log) {
    this.#end = end;
    this.#log = log;
  }

  /** Counts from an instant on; without a limit only so that one may be set later. */
  begin(instance: string, startedAtMs: number, wallMs = Number.POSITIVE_INFINITY): void {
    this.#walls.set(instance, { startedAtMs, wallMs, timer: undefined });
    this.#arm(instance);
  }

  /** Sets another limit, from the same start. Sandboxes that others started are not counted. */
  set(instance: string, wallMs: number): void {
    const wall = this.#walls.get(instance);
    if (wall === undefined) return;
    wall.wallMs = wallMs;
    this.#arm(instance);
  }

  /** Counts no more. */
  drop(instance: string): void {
    clearTimeout(this.#walls.get(instance)?.timer);
    this.#walls.delete(instance);
  }

  /** Counts nothing any more. */
  close(): void {
    for (const instance of this.#walls.keys()) this.drop(instance);
  }

  #arm(instance: string): void {
    const wall = this.#walls.get(instance);
    if (wall === undefined) return;
    clearTimeout(wall.timer);
    if (wall.wallMs === Number.POSITIVE_INFINITY) return;
    const leftMs = wall.startedAtMs + wall.wallMs - performance.now();
    const waitMs = Math.min(timerMsMax, Math.max(0, leftMs));
    wall.timer = setTimeout(() => {
      // A timer may come early, by less than 1 ms, and waits for no more than its longest.
      if (performance.now() < wall.startedAtMs + wall.wallMs) this.#arm(instance);
      else void this.#expire(instance, wall);
    }, waitMs).unref();
  }

  async #expire(instance: string, wall: Wall): Promise<void> {
    const { startedAtMs, wallMs } = wall;
    const spent = { value: wallMs, use: Math.ceil(performance.now() - startedAtMs), count: 1 };
    const isOver = await this.#end(instance, spent).catch((error: unknown) => {
      this.#log.warn("a worker whose time is over could not be ended yet", {
        instance,
        error: String(error),
      });
      return false;
    });
    if (isOver || this.#walls.get(instance) !== wall) return this.drop(instance);
    wall.timer = setTimeout(() => void this.#expire(instance, wall), againMs).unref();
  }
}
