import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CgroupPower, MissingPower } from "./cgroup.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { isWritable, ownBase, tryGroup, type Place } from "./place.ts";

/** What each v1 controller gives, and the file of a group that shows it. */
const powersOf: Readonly<Record<string, { readonly what: CgroupPower; readonly file: string }>> = {
  memory: { what: "memory", file: "memory.limit_in_bytes" },
  cpu: { what: "cpu", file: "cpu.cfs_quota_us" },
  pids: { what: "processes", file: "pids.max" },
  freezer: { what: "freeze", file: "freezer.state" },
};

/** Whether groups in this v1 hierarchy are good for anything to a sandbox. */
export function isOfUse({ controllers }: Hierarchy): boolean {
  return controllers.some((one) => one in powersOf || one === "cpuacct");
}

/**
 * Finds where this process may make groups in a v1 hierarchy: below its own group and nowhere
 * else, so that whatever bounds this process bounds its sandboxes too.
 */
export async function claimLegacy(hierarchy: Hierarchy, fleet: string): Promise<Place> {
  const wanted = hierarchy.controllers.flatMap((one) => powersOf[one] ?? []);
  const base = ownBase(hierarchy, fleet);
  const none = { hierarchy, base: undefined, powers: new Set<CgroupPower>(), delegated: [] };
  const allMissing = (why: string, remedy: string): MissingPower[] =>
    wanted.map(({ what }) => ({ what, why, remedy }));

  if (base === undefined) {
    const why = `the own group must be visible below ${hierarchy.mountPoint}, it lies outside`;
    return { ...none, missing: allMissing(why, "mount the control groups of this namespace") };
  }
  const found = (await isWritable(base, join(base, "cgroup.procs")))
    ? await tryGroup(base, (folder) =>
        Promise.resolve(wanted.filter(({ file }) => existsSync(join(folder, file)))),
      )
    : undefined;
  if (found === undefined) {
    const why = `${base} must be writable to this process, it is not`;
    const remedy =
      "start Stint as root, have root make this group over to its user, " +
      "or mount the control groups of its container writable";
    return { ...none, missing: allMissing(why, remedy) };
  }
  const lacking = wanted.filter((one) => !found.includes(one));
  return {
    hierarchy,
    base,
    powers: new Set(found.map(({ what }) => what)),
    delegated: [],
    missing: lacking.map(({ what, file }) => ({
      what,
      why: `groups below ${base} must have a file ${file}, the kernel gives them none`,
      remedy: "use a kernel that was built with it",
    })),
  };
}
