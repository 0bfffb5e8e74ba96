// A sandbox on an upper rung, from its record on disk alone: by whoever has to end it, its starter
// or not. Two things hold it together, and no process inside can leave either of them:
//
// - its pid namespace, whose processes the kernel kills when the keeper, its first process, ends,
// - its control group, where there is one, which has the launcher and the wrapper in it as well.
//
// So its end is seen and not only not contradicted: the keeper is dead, nothing is left in the
// namespace, and the group is empty and can be removed.

import { setTimeout as sleep } from "node:timers/promises";
import {
  isDead,
  isRunning,
  isSame,
  type ProcessIdentity,
  readProcess,
} from "../../../system/process.ts";
import type { LimitHit } from "../../../kernel/worker/limit.ts";
import { codeOf } from "../../../ports/error-code.ts";
import type { Cgroup, CgroupUse } from "../../cgroup/cgroup.ts";
import type { EnclosureRecord, ProcessRecord } from "../record.ts";
import { isNamespaceInit, listNamespaces } from "./namespace.ts";

const pauseMsMin = 2;
const pauseMsMax = 50;

/** What was found when a sandbox had ended. */
export interface EnclosureEnd {
  /** Processes that it had when it was killed; 0 when it was found ended. */
  readonly killedCount: number;
  /** What it had used, as far as its control group told. */
  readonly used: CgroupUse;
  /** What it had been up against, as far as its control group told. */
  readonly hits: readonly LimitHit[];
  /** Whether its program was ever let run. */
  readonly wasStarted: boolean;
  /** What became of its control group. */
  readonly cgroup: "empty and removed" | "empty" | "none";
}

/** What an enclosure is found by. */
export interface EnclosureParts {
  readonly record: ProcessRecord;
  readonly enclosure: EnclosureRecord;
  /** Whether the pids in the record mean what they meant; false after the host began anew. */
  readonly isOfThisBoot: boolean;
  /** Its control group; undefined where it has none, or this process may not use it. */
  readonly cgroup: Cgroup | undefined;
}

/** What keeps the processes of one sandbox together on the upper rungs. */
export class Enclosure {
  readonly cgroup: Cgroup | undefined;
  readonly #launcher: ProcessIdentity | undefined;
  readonly #keeper: ProcessIdentity | undefined;
  readonly #namespace: string | null;

  constructor({ record, enclosure, isOfThisBoot, cgroup }: EnclosureParts) {
    this.cgroup = cgroup;
    this.#launcher = isOfThisBoot ? identify(record.process) : undefined;
    this.#keeper = isOfThisBoot ? identify(enclosure.init) : undefined;
    this.#namespace = isOfThisBoot ? enclosure.namespace : null;
  }

  /** Whether its program may have run: its keeper is on record. */
  get wasStarted(): boolean {
    return this.#keeper !== undefined;
  }

  /** Whether a process is one that Stint has put around the program, and hears no request. */
  isFrame(process: ProcessIdentity): boolean {
    return [this.#launcher, this.#keeper].some((own) => own !== undefined && isSame(own, process));
  }

  /** Whether something of it is alive, as far as its record tells. */
  async isAlive(): Promise<boolean> {
    if (this.#living().length > 0) return true;
    return this.cgroup !== undefined && !(await this.cgroup.isEmpty());
  }

  /** The processes inside, without those that Stint has put around the program. */
  async inside(): Promise<readonly number[]> {
    const all = await (this.cgroup === undefined ? this.#members() : this.cgroup.members());
    const frame = [this.#launcher, this.#keeper].map((own) => own?.pid);
    return all.filter((pid) => !frame.includes(pid));
  }

  /** Waits until it has ended by itself; false when it has not at the deadline. */
  async hasEndedBy(deadlineAtMs: number): Promise<boolean> {
    for (let round = 0; await this.isAlive(); round += 1) {
      if (performance.now() >= deadlineAtMs) return false;
      await sleep(pauseOf(round));
    }
    return true;
  }

  /**
   * Kills all of it and waits until the kernel shows that nothing is left; undefined when it does
   * not at the deadline. Then its group is measured and removed. `onCount` is told how many there
   * are, before they are killed.
   */
  async end(
    deadlineAtMs: number,
    onCount: (count: number) => void = () => undefined,
  ): Promise<EnclosureEnd | undefined> {
    let killedCount = 0;
    for (let round = 0; ; round += 1) {
      if (!(await this.isAlive()) && (await this.#isNamespaceGone())) break;
      if (round > 0 && performance.now() >= deadlineAtMs) return undefined;
      if (round === 0) {
        killedCount = await this.#count();
        onCount(killedCount);
      }
      await this.#kill();
      await sleep(pauseOf(round));
    }
    const used = this.cgroup?.total() ?? {};
    const hits = (await this.cgroup?.hits()) ?? [];
    await this.cgroup?.remove();
    const cgroup = this.cgroup === undefined ? "none" : "empty and removed";
    return { killedCount, used, hits, wasStarted: this.wasStarted, cgroup };
  }

  async #kill(): Promise<void> {
    for (const { pid } of this.#living()) killProcess(pid);
    await this.cgroup?.kill();
  }

  /** The launcher, or what it has become, and the keeper, as long as they live. */
  #living(): readonly ProcessIdentity[] {
    return [this.#launcher, this.#keeper].filter((one) => one !== undefined).filter(isRunning);
  }

  async #count(): Promise<number> {
    if (this.cgroup !== undefined) return (await this.cgroup.members()).length;
    const inside = (await this.#members()).filter((pid) => pid !== this.#keeper?.pid);
    return inside.length + this.#living().length;
  }

  async #members(): Promise<readonly number[]> {
    if (this.#namespace === null) return [];
    const listed = (await listNamespaces()).get(this.#namespace) ?? [];
    // A keeper is a zombie until whoever inherited it looks: all of its namespace ended before.
    return listed.filter((pid) => {
      const status = readProcess(pid);
      return status !== undefined && !isDead(status);
    });
  }

  /** The kernel may have given the number of a namespace that is gone to another by now. */
  async #isNamespaceGone(): Promise<boolean> {
    const members = await this.#members();
    return members.length === 0 || members.some((pid) => this.#isOtherInit(pid));
  }

  #isOtherInit(pid: number): boolean {
    const status = readProcess(pid);
    const isOurs =
      status !== undefined && this.#keeper !== undefined && isSame(status, this.#keeper);
    return isNamespaceInit(pid) && !isOurs;
  }
}

function identify(
  process: { readonly pid: number; readonly start_ticks: number } | null,
): ProcessIdentity | undefined {
  return process === null ? undefined : { pid: process.pid, startTicks: process.start_ticks };
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // ESRCH: it ended since it was looked at.
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

function pauseOf(round: number): number {
  return Math.min(pauseMsMax, pauseMsMin * 2 ** Math.min(round, 10));
}
