import type { Evidence, Outcome } from "../kernel/worker/evidence.ts";

/** What to run, and as which worker. */
export interface SandboxSpec {
  readonly instance: string;
  /** The program and its arguments. */
  readonly run: readonly [string, ...string[]];
  readonly cwd?: string;
  /** Added to an otherwise small environment; never secrets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files to lay into the sandbox's own folder before the start, mode 0600, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** How a sandbox ended, with the evidence for it. */
export interface Ending {
  readonly instance: string;
  readonly evidence: Evidence;
  readonly outcome: Outcome;
}

/** A sandbox as its driver knows it, from its own records on disk. */
export interface SandboxRecord {
  readonly instance: string;
  readonly pid?: number;
  /** Whether something of it is alive now; `unknown` when the driver cannot tell. */
  readonly seen: "alive" | "gone" | "unknown";
}

/**
 * Runs workers. A start is idempotent by instance: creating the sandbox's record is the claim.
 * Records are on disk before the program runs, so another process can find and sweep it.
 */
export interface Sandbox {
  /** What this driver cannot hold that a better one would, e.g. `same_user`. */
  readonly degraded: readonly string[];
  /** The rung of containment, in words. */
  readonly rung: string;
  /** Starts a worker. Throws `Fault` `sandbox_failed` when nothing was left running. */
  start(spec: SandboxSpec): Promise<SandboxRecord>;
  /** The sandbox's folder, where its files lie and its output goes. */
  folder(instance: string): string;
  /** All sandboxes of this fleet on this host, the ended ones not yet forgotten included. */
  list(): Promise<readonly SandboxRecord[]>;
  /** Stops every process of it from running, without ending it. */
  freeze(instance: string): Promise<void>;
  /** Lets it run again. */
  thaw(instance: string): Promise<void>;
  /**
   * Ends it: asks first if `graceMs` > 0, then kills and sweeps until two listings are empty.
   * Answers undefined when something of it is still alive `deadlineMs` after the asking, or when
   * it cannot be seen from here. What was never started counts as ended and can never be started
   * after; stopping again answers the same outcome.
   */
  stop(
    instance: string,
    options: { readonly graceMs: number; readonly deadlineMs: number; readonly by: string },
  ): Promise<Ending | undefined>;
  /** Forgets a sandbox that has ended and whose end is journaled. */
  forget(instance: string): Promise<void>;
  /** Calls `listener` when the first process of a sandbox that this process started exits. */
  onExit(listener: (instance: string) => void): () => void;
  /** Lets go without stopping anything; safe to call twice. */
  close(): Promise<void>;
}
