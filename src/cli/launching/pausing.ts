import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseHandle } from "../../library/lease/hold.ts";
import type { CommandGroup } from "./command-group.ts";
import type { Guardian } from "./guardian.ts";
import type { Stopping } from "./stopping.ts";

/** What is stopped, what ends it, and who ends it when this program is killed meanwhile. */
export interface Paused {
  readonly group: CommandGroup;
  readonly stopping: Stopping;
  readonly guardian: Guardian;
}

/**
 * Stops a group while this program is stopped, as by Ctrl-Z: nobody renews meanwhile. It runs on
 * when the lease has been looked at and still holds; otherwise it is killed and never runs on.
 */
export class Pausing {
  isPaused = false;
  #count = 0;
  readonly #lease: LeaseHandle;
  readonly #so: Paused;

  constructor(lease: LeaseHandle, so: Paused) {
    this.#lease = lease;
    this.#so = so;
  }

  /** Hears the signals from now on. Returns how to stop that. */
  listen(): () => void {
    const onStop = (): void => this.#pause();
    const onContinue = (): void => void this.#resume();
    process.on("SIGTSTP", onStop);
    process.on("SIGCONT", onContinue);
    return () => {
      process.off("SIGTSTP", onStop);
      process.off("SIGCONT", onContinue);
    };
  }

  #pause(): void {
    const { group, guardian } = this.#so;
    this.isPaused = true;
    this.#count += 1;
    group.kill("SIGSTOP");
    // Who is killed while he is stopped may have no lease any more.
    guardian.endBy("KILL");
    process.kill(process.pid, "SIGSTOP");
  }

  async #resume(): Promise<void> {
    if (!this.isPaused) return;
    const { group, stopping, guardian } = this.#so;
    const count = this.#count;
    await this.#ask();
    // It was stopped again meanwhile, or has been ended.
    if (count !== this.#count || !this.isPaused) return;
    const leftMs = leftMsOf(this.#lease);
    if (this.#lease.signal.aborted || leftMs <= 0) return stopping.finish();
    this.isPaused = false;
    guardian.endBy("TERM");
    if (leftMs <= stopping.graceMs) stopping.begin();
    else group.kill("SIGCONT");
  }

  /** Renews the lease, or learns that it is lost, within the time that it can be relied on. */
  async #ask(): Promise<void> {
    const forMs = leftMsOf(this.#lease) - this.#so.stopping.graceMs;
    if (forMs <= 0) return;
    const answered = new AbortController();
    const waited = sleep(forMs, undefined, { signal: answered.signal });
    try {
      await Promise.race([this.#lease.renew(), waited]);
    } catch {
      // Where it was lost its signal has said so; else it holds for as long as was known before.
    } finally {
      answered.abort();
      waited.catch(() => undefined);
    }
  }
}

/** How long a lease can be relied on yet, ms; below 0 when it is over. */
export function leftMsOf(lease: LeaseHandle): number {
  return lease.trustedUntil - performance.now();
}
