import type { Evidence, Outcome } from "../kernel/worker/evidence.ts";
import type { Degradation } from "../kernel/fleet/contract.ts";
import type { HitMeasure, LimitHit } from "../kernel/worker/limit.ts";
import type { Network } from "../kernel/worker/manifest.ts";

/** What a sandbox may use at most; an absent key is unlimited and not enforced. */
export interface SandboxLimits {
  /** Resident memory of all its processes, page cache included where the host counts it. */
  readonly memory_bytes?: number;
  /** Thousandths of a core. */
  readonly cpu_milli?: number;
  /** Processes and threads at the same time. */
  readonly processes?: number;
  /** Time from the start of its program until it is ended, outcome `timed_out`. */
  readonly wall_ms?: number;
  /** Descriptors that each of its processes may have open; set at its start alone. */
  readonly open_files?: number;
  /** How much of its output is kept, bytes: of more the older half goes; set at its start alone. */
  readonly output_bytes?: number;
}

/** What a sandbox uses; absent fields cannot be measured here. */
export interface SandboxUse {
  readonly memory_bytes?: number;
  readonly processes?: number;
  /** Since its start. */
  readonly cpu_ms?: number;
}

/** One process of a sandbox; what may not be seen of it is absent. */
export interface ExhibitedProcess {
  /** As this process's own pid namespace numbers it. */
  readonly pid: number;
  /** What it calls itself, 15 bytes of it at most. */
  readonly name: string;
  /** One letter of proc(5). */
  readonly state: string;
  readonly open_files?: number;
  /** Resident; pages that processes share count for each of them. */
  readonly memory_bytes?: number;
}

/** What there is in a sandbox at one moment, for the record. */
export interface SandboxExhibit {
  readonly process_count: number;
  readonly open_file_count: number;
  /** Of the sandbox as a whole where that can be measured, else the sum of its processes'. */
  readonly memory_bytes: number;
  /** The first of them by pid. */
  readonly processes: readonly ExhibitedProcess[];
}

/** Takes what a sandbox's processes write; owned by the driver until it closes it. */
export interface OutputSink {
  /** Resolves when it is written; the driver reads no further until then. Never rejects. */
  write(stream: "stdout" | "stderr", chunk: Uint8Array): Promise<void>;
  /** Nothing more comes; safe to call twice. Never rejects. */
  close(): Promise<void>;
  /** How often it has dropped what was older, and how much came in all; undefined: never yet. */
  overflow?(): HitMeasure | undefined;
}

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
  /** What it may use at most. */
  readonly limits?: SandboxLimits;
  /** `none` and `controller` have no network but sockets in `visible` folders; default `open`. */
  readonly network?: Network;
  /** Folders that it is to see though they lie in hidden ones: that of its own socket. */
  readonly visible?: readonly string[];
  /**
   * Folders of the host that it may write to, real and absolute or not there; all else is then
   * read-only, and its home and folders for temporary files are its own, kept in memory and gone
   * with it. Default: whatever its user may write to. Of no effect on the lowest rung.
   */
  readonly writable?: readonly string[];
  /**
   * Folders of the host, real and absolute, of which it may be let write to parts while it runs
   * (see {@link GroundMounts}), and until then to none. Only for drivers that have those.
   */
  readonly ground?: readonly string[];
  /** What it has in the place of other folders of its {@link ground}; whoever gives it makes it. */
  readonly instead?: readonly Instead[];
  /** Files and folders that it is to see though they lie in a folder for temporary files. */
  readonly shown?: readonly string[];
  /** How much that may be, bytes; default: as the system bounds what is kept in memory. */
  readonly scratchBytes?: number;
}

/** A folder of the host that a sandbox has in the place of another. */
export interface Instead {
  /** Real and absolute. */
  readonly from: string;
  /** Absolute, in its ground; a folder, or in another of these one that is there. */
  readonly at: string;
  readonly isReadOnly: boolean;
}

/** A folder that a sandbox is let write to. */
export interface Gift {
  /** Absolute, in its ground; it is made where it is not there. */
  readonly folder: string;
  /** Files and folders in it that stay as they are, absolute; those that are not there yet can. */
  readonly kept: readonly string[];
  /** Folders in it that are not given, absolute; they are made where they are not there. */
  readonly left: readonly string[];
}

/** What somebody outside of all sandboxes has done to a folder that was given. */
export interface Stray {
  readonly folder: string;
  /** Whether what is not given of it can be written to. */
  readonly isOpen: boolean;
}

/** Lets sandboxes write to parts of their ground while they run, and no longer. */
export interface GroundMounts {
  /**
   * Lets a sandbox of this process write to a folder; doing so twice is harmless. Throws `Fault`
   * `sandbox_failed` when it cannot, and then it is as it was: where the way leads through a link,
   * or the sandbox has ended.
   */
  give(instance: string, gift: Gift): Promise<void>;
  /**
   * Takes a folder from a sandbox. True: nothing can write there by what the sandbox had, whoever
   * holds it now. False: something still has a file there open for writing, and can, or it cannot
   * be known that none has; ask again. What has ended, or was not given, is taken.
   */
  take(instance: string, folder: string): Promise<boolean>;
  /** Folders that are not any more where, or as, they were given: moved or removed from outside. */
  strayed(instance: string): readonly Stray[];
}

/** How a sandbox ended, with the evidence for it. */
export interface Ending {
  readonly instance: string;
  readonly evidence: Evidence;
  readonly outcome: Outcome;
  /** The limits that it has hit in its life, as far as that was measured, each once. */
  readonly hits?: readonly LimitHit[];
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
  /**
   * What this driver cannot hold on this host: `same_user`, and of `memory`, `cpu`, `processes`,
   * `network` those that would bind nobody. The rules say which of it matters to a worker.
   */
  readonly degraded: readonly Degradation[];
  /** Absent where it is degraded in `leases`. */
  readonly mounts?: GroundMounts | undefined;
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
  /**
   * Kills what it can of all sandboxes of this fleet on this host by one order, without waiting for
   * any: a kill begins by it, and {@link stop} ends what is left. Nothing where there is no such
   * order. `by`: who or what kills, for the outcomes.
   */
  strike(by: string): Promise<void>;
  /**
   * Sets other limits on a running sandbox: absent keys stay as they are. Answers what it uses
   * when that is above one of them, and then nothing was changed.
   */
  limit(instance: string, limits: SandboxLimits): Promise<SandboxUse | undefined>;
  /** What it uses now; undefined when it has ended or nothing can be measured here. */
  use(instance: string): Promise<SandboxUse | undefined>;
  /**
   * The limits that it has hit since its start, each once: counts only grow, as long as this
   * process has it in its hands. What is only seen by looking is looked at here; nothing is told
   * of what cannot be measured, or has ended.
   */
  hits(instance: string): Promise<readonly LimitHit[]>;
  /** What there is in it now: to be asked of one that is frozen. Undefined when it has ended. */
  examine(instance: string): Promise<SandboxExhibit | undefined>;
  /** Forgets a sandbox that has ended and whose end is journaled. */
  forget(instance: string): Promise<void>;
  /** Calls `listener` when the first process of a sandbox that this process started exits. */
  onExit(listener: (instance: string) => void): () => void;
  /** Lets go without stopping anything; safe to call twice. */
  close(): Promise<void>;
}
