import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { ok } from "../../kernel/assert.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import type { SandboxSpec } from "../../ports/sandbox.ts";
import { type ProcessIdentity, readProcess } from "../../system/process.ts";
import { layClaim, withdrawPermit } from "../folder/claim.ts";
import {
  awaitProgram,
  environmentOf,
  EXEC_MS,
  isUp,
  type Launch,
  launchFault,
  letGo,
  LOOK_EVERY_MS,
  readUnlaunched,
  spawnLauncher,
} from "./launcher.ts";
import { ownOpenFilesMax } from "../limit/open-files.ts";
import { Pump } from "./pump.ts";
import { noteDocument, writeDocument } from "../folder/document.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { type FirstProcess, type ProcessRecord, readRecord } from "./record.ts";
import type { Cover } from "../folder/hidden.ts";
import { isOfKeeper, KeeperLine } from "./rung/keeper.ts";
import { argumentsOf, childrenOf, isNamespaceInit, namespaceOf } from "./rung/namespace.ts";
import { demandNest, nestCommand, planNest, type Nest } from "./rung/nest.ts";
import { resolveView } from "./rung/view.ts";
import { withFrame, type Workshop } from "./workshop.ts";

/** How long a failed start waits to be told of its launcher's exit, and for its last words, ms. */
const exitMs = 1_000;

/** A launcher under way: what was claimed, and the process that is to become the program. */
interface Launched {
  readonly launch: Launch;
  readonly record: ProcessRecord;
  readonly child: ChildProcess;
  readonly pump: Pump | undefined;
}

/** Starts what a driver is told to run, each instance once. */
export class Starter {
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  /**
   * Claims an instance and starts it. Answers when its program began, by this process's monotonic
   * clock, ms; undefined when it was claimed before, and nothing was done.
   */
  async start(spec: SandboxSpec): Promise<number | undefined> {
    const { lookout } = this.#workshop.parts;
    const { instance } = spec;
    const folder = lookout.folder(instance);
    const record = lookout.newRecord(instance, spec.run, this.#workshop.newEnclosure());
    if (!(await layClaim(folder, { record, files: spec.files, permitted: true }))) return undefined;
    try {
      const { hidden } = this.#workshop.parts;
      const cover = hidden.cover(spec.visible ?? []);
      try {
        const launch = await this.#prepare(spec, { folder, cover });
        const launched = await this.#launch(launch, record);
        if (launch.wrapper === undefined) return await this.#letGo(launched);
        return await this.#enclose(launched, cover);
      } finally {
        cover.close();
      }
    } catch (error) {
      await this.#abandon(instance, folder);
      throw error;
    }
  }

  async #prepare(
    spec: SandboxSpec,
    { folder, cover }: { readonly folder: string; readonly cover: Cover },
  ): Promise<Launch> {
    const { lookout, containment, permitFile, output } = this.#workshop.parts;
    const { fleet, host } = lookout.place;
    const { cwd = process.cwd(), visible = [], network = "open" } = spec;
    const isPiped = output !== undefined;
    const openFiles = this.#openFilesOf(spec);
    const base = { spec, folder, fleet, host, permitFile, isPiped, ...openFiles };
    if (containment.wrap === undefined) return base;
    const hasNetwork = network === "open" || containment.degraded.includes("network");
    const { hidden } = cover;
    const seen = { cwd, hidden, visible, hasNetwork };
    const joinFiles = await this.#makeGroup(spec);
    const nest = this.#nestOf(spec, folder);
    if (nest === undefined)
      return { ...base, joinFiles, wrapper: containment.wrap(resolveView(seen)) };
    const wrapper = containment.wrap(resolveView({ ...seen, nest }));
    return { ...base, joinFiles, wrapper: [...nestCommand(nest), ...wrapper], nest };
  }

  /** How many descriptors a sandbox has: never more than its host lets this process have. */
  #openFilesOf({ instance, limits, scratchBytes }: SandboxSpec): Pick<Launch, "openFiles"> {
    const { book, parts } = this.#workshop;
    const { open_files: asked, output_bytes } = limits ?? {};
    const openFiles = asked === undefined ? undefined : Math.min(asked, ownOpenFilesMax());
    if (openFiles !== asked)
      parts.log.info("the host has fewer open files for it", { instance, asked, openFiles });
    book.begin(instance, {
      ...(openFiles === undefined ? {} : { open_files: openFiles }),
      ...(output_bytes === undefined ? {} : { output_bytes }),
      ...(scratchBytes === undefined ? {} : { scratch_bytes: scratchBytes }),
    });
    return openFiles === undefined ? {} : { openFiles };
  }

  /** What a sandbox may write to; undefined where it is what its user may. */
  #nestOf(spec: SandboxSpec, folder: string): Nest | undefined {
    const { writable, scratchBytes, ground = [], instead = [] } = spec;
    if (writable === undefined) return undefined;
    const shown = [...this.#workshop.parts.shown, ...(spec.shown ?? [])];
    return planNest({ folder, writable, scratchBytes, shown, ground, instead });
  }

  /** Makes the control group of a sandbox, with its limits set before anything is in it. */
  async #makeGroup({ instance, limits = {} }: SandboxSpec): Promise<readonly string[]> {
    const cgroup = await this.#workshop.parts.containment.cgroups?.create(instance);
    if (cgroup !== undefined) this.#workshop.groups.set(instance, cgroup);
    const use = await cgroup?.limit(withFrame(limits));
    if (use === undefined) return cgroup?.joinFiles ?? [];
    const message = `the limits of ${instance} must be above what an empty group uses`;
    throw new Fault("sandbox_failed", `${message}, it uses ${JSON.stringify(use)}`);
  }

  /** Starts a launcher and writes it down; it waits to be let go. */
  async #launch(launch: Launch, claimed: ProcessRecord): Promise<Launched> {
    const { children, output } = this.#workshop.parts;
    const { folder, spec } = launch;
    const sink = await output?.(spec.instance, spec.limits?.output_bytes);
    const child = await spawnLauncher(launch).catch(async (error: unknown) => {
      await sink?.close();
      throw error;
    });
    children.watch(spec.instance, folder, child);
    const pump = sink && new Pump(child, sink);
    if (pump !== undefined) this.#workshop.pumps.set(spec.instance, pump);
    const record = { ...claimed, process: identify(child.pid) };
    // Above the lowest rung it is written once more before the program runs; see there.
    const write = launch.wrapper === undefined ? writeDocument : noteDocument;
    await write(folder, OWN_FILES.record, record);
    return { launch, record, child, pump };
  }

  async #letGo({ child, launch, pump }: Launched): Promise<number> {
    const beganAtMs = performance.now();
    letGo(child);
    await awaitProgram(child, launch, () => complaintOf(pump));
    return beganAtMs;
  }

  /** Lets a launcher enclose itself, writes down by what, and has the program run. */
  async #enclose({ child, launch, record, pump }: Launched, cover: Cover): Promise<number> {
    const line = new KeeperLine(child);
    try {
      line.letGo();
      if (!(await line.ready(EXEC_MS))) {
        const why = (await readUnlaunched(launch)) ?? "wrapper";
        throw await launchFault(why, launch, await complaintOf(pump));
      }
      const keeper = findKeeper(child.pid);
      const init = { pid: keeper, start_ticks: startTicksOf(keeper) };
      const { enclosure } = record;
      ok(enclosure !== undefined, "what is enclosed was claimed so");
      const enclosed = { ...enclosure, init, namespace: namespaceOf(keeper) ?? null };
      await noteDocument(launch.folder, OWN_FILES.record, { ...record, enclosure: enclosed });
      const { namespace } = enclosed;
      this.#workshop.insides.set(launch.spec.instance, { keeper, namespace });
      cover.demandHolds(keeper);
      if (launch.nest !== undefined) demandNest(launch.nest, keeper);
      if (launch.nest !== undefined && launch.nest.ground.length > 0) {
        const launcher = identityOf(child.pid);
        const gate = { launcher, keeper: { pid: keeper, startTicks: init.start_ticks } };
        const { hidden } = cover;
        const { instance, visible = [] } = launch.spec;
        this.#workshop.gifts.add(instance, { nest: launch.nest, gate, hidden, visible });
      }
      const beganAtMs = performance.now();
      line.run(environmentOf(launch));
      const hasBecome = await awaitEnclosedProgram(child, keeper);
      // Only a launcher that has ended can have said more.
      if (!hasBecome && !isUp(child) && (await line.hasFailed(exitMs))) {
        throw await launchFault("program", launch, await complaintOf(pump));
      }
      return beganAtMs;
    } finally {
      line.drop();
    }
  }

  /** Sees to it that nothing is left of a start that failed. */
  async #abandon(instance: string, folder: string): Promise<void> {
    const { children, log } = this.#workshop.parts;
    await withdrawPermit(folder);
    // Without its "go" a launcher would exit by itself; killing it only makes that sooner.
    children.kill(instance);
    const enclosure = await this.#workshop.enclosureOf(await readRecord(folder));
    const end = await enclosure?.end(performance.now() + LIMITS.killSweepMs);
    if (enclosure !== undefined && end === undefined) {
      log.warn("a failed start has left something alive", { instance });
    }
    await children.exitOf(instance, exitMs);
  }
}

/** What a launcher has complained of on a pipe; undefined when its output goes to a file. */
async function complaintOf(pump: Pump | undefined): Promise<string | undefined> {
  await pump?.drained(exitMs);
  return pump?.complaint();
}

function identify(pid: number | undefined): FirstProcess {
  ok(pid !== undefined && pid > 1, "a spawned launcher has a pid");
  const status = readProcess(pid);
  if (status !== undefined && status.groupId === pid && status.sessionId === pid) {
    return { pid, start_ticks: status.startTicks, group: pid, session: pid };
  }
  throw new Fault("sandbox_failed", "a launcher must lead its own group and session, it did not");
}

function findKeeper(launcher: number | undefined): number {
  const keeper = launcher === undefined ? undefined : childrenOf(launcher).find(isNamespaceInit);
  if (keeper !== undefined) return keeper;
  throw new Fault("sandbox_failed", "a keeper that stands ready must be alive, it has ended");
}

function identityOf(pid: number | undefined): ProcessIdentity {
  ok(pid !== undefined, "a spawned launcher has a pid");
  return { pid, startTicks: startTicksOf(pid) };
}

function startTicksOf(pid: number): number {
  const status = readProcess(pid);
  if (status !== undefined) return status.startTicks;
  throw new Fault("sandbox_failed", "a keeper that stands ready must be alive, it has ended");
}

/** Waits until a keeper's child is seen to be the program; false when all ended unseen. */
async function awaitEnclosedProgram(child: ChildProcess, keeper: number): Promise<boolean> {
  const deadline = performance.now() + EXEC_MS;
  while (isUp(child) && performance.now() < deadline) {
    const hasBecome = childrenOf(keeper).some((pid) => {
      const argv = argumentsOf(pid);
      return argv.length > 0 && !isOfKeeper(argv);
    });
    if (hasBecome) return true;
    await sleep(LOOK_EVERY_MS);
  }
  return false;
}
