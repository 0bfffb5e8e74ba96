// Runs workers as containers of a Docker-compatible engine. A sandbox goes through these states:
//
//     claimed ──▶ created ──▶ running ──▶ exited ──▶ ended ──▶ forgotten
//     folder      container   program     the engine  removed,   no folder
//     appears     has a name  runs        says so     ended.json
//
// The engine keeps a container whether or not this process lives: the next supervisor finds it by
// its labels. A folder as the process driver's holds what outlives the container: claim, permit,
// how it ended.

import { existsSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ok } from "../../kernel/assert.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { HitMeasure, LimitHit } from "../../kernel/worker/limit.ts";
import { Fault } from "../../ports/fault.ts";
import { type Log, SILENT } from "../../ports/log.ts";
import type {
  Ending,
  OutputSink,
  Sandbox,
  SandboxExhibit,
  SandboxLimits,
  SandboxRecord,
  SandboxSpec,
  SandboxUse,
} from "../../ports/sandbox.ts";
import { hostId } from "../../system/host.ts";
import { asStorageFault } from "../../system/storage-fault.ts";
import { Walls } from "../end/walls.ts";
import { dropFolder, isPlainName, openClaims } from "../folder/claim.ts";
import { HiddenFolders } from "../folder/hidden.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { connectEngine } from "./engine/connect.ts";
import type { Engine } from "./engine/engine.ts";
import { exhibitOf } from "../exhibit.ts";
import { HitBook } from "../limit/hit-book.ts";
import { killMembers, membersOf } from "./host/host-view.ts";
import { Freezer } from "./freezer.ts";
import { isAbove } from "./engine/limits.ts";
import { Lookout } from "./lookout.ts";
import { type Probed, probeEngine, UNPROBED } from "./probe.ts";
import { findSocket } from "./engine/socket.ts";
import { Starter } from "./starter.ts";
import { isUp } from "./engine/state.ts";
import { memoryHits, Stopper, type StopOptions } from "./stopper.ts";
import { Vigils } from "./vigil.ts";
import { type ContainerWorld, folderOf, labelsOf, nameOf } from "./world.ts";

/** Who ends a worker whose time is over, as its outcome names it. */
const WALL = "wall_ms" as const;

/** Containers that are killed at the same time by one order. */
const strikesMax = 32;

/** Where a driver keeps its records, for whom, and what it runs. */
export interface ContainerSandboxOptions {
  /** The fleet's state folder, which exists; sandboxes lie in its folder `sandboxes`. */
  readonly stateFolder: string;
  /** The fleet's id: 1 to 128 letters, digits, ".", "_" and "-". */
  readonly fleet: string;
  /** Names this host; {@link hostId} by default. */
  readonly host?: string;
  /** The image of all workers, which the engine has; without one nothing can be started. */
  readonly image?: string;
  /** The engine's socket; see {@link findSocket} for the default. */
  readonly socket?: string;
  /** A file without which nothing is started. */
  readonly permitFile?: string;
  /** Folders of the host that no container may see. */
  readonly hidden?: readonly string[];
  /** Takes the output of a sandbox; by default it goes to a file in the sandbox's folder. */
  readonly output?: (instance: string, bytesMax: number | undefined) => Promise<OutputSink>;
  readonly log?: Log;
}

/**
 * Opens the driver that runs workers as containers. With an image it first runs one that looks at
 * itself, to know what the engine holds.
 *
 * Throws `Fault` `sandbox_unavailable` without the package `dockerode`, an engine's socket or the
 * image, and where containers keep rights that they must not have; `sandbox_failed` when the engine
 * does not answer; `storage_*` when the folder cannot be made.
 */
export async function openContainerSandbox(options: ContainerSandboxOptions): Promise<Sandbox> {
  const { fleet, host = hostId(), image, log = SILENT } = options;
  ok(isPlainName(fleet), `a fleet id must be a plain name, got ${fleet}`);
  const root = await openClaims(options.stateFolder);
  const engine = await connectEngine(options.socket ?? findSocket());
  const probed = image === undefined ? UNPROBED : await probeEngine(engine, image);
  const { permitFile, hidden = [], output } = options;
  const vigils = new Vigils(engine, log);
  return new ContainerSandbox({
    engine,
    root,
    fleet,
    host,
    image,
    probed,
    permitFile,
    hidden: new HiddenFolders(hidden),
    vigils,
    log,
    book: new HitBook(),
    output:
      output === undefined ? openFile : (instance, _folder, bytesMax) => output(instance, bytesMax),
  });
}

class ContainerSandbox implements Sandbox {
  readonly #world: ContainerWorld;
  readonly #engine: Engine;
  readonly #starter: Starter;
  readonly #stopper: Stopper;
  readonly #freezer: Freezer;
  readonly #lookout: Lookout;
  readonly #walls: Walls;
  #isClosed = false;

  constructor(world: ContainerWorld) {
    this.#world = world;
    this.#engine = world.engine;
    this.#starter = new Starter(world);
    this.#stopper = new Stopper(world);
    this.#freezer = new Freezer(world);
    this.#lookout = new Lookout(world);
    this.#walls = new Walls((instance, spent) => this.#timeOut(instance, spent), world.log);
    world.vigils.onExit((instance) => this.#walls.drop(instance));
  }

  get degraded(): Probed["degraded"] {
    return this.#world.probed.degraded;
  }

  get rung(): string {
    return this.#world.probed.words;
  }

  folder(instance: string): string {
    ok(isPlainName(instance), `an instance must be a plain name, got ${instance}`);
    return folderOf(this.#world, instance);
  }

  async start(spec: SandboxSpec): Promise<SandboxRecord> {
    this.#demandOpen();
    const { instance } = spec;
    this.folder(instance);
    try {
      const beganAtMs = await this.#starter.start(spec);
      if (beganAtMs !== undefined && this.#world.vigils.isRunning(instance)) {
        this.#walls.begin(instance, beganAtMs, spec.limits?.wall_ms);
      }
    } catch (error) {
      throw asStorageFault(error, `starting ${instance}`);
    }
    return this.#lookout.look(instance);
  }

  async list(): Promise<readonly SandboxRecord[]> {
    this.#demandOpen();
    return this.#lookout.list();
  }

  async freeze(instance: string): Promise<void> {
    this.#demandOpen();
    this.folder(instance);
    await this.#freezer.freeze(instance);
  }

  async thaw(instance: string): Promise<void> {
    this.#demandOpen();
    this.folder(instance);
    await this.#freezer.thaw(instance);
  }

  async stop(instance: string, options: StopOptions): Promise<Ending | undefined> {
    this.#demandOpen();
    this.folder(instance);
    return this.#stopper.stop(instance, options);
  }

  async strike(): Promise<void> {
    this.#demandOpen();
    const all = (await this.#engine.list(labelsOf(this.#world))).filter(isUp);
    while (all.length > 0) {
      const some = all.splice(0, strikesMax);
      // The engine thaws what it kills: nothing of it is to run again then.
      for (const { id, status } of some) if (status === "paused") killMembers(id);
      await Promise.all(some.map(({ id }) => this.#engine.kill(id, "SIGKILL")));
    }
  }

  async limit(instance: string, limits: SandboxLimits): Promise<SandboxUse | undefined> {
    this.#demandOpen();
    this.folder(instance);
    const { wall_ms: wallMs, ...bounds } = limits;
    if (Object.values(bounds).some((bound) => bound !== undefined)) {
      const use = await this.use(instance);
      if (use !== undefined && isAbove(use, this.#bindingOf(bounds))) return use;
      if (use !== undefined) await this.#update(instance, bounds);
    }
    if (wallMs !== undefined) this.#walls.set(instance, wallMs);
    return undefined;
  }

  async use(instance: string): Promise<SandboxUse | undefined> {
    this.#demandOpen();
    this.folder(instance);
    const state = await this.#engine.inspect(nameOf(this.#world, instance));
    if (state === undefined || !isUp(state)) return undefined;
    const use = await this.#engine.use(state.id);
    if (use?.processes === undefined) return use;
    return { ...use, processes: Math.max(0, use.processes - this.#frameProcesses) };
  }

  async examine(instance: string): Promise<SandboxExhibit | undefined> {
    this.#demandOpen();
    this.folder(instance);
    const state = await this.#engine.inspect(nameOf(this.#world, instance));
    if (state === undefined || !isUp(state)) return undefined;
    const frame = this.#frameProcesses === 0 ? undefined : state.pid;
    const exhibit = exhibitOf(membersOf(state.id).filter((pid) => pid !== frame));
    const { memory_bytes = exhibit.memory_bytes } = (await this.#engine.use(state.id)) ?? {};
    return { ...exhibit, memory_bytes };
  }

  async hits(instance: string): Promise<readonly LimitHit[]> {
    this.#demandOpen();
    this.folder(instance);
    const { book, vigils } = this.#world;
    const state = await this.#engine.inspect(nameOf(this.#world, instance));
    if (state === undefined) return [];
    if (book.needsLook(instance)) {
      book.look(instance, { pids: membersOf(state.id), scratch: undefined });
    }
    const overflow = vigils.of(instance)?.pump.overflow();
    return book.hits(instance, memoryHits(state), overflow);
  }

  async forget(instance: string): Promise<void> {
    this.#demandOpen();
    const folder = this.folder(instance);
    const { seen } = await this.#lookout.look(instance);
    if (seen === "alive" || (seen === "unknown" && existsSync(folder))) {
      const message = `${instance} must have ended to be forgotten, it is ${seen}`;
      throw new Fault("sandbox_failed", message);
    }
    const left = await this.#engine.inspect(nameOf(this.#world, instance));
    if (left !== undefined) await this.#engine.remove(left.id);
    try {
      await dropFolder(folder);
    } catch (error) {
      throw asStorageFault(error, `forgetting ${instance}`);
    }
    this.#world.vigils.forget(instance);
    this.#stopper.forget(instance);
    this.#world.book.drop(instance);
    this.#walls.drop(instance);
  }

  onExit(listener: (instance: string) => void): () => void {
    return this.#world.vigils.onExit(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#walls.close();
    await this.#world.vigils.close();
    this.#engine.close();
    this.#world.hidden.close();
  }

  get #frameProcesses(): number {
    return this.#world.probed.hasInit ? 1 : 0;
  }

  /** Those of some limits that bind on this engine. */
  #bindingOf(limits: SandboxLimits): SandboxLimits {
    const kept = Object.entries(limits).filter(([name]) => {
      const what = name.startsWith("memory") ? "memory" : name;
      return !(this.degraded as readonly string[]).includes(what);
    });
    return Object.fromEntries(kept);
  }

  async #update(instance: string, bounds: SandboxLimits): Promise<void> {
    const { processes } = bounds;
    const more = processes === undefined ? {} : { processes: processes + this.#frameProcesses };
    const name = nameOf(this.#world, instance);
    const answer = await this.#engine.update(name, { ...bounds, ...more });
    if (answer.ok) return;
    const message = `the engine must change the limits of ${instance}, got: ${answer.words}`;
    throw new Fault("sandbox_failed", message);
  }

  /** Ends a sandbox whose time is over; false when that is to be tried again. */
  async #timeOut(instance: string, spent: HitMeasure): Promise<boolean> {
    if (!this.#world.vigils.isRunning(instance)) return true;
    const state = await this.#engine.inspect(nameOf(this.#world, instance));
    if (state?.status === "paused") return false;
    this.#world.book.timeOver(instance, spent);
    await this.#stopper.noteTimeOut(instance, WALL, [{ limit: WALL, ...spent }]);
    const deadlineMs = LIMITS.killSweepMs;
    const ending = await this.#stopper.stop(instance, { graceMs: 0, deadlineMs, by: WALL });
    return ending !== undefined;
  }

  #demandOpen(): void {
    if (this.#isClosed) throw new Fault("closed", "the sandboxes must be open, they were closed");
  }
}

/** A sink that appends to the sandbox's own file. */
async function openFile(_instance: string, folder: string): Promise<OutputSink> {
  // Nothing is left to write to where the folder is gone.
  await readdir(folder);
  const file = await open(join(folder, OWN_FILES.output), "a", 0o600);
  let isOpen = true;
  return {
    write: async (_stream, chunk) => {
      await file.write(chunk).catch(() => undefined);
    },
    close: async () => {
      if (isOpen) await file.close();
      isOpen = false;
    },
  };
}
