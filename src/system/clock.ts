// Time since boot, suspend included, to the millisecond and in a fraction of a microsecond.
//
// Node has no CLOCK_BOOTTIME. It has /proc/uptime (boot time, but in steps of 10 ms and slow) and
// hrtime (fine and fast, but standing still while the machine is suspended). Their difference, the
// offset, changes only when the machine sleeps, so it is measured seldom and added to hrtime:
//
//     boot(t) = monotonic(t) + offset          offset = time spent suspended
//
// One reading of /proc/uptime bounds the offset to an interval of 10 ms and a little. As long as
// nothing slept, all such intervals hold the same true value, so they are intersected. An interval
// that misses the others means a suspend, and the bounds begin anew.
//
// A suspend is noticed at once, because the wall clock went on while hrtime did not: when the two
// drift apart, the offset is measured again. A stepped wall clock causes a needless measurement and
// nothing else.

import { readFileSync } from "node:fs";
import type { Clock, ClockReading } from "../ports/clock.ts";
import { readBootId } from "./boot.ts";

/** Steps of /proc/uptime, ms. */
const uptimeStepMs = 10;

/** How long an offset is used without being measured again, ms of the monotonic clock. */
const remeasureMs = 1_000;

/** How far wall clock and monotonic clock may drift apart before the offset is measured again. */
const driftMs = 3;

/** A measurement that took longer was interrupted and is repeated, up to `attemptsMax` times. */
const measureMs = 1;
const attemptsMax = 4;

/** Where a clock reads from; the host's own unless a test brings others. */
export interface ClockSources {
  wallMs(): number;
  /** Fine, fast and monotonic; may stand still while the machine is suspended. */
  monotonicNs(): bigint;
  /** The text of /proc/uptime, or undefined where there is none. */
  uptimeText(): string | undefined;
  bootId(): string;
}

/** The sources of this host. */
export const HOST_SOURCES: ClockSources = {
  wallMs: () => Date.now(),
  monotonicNs: () => process.hrtime.bigint(),
  uptimeText: readUptime,
  bootId: readBootId,
};

/**
 * The host's clocks. Readings of boot time never run backwards within a process and agree between
 * the processes of a host to 20 ms.
 *
 * Where there is no /proc/uptime, boot time is hrtime alone, which on macOS and Windows counts
 * from boot and includes suspend.
 */
export function systemClock(sources: ClockSources = HOST_SOURCES): Clock {
  const bootId = sources.bootId();
  const offset = new BootOffset(sources);
  let newestBootMs = 0;
  return {
    monotonicMs: () => monotonicMs(sources),
    read(): ClockReading {
      const wallMs = sources.wallMs();
      const monotonic = monotonicMs(sources);
      const bootMs = Math.floor(monotonic + offset.at(monotonic, wallMs));
      // A narrower interval moves the estimate by some milliseconds, either way.
      newestBootMs = Math.max(newestBootMs, bootMs);
      return { wallMs: Math.floor(wallMs), bootMs: newestBootMs, bootId };
    },
  };
}

/** Keeps the bounds of the offset between boot time and monotonic time. */
class BootOffset {
  readonly #sources: ClockSources;
  #leastMs = Number.NEGATIVE_INFINITY;
  #mostMs = Number.POSITIVE_INFINITY;
  #offsetMs = 0;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #wallAheadMs = 0;

  constructor(sources: ClockSources) {
    this.#sources = sources;
  }

  /** The offset at a monotonic instant, ms. */
  at(monotonic: number, wallMs: number): number {
    const hasDrifted = Math.abs(wallMs - monotonic - this.#wallAheadMs) > driftMs;
    if (hasDrifted || monotonic - this.#measuredAtMs >= remeasureMs) {
      this.#measuredAtMs = monotonic;
      this.#wallAheadMs = wallMs - monotonic;
      this.#measure();
    }
    return this.#offsetMs;
  }

  #measure(): void {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      const before = monotonicMs(this.#sources);
      const uptimeMs = parseUptime(this.#sources.uptimeText());
      const after = monotonicMs(this.#sources);
      if (uptimeMs === undefined) return;
      const isInterrupted = after - before > measureMs;
      if (isInterrupted && attempt < attemptsMax) continue;
      // The text was true at some instant between `before` and `after`, and rounded down.
      this.#narrow(uptimeMs - after, uptimeMs + uptimeStepMs - before);
      return;
    }
  }

  #narrow(leastMs: number, mostMs: number): void {
    const isApart = leastMs > this.#mostMs || mostMs < this.#leastMs;
    this.#leastMs = isApart ? leastMs : Math.max(leastMs, this.#leastMs);
    this.#mostMs = isApart ? mostMs : Math.min(mostMs, this.#mostMs);
    this.#offsetMs = (this.#leastMs + this.#mostMs) / 2;
  }
}

function monotonicMs(sources: ClockSources): number {
  return Number(sources.monotonicNs()) / 1e6;
}

function parseUptime(text: string | undefined): number | undefined {
  const seconds = Number(text?.split(" ", 1)[0]);
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

function readUptime(): string | undefined {
  try {
    return readFileSync("/proc/uptime", "utf8");
  } catch {
    // Not Linux, or /proc is not mounted.
    return undefined;
  }
}
