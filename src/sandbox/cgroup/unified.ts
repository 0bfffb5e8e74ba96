// Version 2 has one tree, and a rule for it: a group that divides a controller among groups below
// it holds no process itself, the root excepted. This process sits in some group; so the fleet's
// groups go beside it, below the nearest ancestor that this process may write to and that is or
// can be made free of processes. Nothing is moved but this process itself, and that only when it
// is alone in its group, as in a unit that was delegated to it.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "../../ports/error-code.ts";
import type { CgroupPower, MissingPower } from "./cgroup.ts";
import { readControl, readWords, writeControl } from "./control-file.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { isFleetFolder, isWritable, ownBase, tryGroup, type Place } from "./place.ts";

/** The controllers that sandboxes need, and what each gives. */
const powersOf: Readonly<Record<string, CgroupPower>> = {
  memory: "memory",
  cpu: "cpu",
  pids: "processes",
};

/** Where this process goes when it has to leave its own group to divide it. */
const asideName = "aside.stint";

const scopeRemedy = "start Stint in a scope of its own: systemd-run --user --scope -p Delegate=yes";
const mountRemedy =
  "mount the control groups of the container writable, with a namespace of its own";

/** A group as a place to make others below. */
interface Candidate {
  readonly folder: string;
  readonly isWritable: boolean;
  readonly available: readonly string[];
  readonly enabled: readonly string[];
  /** Processes that forbid to divide controllers among groups below; this process excepted. */
  readonly strangers: readonly string[];
  /** Whether this process has to go aside first. */
  readonly holdsSelf: boolean;
}

/** Finds where this process may make groups in the v2 tree, and readies that place for them. */
export async function claimUnified(hierarchy: Hierarchy, fleet: string): Promise<Place> {
  const candidates = await listCandidates(hierarchy, fleet);
  const usable = candidates.filter((one) => one.isWritable);
  // The nearest of those that give most: the less of the host lies above the fleet, the better.
  const best = usable.toSorted(
    (one, other) => obtainable(other).length - obtainable(one).length,
  )[0];
  if (best === undefined) return cannotWrite(hierarchy, candidates[0]?.folder);
  const failures = await enable(best);
  const seen = await tryGroup(best.folder, async (folder) => ({
    canFreeze: hasFile(folder, best.folder, "cgroup.freeze"),
    canKill: hasFile(folder, best.folder, "cgroup.kill"),
    controllers: (await readControl(join(folder, "cgroup.controllers")))?.match(/\S+/g),
  }));
  if (seen === undefined) return cannotWrite(hierarchy, best.folder);

  const given = obtainable(best).filter((one) => !failures.has(one));
  const delegated = given.filter((one) => seen.controllers?.includes(one) ?? true);
  const powers = new Set(delegated.flatMap((one) => powersOf[one] ?? []));
  if (seen.canFreeze) powers.add("freeze");
  if (seen.canFreeze || seen.canKill) powers.add("kill");
  const lacking = Object.keys(powersOf).filter((one) => !delegated.includes(one));
  const missing = lacking.map((one) => explain(one, usable, failures.get(one)));
  if (!seen.canFreeze) missing.push(tooOld("freeze", "5.2"));
  if (!powers.has("kill")) missing.push(tooOld("kill", "5.14"));
  return { hierarchy, base: best.folder, powers, delegated, missing };
}

/** From the own group to the root of what is mounted, nearest first. */
async function listCandidates(hierarchy: Hierarchy, fleet: string): Promise<Candidate[]> {
  const own = ownBase(hierarchy, fleet);
  const found: Candidate[] = [];
  for (let folder = own; folder !== undefined; folder = dirname(folder)) {
    // Above this lies what bounds a worker of another fleet: its own workers stay inside.
    if (isFleetFolder(folder)) break;
    const candidate = await examine(folder);
    if (candidate !== undefined) found.push(candidate);
    if (folder === hierarchy.mountPoint || folder === dirname(folder)) break;
  }
  return found;
}

/** Looks at a group; undefined when it can have no groups with controllers below it. */
async function examine(folder: string): Promise<Candidate | undefined> {
  const procs = join(folder, "cgroup.procs");
  const control = join(folder, "cgroup.subtree_control");
  const type = (await readControl(join(folder, "cgroup.type")))?.trim();
  if (type !== undefined && type !== "domain") return undefined;
  // Only the root of the whole host has no type, and may hold processes.
  const pids = type === undefined ? [] : await readWords(procs);
  return {
    folder,
    isWritable: await isWritable(folder, procs, control),
    available: await readWords(join(folder, "cgroup.controllers")),
    enabled: await readWords(control),
    strangers: pids.filter((pid) => pid !== String(process.pid)),
    holdsSelf: pids.includes(String(process.pid)),
  };
}

/** The controllers that groups below a candidate have or can be given. */
function obtainable({ available, enabled, strangers }: Candidate): string[] {
  return Object.keys(powersOf).filter(
    (one) => enabled.includes(one) || (available.includes(one) && strangers.length === 0),
  );
}

/** Passes on what a candidate can give; answers what failed, with the reason. */
async function enable(candidate: Candidate): Promise<ReadonlyMap<string, string>> {
  const { folder, enabled, holdsSelf } = candidate;
  const failures = new Map<string, string>();
  for (const one of obtainable(candidate).filter((name) => !enabled.includes(name))) {
    try {
      if (holdsSelf) await stepAside(folder);
      await writeControl(join(folder, "cgroup.subtree_control"), `+${one}`);
    } catch (error) {
      failures.set(one, `${folder} must pass on its controllers, the kernel said ${codeOf(error)}`);
    }
  }
  return failures;
}

/** Moves this process into a group of its own below the one that it is in; safe to repeat. */
async function stepAside(folder: string): Promise<void> {
  const aside = join(folder, asideName);
  await mkdir(aside, { recursive: true });
  await writeControl(join(aside, "cgroup.procs"), String(process.pid));
}

/** Whether groups have a file: the root lacks those that every other group has. */
function hasFile(tried: string, base: string, name: string): boolean {
  return existsSync(join(tried, name)) || existsSync(join(base, name));
}

function explain(
  controller: string,
  usable: readonly Candidate[],
  failure: string | undefined,
): MissingPower {
  const what = powersOf[controller] ?? "kill";
  if (failure !== undefined) return { what, why: failure, remedy: scopeRemedy };
  const held = usable.find((one) => one.available.includes(controller));
  if (held !== undefined) {
    const pids = held.strangers.slice(0, 5).join(", ");
    const why = `${held.folder} must hold no process to divide its ${controller}, it holds ${pids}`;
    return { what, why, remedy: scopeRemedy };
  }
  const nearest = usable[0]?.folder ?? "";
  const why = `${nearest} must have the controller ${controller}, it was not given to it`;
  return { what, why, remedy: `have it delegated: Delegate=cpu memory pids in the unit above` };
}

function tooOld(what: CgroupPower, version: string): MissingPower {
  const why = `groups must have a file cgroup.${what}, this kernel gives them none`;
  return { what, why, remedy: `use Linux ${version} or newer` };
}

/** Nothing may be made here: then nothing can be held here. */
function cannotWrite(hierarchy: Hierarchy, folder: string | undefined): Place {
  const why =
    folder === undefined
      ? `the own group must be visible below ${hierarchy.mountPoint}, it lies outside`
      : `${folder} or a group above it must be writable to this process, none is`;
  const remedy = `${scopeRemedy}; in a container: ${mountRemedy}`;
  const powers: readonly CgroupPower[] = ["memory", "cpu", "processes", "freeze", "kill"];
  const missing = powers.map((what) => ({ what, why, remedy }));
  return { hierarchy, base: undefined, powers: new Set(), delegated: [], missing };
}
