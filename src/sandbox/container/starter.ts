// A container exists before its program runs:
//
//     starter                             engine
//     claim the folder, permit in it
//     create ──────────────────────────▶  the name is taken, or the container is there
//     write its id to the record
//     attach to its output
//     look for the permits
//     start ───────────────────────────▶  the program runs, or 404: it was removed
//
// Whoever ends it removes the permit first, then looks for the container by name and removes it,
// though it was only created. A starter that has looked before finds nothing to start; one that
// looks after finds no permit.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../ports/fault.ts";
import type { SandboxSpec } from "../../ports/sandbox.ts";
import { layClaim, withdrawPermit } from "../folder/claim.ts";
import { noteDocument } from "../folder/document.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { type Blueprint, LABELS, optionsFor } from "./blueprint.ts";
import { refused } from "./engine/engine.ts";
import { type MountPlan, planMounts } from "./mounts.ts";
import { Pump } from "./pump.ts";
import type { ContainerRecord } from "./record.ts";
import { asThisUser } from "./user.ts";
import { type ContainerWorld, folderOf, labelsOf, nameOf, newRecord } from "./world.ts";

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
    try {
      const mounts = await this.#prepare(spec, folder);
      id = await this.#create(spec, mounts);
      if (id === undefined) return undefined;
      return await this.#run(id, record, spec);
    } catch (error) {
      await this.#abandon(folder, id);
      throw error;
    }
  }

  async #prepare(spec: SandboxSpec, folder: string): Promise<MountPlan> {
    const { hidden } = this.#world;
    const plan = planMounts({ ...spec, hidden, coverFolder: join(folder, "covers") });
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
    const { hasInit } = probed;
    const env = this.#environment(spec, mounts);
    const plan: Blueprint = {
      name,
      image,
      labels,
      spec,
      env,
      mounts,
      hasInit,
      ...asThisUser(),
    };
    const answer = await engine.create(optionsFor(plan));
    if (answer.ok) return answer.value;
    const other = answer.status === 409 ? await engine.inspect(name) : undefined;
    if (other?.labels[LABELS.fleet] === this.#world.fleet) return undefined;
    throw refused(`create ${name}`, answer);
  }

  async #run(id: string, record: ContainerRecord, spec: SandboxSpec): Promise<number> {
    const { engine, output, vigils, log } = this.#world;
    const { instance } = spec;
    const folder = folderOf(this.#world, instance);
    this.#count(spec);
    await noteDocument(folder, OWN_FILES.record, { ...record, container: id });
    const sink = await output(instance, folder, spec.limits?.output_bytes);
    const pump = new Pump({ engine, id, folder, sink, log }, { stdout: 0, stderr: 0 });
    try {
      await pump.attach();
      this.#demandPermits(instance, folder);
      const beganAtMs = performance.now();
      const answer = await engine.start(id);
      if (!answer.ok) {
        if (answer.status === 404 || answer.status === 409) throw overtaken(instance);
        throw refused(`run "${spec.run[0]}" in ${instance}`, answer);
      }
      vigils.watch({ instance, id, folder, pump });
      return beganAtMs;
    } catch (error) {
      await pump.close();
      throw error;
    }
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
    await engine.remove(id).catch((error: unknown) => {
      // It was never started, or is ended by whoever stops it: it is listed until then.
      log.warn("a container that was not started could not be removed", { id, error });
    });
  }
}

function overtaken(instance: string): Fault {
  const message = `${instance} must have its permit to start, it was stopped before it began`;
  return new Fault("sandbox_failed", message);
}
