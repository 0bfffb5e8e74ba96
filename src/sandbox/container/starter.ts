// A container exists before its program runs:
//
//     starter                             engine
//     claim the folder, permit in it
//     create ──────────────────────────▶  the name is taken, or the container is there
//     write its id to the record
//     attach to its output
//     look for the permits
//     start ───────────────────────────▶  its mounts are made, or 404: it was removed
//     look at what it sees
//     open the gate ───────────────────▶  the program runs
//
// Where the image has no shell there is no gate. It is looked at before the start then, where the
// engine has made the mounts by that time; else the program runs from the start, and what sees
// other than it was to is ended at once.
//
// Whoever ends it removes the permit first, then looks for the container by name and removes it,
// though it was only created. A starter that has looked before finds nothing to start; one that
// looks after finds no permit.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import type { SandboxSpec } from "../../ports/sandbox.ts";
import { layClaim, withdrawPermit } from "../folder/claim.ts";
import { noteDocument } from "../folder/document.ts";
import type { Cover } from "../folder/hidden.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { type Blueprint, LABELS, optionsFor } from "./blueprint.ts";
import { refused } from "./engine/engine.ts";
import { isUp } from "./engine/state.ts";
import { Gate } from "./gate.ts";
import { Bound } from "./host/bound.ts";
import { isOnThisHost } from "./host/host-view.ts";
import { type MountPlan, planMounts } from "./mounts.ts";
import { Pump } from "./pump.ts";
import type { ContainerRecord } from "./record.ts";
import { asThisUser } from "./user.ts";
import { type ContainerWorld, folderOf, labelsOf, nameOf, newRecord } from "./world.ts";

/** How soon a removal is asked for again, ms. */
const againMs = 20;

/** A container that was created, and what is to become of it. */
interface Run {
  readonly record: ContainerRecord;
  readonly spec: SandboxSpec;
  /** Demands of its first process that it sees what was planned. */
  readonly demandHolds: (pid: number) => void;
}

interface Named {
  readonly instance: string;
  readonly isGated: boolean;
}

/** Starts what a driver is told to run, each instance once. */
export class Starter {
  readonly #world: ContainerWorld;

  constructor(world: ContainerWorld) {
    this.#world = world;
  }

  /**
   * Claims an instance and starts it. Answers when its program began, by this process's monotonic
   * clock, ms; undefined when it was claimed before, and nothing was done.
   */
  async start(spec: SandboxSpec): Promise<number | undefined> {
    const { instance, run } = spec;
    const folder = folderOf(this.#world, instance);
    const record = newRecord(this.#world, instance, run);
    if (!(await layClaim(folder, { record, files: spec.files, permitted: true }))) return undefined;
    let id: string | undefined;
    const held: { close(): void }[] = [];
    try {
      const cover = this.#world.hidden.cover(spec.visible ?? []);
      held.push(cover);
      const mounts = await this.#prepare(spec, { folder, cover });
      const bound = new Bound(mounts);
      held.push(bound);
      id = await this.#create(spec, mounts);
      if (id === undefined) return undefined;
      return await this.#run(id, {
        record,
        spec,
        demandHolds: (pid) => bound.demandHolds(pid, cover),
      });
    } catch (error) {
      await this.#abandon(folder, id);
      throw error;
    } finally {
      for (const one of held) one.close();
    }
  }

  async #prepare(
    spec: SandboxSpec,
    { folder, cover }: { readonly folder: string; readonly cover: Cover },
  ): Promise<MountPlan> {
    const { hidden, missing } = cover;
    const plan = planMounts({ ...spec, hidden, missing, coverFolder: join(folder, "covers") });
    for (const path of plan.empty) await mkdir(path, { recursive: true, mode: 0o755 });
    return plan;
  }

  /** Makes the container; undefined when somebody else has made it. */
  async #create(spec: SandboxSpec, mounts: MountPlan): Promise<string | undefined> {
    const { engine, image, probed } = this.#world;
    const { instance } = spec;
    if (image === undefined) {
      const message = "an image must be named to start containers, this driver only ends them";
      throw new Fault("sandbox_unavailable", message);
    }
    const name = nameOf(this.#world, instance);
    const labels = { ...labelsOf(this.#world), [LABELS.instance]: instance };
    const { hasInit, hasShell: isGated } = probed;
    const env = this.#environment(spec, mounts);
    const plan: Blueprint = {
      name,
      image,
      labels,
      spec,
      env,
      mounts,
      hasInit,
      isGated,
      ...asThisUser(),
    };
    const answer = await engine.create(optionsFor(plan));
    if (answer.ok) return answer.value;
    const other = answer.status === 409 ? await engine.inspect(name) : undefined;
    if (other?.labels[LABELS.fleet] === this.#world.fleet) return undefined;
    throw refused(`create ${name}`, answer);
  }

  async #run(id: string, { record, spec, demandHolds }: Run): Promise<number> {
    const { engine, output, vigils, log, probed } = this.#world;
    const { instance } = spec;
    const folder = folderOf(this.#world, instance);
    this.#count(spec);
    await noteDocument(folder, OWN_FILES.record, { ...record, container: id });
    const sink = await output(instance, folder, spec.limits?.output_bytes);
    const pump = new Pump({ engine, id, folder, sink, log }, { stdout: 0, stderr: 0 });
    let gate: Gate | undefined;
    try {
      await pump.attach();
      if (probed.hasShell) gate = await Gate.attach(engine, id);
      this.#demandPermits(instance, folder);
      // Podman has made the mounts when one is attached.
      const isSeen = gate === undefined && (await this.#tryView(id, demandHolds));
      const ungatedAtMs = performance.now();
      const answer = await engine.start(id);
      if (!answer.ok) {
        if (answer.status === 404 || answer.status === 409) throw overtaken(instance);
        throw refused(`run "${spec.run[0]}" in ${instance}`, answer);
      }
      if (!isSeen) {
        await this.#demandView(id, { instance, demandHolds, isGated: gate !== undefined });
      }
      const beganAtMs = gate === undefined ? ungatedAtMs : performance.now();
      gate?.open();
      vigils.watch({ instance, id, folder, pump });
      return beganAtMs;
    } catch (error) {
      gate?.close();
      await pump.close();
      throw error;
    }
  }

  /** Looks at what a container sees, by its first process. */
  async #demandView(
    id: string,
    { instance, demandHolds, isGated }: Pick<Run, "demandHolds"> & Named,
  ): Promise<void> {
    const state = await this.#world.engine.inspect(id);
    // What waits at its gate ends only when somebody ends it; without one it may be done already.
    if (state === undefined || (isGated && !isUp(state))) throw overtaken(instance);
    if (!isUp(state)) return;
    const { pid } = state;
    if (pid !== undefined && isOnThisHost(id, pid)) return demandHolds(pid);
    const message = `what ${instance} sees must be looked at before it runs, its first process `;
    throw new Fault("sandbox_failed", `${message}cannot be found on this host: nothing is run`);
  }

  /** Looks at what a container sees before it is started, where it has its first process then. */
  async #tryView(id: string, demandHolds: Run["demandHolds"]): Promise<boolean> {
    const { pid } = (await this.#world.engine.inspect(id)) ?? {};
    if (pid === undefined || !isOnThisHost(id, pid)) return false;
    demandHolds(pid);
    return true;
  }

  #count({ instance, limits: { open_files, output_bytes } = {} }: SandboxSpec): void {
    this.#world.book.begin(instance, {
      ...(open_files === undefined ? {} : { open_files }),
      ...(output_bytes === undefined ? {} : { output_bytes }),
    });
  }

  #demandPermits(instance: string, folder: string): void {
    const { permitFile } = this.#world;
    const isPermitted = existsSync(join(folder, OWN_FILES.permit));
    if (!isPermitted || (permitFile !== undefined && !existsSync(permitFile)))
      throw overtaken(instance);
  }

  /** The environment of a program: what it is given, and paths that lead somewhere in it. */
  #environment({ env = {}, instance }: SandboxSpec, mounts: MountPlan): Record<string, string> {
    const { fleet, host } = this.#world;
    const isThere = (path: string | undefined): boolean =>
      mounts.binds.some(({ target }) => path === target || path?.startsWith(join(target, "/")));
    return {
      STINT_HOST_ID: host,
      ...env,
      HOME: isThere(env["HOME"]) ? (env["HOME"] ?? "/tmp") : "/tmp",
      TMPDIR: isThere(env["TMPDIR"]) ? (env["TMPDIR"] ?? "/tmp") : "/tmp",
      STINT_INSTANCE: instance,
      STINT_FLEET: fleet,
    };
  }

  /** Sees to it that nothing is left of a start that failed. */
  async #abandon(folder: string, id: string | undefined): Promise<void> {
    const { engine, log } = this.#world;
    await withdrawPermit(folder);
    if (id === undefined) return;
    try {
      const untilMs = performance.now() + LIMITS.killSweepMs;
      for (;;) {
        const answer = await engine.remove(id);
        // Podman has a no for one that ends meanwhile.
        if (answer.ok || (await engine.inspect(id)) === undefined) return;
        if (performance.now() >= untilMs) throw refused("remove a container", answer);
        await sleep(againMs);
      }
    } catch (error) {
      // No program ran in it, or it is ended by whoever stops it: it is listed until then.
      log.warn("a container whose start has failed could not be removed", { id, error });
    }
  }
}

function overtaken(instance: string): Fault {
  const message = `${instance} must have its permit to start, it was stopped before it began`;
  return new Fault("sandbox_failed", message);
}
