import type { LimitHit } from "../../kernel/worker/limit.ts";
import type { SandboxLimits, SandboxUse } from "../../ports/sandbox.ts";

/** Something that a group of processes can be held to, or have done to it as a whole. */
export type CgroupPower = "memory" | "cpu" | "processes" | "freeze" | "kill";

/** A power that is missing here: why, and how to get it, in sentences for `doctor`. */
export interface MissingPower {
  readonly what: CgroupPower;
  readonly why: string;
  readonly remedy: string;
}

/** What a group uses; absent fields cannot be measured here. */
export interface CgroupUse extends SandboxUse {
  /** The most memory that it ever used at a time. */
  readonly peak_memory_bytes?: number;
  /** Processes of it that the kernel killed because its memory was used up. */
  readonly oom_kill_count?: number;
}

/** What is particular about an order to kill all of a fleet. */
export interface StrikeOptions {
  /** Whether a sandbox was met by an order before. */
  readonly isMet?: (instance: string) => boolean;
  /** Told how many processes each sandbox has that has any, before they are killed. */
  readonly onFound?: (counts: ReadonlyMap<string, number>) => void;
}

/** The control groups of one fleet on this host, a flat row of them: one per sandbox. */
export interface CgroupTree {
  /** What can be held here. */
  readonly can: Readonly<Record<CgroupPower, boolean>>;
  /** For each thing that cannot be held: why, and how to get it. */
  readonly missing: readonly MissingPower[];
  /**
   * Makes the group of a sandbox, or answers it when it is there.
   * Throws `Fault` `sandbox_failed` when the host refuses.
   */
  create(instance: string): Promise<Cgroup>;
  /** The group of a sandbox, whether it exists or not, wherever an earlier owner has put it. */
  open(instance: string): Cgroup;
  /** Whether the group of a sandbox is found in every hierarchy, without looking any further. */
  has(instance: string): boolean;
  /**
   * Has the kernel kill all that is in groups of the fleet, by one order for all in a place: those
   * that are where groups were known to be, or those for which the host has to be searched. Where
   * the kernel knows no such order, and where this process is in such a group itself, nothing
   * happens; nor where nobody is left but those who were met by an earlier order.
   */
  kill(where: "known" | "elsewhere", options?: StrikeOptions): Promise<void>;
  /** Whether the kernel says that nobody is left in any group of the fleet that is known of. */
  isDeserted(): Promise<boolean>;
  /** All sandboxes that have a group, those that a crashed owner has left included. */
  list(): Promise<readonly string[]>;
  /** Those of {@link list} that are where groups were known to be: the host is not searched. */
  listKnown(): Promise<readonly string[]>;
}

/**
 * One control group: the same name in each hierarchy that is used. Whatever its processes do
 * (fork, setsid, change their environment), they stay in it.
 */
export interface Cgroup {
  /** A launcher that writes "0", or its pid, into each of these has joined. */
  readonly joinFiles: readonly string[];
  /**
   * Sets its limits: absent keys stay as they are, swap is limited with memory where the host can.
   * Answers what it uses when that is above one of them, and then nothing was changed.
   */
  limit(limits: SandboxLimits): Promise<CgroupUse | undefined>;
  /** What it uses now; all fields are absent when it does not exist. */
  use(): Promise<CgroupUse>;
  /** What of it changes from one moment to the next; for samples of many groups, without delay. */
  readonly gauge: () => SandboxUse;
  /** What it has used since it was made: what of {@link use} there is when nothing is in it. */
  readonly total: () => CgroupUse;
  /** Memory and processes, where it was found up against what it may have of them. */
  hits(): Promise<readonly LimitHit[]>;
  /** Its processes, in all groups below it too, as pids of this process's own pid namespace. */
  members(): Promise<readonly number[]>;
  /** Its processes as one hierarchy has them: enough for a look, not for an end. */
  glance(): Promise<readonly number[]>;
  /** Whether no process is in it; true also when it does not exist. */
  isEmpty(): Promise<boolean>;
  /** Stops it from running; false when some of it still ran `deadlineMs` later. */
  freeze(deadlineMs: number): Promise<boolean>;
  /** Lets it run again. */
  thaw(): Promise<void>;
  /** Has the kernel kill all of it, frozen or not. It may take a while to be empty then. */
  kill(): Promise<void>;
  /**
   * Removes it and what is below it; safe to repeat.
   * Throws `Fault` `sandbox_failed` (retryable) when a process is still in it.
   */
  remove(): Promise<void>;
}
