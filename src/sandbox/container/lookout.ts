import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SandboxRecord } from "../../ports/sandbox.ts";
import { readBootId } from "../../system/boot.ts";
import { isRunning } from "../../system/process.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { LABELS } from "./blueprint.ts";
import { membersOf } from "./host/host-view.ts";
import { type ContainerRecord, readRecord } from "./record.ts";
import { type ContainerState, isUp } from "./engine/state.ts";
import { type ContainerWorld, folderOf, labelsOf, nameOf } from "./world.ts";

/** Looks at the containers of one fleet on this host: their records, and what the engine says. */
export class Lookout {
  readonly #world: ContainerWorld;

  constructor(world: ContainerWorld) {
    this.#world = world;
  }

  /**
   * All sandboxes of this fleet on this host, by instance. Where the engine does not answer, all
   * that are on record are `unknown`.
   */
  async list(): Promise<readonly SandboxRecord[]> {
    const records = await this.#records();
    const found = await this.#found();
    if (found === undefined) {
      return [...records.keys()].map((instance) => ({ instance, seen: "unknown" }));
    }
    const instances = new Set([...records.keys(), ...found.keys()]);
    return [...instances].toSorted().map((instance) => {
      return this.#describe(instance, records.get(instance), found.get(instance));
    });
  }

  /** One sandbox, as {@link list} would show it. */
  async look(instance: string): Promise<SandboxRecord> {
    const record = await readRecord(folderOf(this.#world, instance));
    try {
      const state = await this.#world.engine.inspect(nameOf(this.#world, instance));
      const isOurs = state?.labels[LABELS.fleet] === this.#world.fleet;
      return this.#describe(instance, record, isOurs ? state : undefined);
    } catch (error) {
      this.#tellUnseen(error);
      return { instance, seen: "unknown" };
    }
  }

  async #records(): Promise<ReadonlyMap<string, ContainerRecord>> {
    const { root, fleet, host, engine } = this.#world;
    const names = (await readdir(root)).filter((name) => !name.startsWith("."));
    const records = await Promise.all(names.map((name) => readRecord(join(root, name))));
    const known = records.flatMap((record, index) => {
      const name = names[index];
      const isHere = record?.socket === engine.socket;
      const isOurs = isHere && record.fleet === fleet && record.host === host;
      return isOurs && name !== undefined ? [[name, record] as const] : [];
    });
    return new Map(known);
  }

  async #found(): Promise<ReadonlyMap<string, ContainerState> | undefined> {
    try {
      const states = await this.#world.engine.list(labelsOf(this.#world));
      return new Map(states.map((state) => [state.labels[LABELS.instance] ?? state.id, state]));
    } catch (error) {
      this.#tellUnseen(error);
      return undefined;
    }
  }

  #describe(
    instance: string,
    record: ContainerRecord | undefined,
    state: ContainerState | undefined,
  ): SandboxRecord {
    if (state !== undefined && isUp(state)) return { instance, seen: "alive" };
    if (record === undefined && state === undefined) return { instance, seen: "unknown" };
    if (record !== undefined && this.#isStarting(record)) return { instance, seen: "unknown" };
    const id = state === undefined ? (record?.container ?? null) : null;
    // The engine has lost it, or another answers at this socket: the kernel may know it still.
    const isLeft = id !== null && membersOf(id).length > 0;
    return { instance, seen: isLeft ? "unknown" : "gone" };
  }

  /** Whether its starter is alive, permitted, and may start it any moment. */
  #isStarting({ boot_id: bootId, claimed_by: by, instance }: ContainerRecord): boolean {
    if (this.#world.vigils.of(instance) !== undefined) return false;
    const isPermitted = existsSync(join(folderOf(this.#world, instance), OWN_FILES.permit));
    const isThisBoot = bootId === readBootId();
    return isPermitted && isThisBoot && isRunning({ pid: by.pid, startTicks: by.start_ticks });
  }

  #tellUnseen(error: unknown): void {
    this.#world.log.warn("containers cannot be seen", { error: String(error) });
  }
}
