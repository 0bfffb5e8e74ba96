import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import { noteDocument } from "../folder/document.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { type ProcessRecord, readRecord } from "./record.ts";
import { freeze, isFrozen, type Lister, thaw } from "./sweep.ts";
import type { Workshop } from "./workshop.ts";

const startPauseMs = 10;

/**
 * Freezes sandboxes and thaws them: by their control groups, which none of their processes can
 * leave, else one process after the other until nothing is found that runs.
 */
export class Freezer {
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /** Freezes a sandbox, one that is being started as soon as it is. */
  async freeze(instance: string): Promise<void> {
    const { lookout } = this.#workshop.parts;
    const deadline = performance.now() + LIMITS.killSweepMs;
    const folder = lookout.folder(instance);
    let record = await readRecord(folder);
    while (lookout.isStarting(record) && performance.now() < deadline) {
      await sleep(startPauseMs);
      record = await readRecord(folder);
    }
    const list = await this.#reach(instance, record);
    if (await this.#freezeGroup(record, deadline)) return;
    if (await freeze(list, deadline)) return;
    const message = `${instance} must be frozen within ${LIMITS.killSweepMs} ms, some of it runs`;
    throw new Fault("sandbox_failed", message, { retryable: true });
  }

  /** Lets a sandbox run again, however it was frozen. */
  async thaw(instance: string): Promise<void> {
    const folder = this.#workshop.parts.lookout.folder(instance);
    const record = await readRecord(folder);
    const list = await this.#reach(instance, record);
    await (await this.#workshop.cgroupOf(record))?.thaw();
    await rm(join(folder, OWN_FILES.frozen), { force: true });
    if (await thaw(list, performance.now() + LIMITS.killSweepMs)) return;
    const message = `${instance} must run within ${LIMITS.killSweepMs} ms, some of it is stopped`;
    throw new Fault("sandbox_failed", message, { retryable: true });
  }

  /** Whether a sandbox is frozen, as far as its record and one look at its processes tell. */
  async isFrozen(instance: string): Promise<boolean> {
    const { lookout } = this.#workshop.parts;
    const folder = lookout.folder(instance);
    if (existsSync(join(folder, OWN_FILES.frozen))) return true;
    const { members } = await lookout.lister(instance, await readRecord(folder))();
    return isFrozen(members);
  }

  /** Freezes a sandbox's control group; false where it has none that can be. */
  async #freezeGroup(record: ProcessRecord | undefined, deadline: number): Promise<boolean> {
    const cgroup = await this.#workshop.cgroupOf(record);
    if (cgroup === undefined || record === undefined) return false;
    const { lookout, log } = this.#workshop.parts;
    // Before it is: a stop asks nobody who cannot hear, and that is no harm if it could.
    const folder = lookout.folder(record.instance);
    await noteDocument(folder, OWN_FILES.frozen, {}).catch((error: unknown) => {
      log.info("a freeze could not be noted", { error: String(error) });
    });
    return cgroup.freeze(Math.max(1, deadline - performance.now()));
  }

  async #reach(instance: string, record: ProcessRecord | undefined): Promise<Lister> {
    const { lookout } = this.#workshop.parts;
    const list = lookout.lister(instance, record);
    if (!lookout.canSee(record)) {
      const message = `${instance} must be in this namespace of pids, it is in another`;
      throw new Fault("sandbox_failed", message);
    }
    if (!(await list()).includesSelf) return list;
    throw new Fault("sandbox_failed", `${instance} must not hold the process that acts on it`);
  }
}
