import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { ok } from "../../kernel/assert.ts";
import { Fault } from "../../ports/fault.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { Cgroup, CgroupPower, CgroupTree, StrikeOptions, MissingPower } from "./cgroup.ts";
import { orderControl, readWords, writeControl } from "./control-file.ts";
import { groupIn } from "./group.ts";
import { hasNoMembers, isMember, listDirect } from "./members.ts";
import { listHierarchies } from "./hierarchy.ts";
import type { Layout } from "./layout.ts";
import { claimLegacy, isOfUse } from "./legacy.ts";
import { findFleetFolders, fleetFolderName, listFolders, type Place } from "./place.ts";
import { claimUnified } from "./unified.ts";

const allPowers: readonly CgroupPower[] = ["memory", "cpu", "processes", "freeze", "kill"];

/** The kernel's order to kill a group and all below it; of version 2. */
const KILL = "cgroup.kill";

/** A folder of the fleet may be removed by another process between its making and its use. */
const createAttemptsMax = 20;

/** Where to look for control groups. */
export interface FindOptions {
  /** Stands in for /proc: where that is mounted elsewhere, and in tests. */
  readonly procRoot?: string;
}

/** What this host offers: the tree to use, if any, and why it can do no more. */
export interface CgroupSurvey {
  readonly tree: CgroupTree | undefined;
  readonly missing: readonly MissingPower[];
}

/**
 * Finds the control groups that this process may use for a fleet; undefined when there are none.
 *
 * Version 1, 2 and both side by side: mount points and own groups are read from /proc. A group
 * can be made is known by making one. Groups are made below or beside the own one, so that it
 * takes no more of the host than was given to it.
 */
export async function findCgroups(
  fleet: string,
  options: FindOptions = {},
): Promise<CgroupTree | undefined> {
  return (await surveyCgroups(fleet, options)).tree;
}

/** As {@link findCgroups}, with what is missing also where there are no groups at all. */
export async function surveyCgroups(
  fleet: string,
  options: FindOptions = {},
): Promise<CgroupSurvey> {
  ok(/^[\w.-]+$/.test(fleet), `a fleet's id must be fit for a file name, got "${fleet}"`);
  const hierarchies = await listHierarchies(options.procRoot);
  const claims = hierarchies
    .filter((one) => one.version === 2 || isOfUse(one))
    .map((one) => (one.version === 2 ? claimUnified(one, fleet) : claimLegacy(one, fleet)));
  const places = withoutDoubles(await Promise.all(claims));
  const can = Object.fromEntries(
    allPowers.map((what) => [what, places.some(({ powers }) => powers.has(what))]),
  ) as Record<CgroupPower, boolean>;
  // Without the kernel's own order a kill needs a group that stands still.
  can.kill ||= can.freeze;
  const missing = allPowers.filter((what) => !can[what]).map((what) => explain(what, places));
  const tree = new FleetTree({ fleet, places, can, missing });
  await tree.look();
  return { tree: tree.isUsable() ? tree : undefined, missing };
}

/** The version 1 freezer and clock are left alone where version 2 does the same. */
function withoutDoubles(places: readonly Place[]): readonly Place[] {
  const unified = places.find(({ hierarchy }) => hierarchy.version === 2);
  if (unified?.base === undefined) return places;
  const spare = unified.powers.has("freeze") ? ["freezer", "cpuacct"] : ["cpuacct"];
  return places.filter(
    ({ hierarchy: { version, controllers } }) =>
      version === 2 || !controllers.every((one) => spare.includes(one)),
  );
}

function explain(what: CgroupPower, places: readonly Place[]): MissingPower {
  // Version 1 speaks first: what it has, version 2 lacks for that reason alone.
  const found = places
    .toSorted((one, other) => one.hierarchy.version - other.hierarchy.version)
    .flatMap(({ missing }) => missing)
    .find((one) => one.what === what);
  const nowhere = {
    what,
    why: "control groups must be mounted, this process sees none for this",
    remedy: "mount the control groups of the host: mount -t cgroup2 none /sys/fs/cgroup",
  };
  return found ?? nowhere;
}

interface TreeParts {
  readonly fleet: string;
  readonly places: readonly Place[];
  readonly can: Readonly<Record<CgroupPower, boolean>>;
  readonly missing: readonly MissingPower[];
}

class FleetTree implements CgroupTree {
  readonly can;
  readonly missing;
  readonly #fleet: string;
  readonly #places: readonly Place[];
  readonly #layout: Layout = new Map();
  /** By place: the folders with groups of the fleet, wherever other processes have made them. */
  #found: readonly (readonly string[])[] = [];

  constructor({ fleet, places, can, missing }: TreeParts) {
    this.#fleet = fleet;
    this.#places = places;
    this.can = can;
    this.missing = missing;
  }

  /** Whether groups can be made here, or some were. */
  isUsable(): boolean {
    const isAnyMade = this.#found.some((folders) => folders.length > 0);
    return isAnyMade || this.#places.some(({ base }) => base !== undefined);
  }

  /** Looks for folders of the fleet in all hierarchies. */
  async look(): Promise<void> {
    this.#found = await Promise.all(
      this.#places.map(({ hierarchy }) => findFleetFolders(hierarchy, this.#fleet)),
    );
  }

  async create(instance: string): Promise<Cgroup> {
    checkName(instance);
    try {
      const folders = this.#foldersOf(instance);
      const lacking = this.#places.filter((_, index) => !existsSync(folders[index] ?? ""));
      await Promise.all(lacking.map((place) => this.#make(place, instance)));
    } catch (error) {
      if (error instanceof Fault || codeOf(error) === "") throw error;
      const message = `a group for ${instance} must be made, the host said ${codeOf(error)}`;
      throw new Fault("sandbox_failed", message, { cause: error });
    }
    return this.open(instance);
  }

  async #make({ base, delegated }: Place, instance: string): Promise<void> {
    if (base === undefined) return;
    const folder = join(base, fleetFolderName(this.#fleet));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await mkdir(folder, { recursive: true });
        await passOn(folder, delegated);
        await mkdir(join(folder, instance), { recursive: true });
        return;
      } catch (error) {
        // Its last group was removed by somebody, and the folder with it: make it again.
        const isGone = ["ENOENT", "ENODEV"].includes(codeOf(error));
        if (!isGone || attempt === createAttemptsMax || !existsSync(base)) throw error;
      }
    }
  }

  open(instance: string): Cgroup {
    checkName(instance);
    const folders = this.#foldersOf(instance).filter((one) => one !== undefined);
    const path = `/${fleetFolderName(this.#fleet)}/${instance}`;
    return groupIn(folders, { path, layout: this.#layout });
  }

  has(instance: string): boolean {
    return this.#foldersOf(instance).every((one) => one !== undefined && existsSync(one));
  }

  /** By place: where the group of an instance is, or where it would be made, if anywhere. */
  #foldersOf(instance: string): readonly (string | undefined)[] {
    return this.#places.map(({ base }, index) => {
      const own = base === undefined ? [] : [join(base, fleetFolderName(this.#fleet))];
      const choices = [...own, ...(this.#found[index] ?? [])].map((one) => join(one, instance));
      return choices.find((one) => existsSync(one)) ?? choices[0];
    });
  }

  async kill(where: "known" | "elsewhere", options: StrikeOptions = {}): Promise<void> {
    const known = this.#known();
    if (where === "known") return killIn(known, options);
    await this.look();
    const found = this.#known().filter((folder) => !known.includes(folder));
    return killIn(found, options);
  }

  async isDeserted(): Promise<boolean> {
    const folders = this.#known().filter((folder) => existsSync(join(folder, "cgroup.events")));
    const answers = await Promise.all(folders.map(hasNoMembers));
    return answers.length > 0 && answers.every((isEmpty) => isEmpty);
  }

  async list(): Promise<readonly string[]> {
    await this.look();
    return this.listKnown();
  }

  async listKnown(): Promise<readonly string[]> {
    const names = await Promise.all(this.#known().map(listFolders));
    return [...new Set(names.flat())].toSorted();
  }

  /** The folders with groups of the fleet, as far as it was looked for them. */
  #known(): readonly string[] {
    const name = fleetFolderName(this.#fleet);
    const own = this.#places.flatMap(({ base }) => (base === undefined ? [] : [join(base, name)]));
    return [...new Set([...own, ...this.#found.flat()])];
  }
}

/** Has the kernel kill all that is below these folders; one that fails holds up no other. */
async function killIn(folders: readonly string[], options: StrikeOptions): Promise<void> {
  const failures: unknown[] = [];
  for (const folder of folders.filter((one) => existsSync(join(one, KILL))))
    await killBelow(folder, options).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function killBelow(
  folder: string,
  { isMet = () => false, onFound }: StrikeOptions,
): Promise<void> {
  const isDeserted = await hasNoMembers(folder);
  const isOwn = await isMember(process.pid, [`/${basename(folder)}`]);
  if (isDeserted || isOwn) return;
  const names = (await listFolders(folder)).filter((name) => !isMet(name));
  const members = names.map((name) => [name, listDirect(join(folder, name))] as const);
  const isAmong = members.some(([, pids]) => pids.includes(String(process.pid)));
  if (names.length === 0 || isAmong) return;
  const inhabited = members.filter(([, pids]) => pids.length > 0);
  onFound?.(new Map(inhabited.map(([name, pids]) => [name, pids.length])));
  // At once: among so many that die it would be long before this process was told that it did.
  orderControl(join(folder, KILL), "1");
}

/** Gives the groups below a folder the controllers that the folder itself was given. */
async function passOn(folder: string, controllers: readonly string[]): Promise<void> {
  if (controllers.length === 0) return;
  const control = join(folder, "cgroup.subtree_control");
  const enabled = await readWords(control);
  const lacking = controllers.filter((one) => !enabled.includes(one));
  if (lacking.length === 0) return;
  await writeControl(control, lacking.map((one) => `+${one}`).join(" "));
}

function checkName(instance: string): void {
  ok(/^\w[\w.-]*$/.test(instance), `an instance must be fit for a file name, got "${instance}"`);
}
