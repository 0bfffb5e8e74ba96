import { accessSync, constants, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../../ports/fault.ts";
import { demandNode } from "../../system/node-version.ts";
import { runtimePlaces } from "../../system/places.ts";
import { attempt, good, type Check } from "./check.ts";

/** Looks at what every fleet on this host needs. */
export async function checkHost(): Promise<readonly Check[]> {
  return [await checkNode(), await checkSqlite(), await checkProcesses(), checkNamespaces()];
}

function checkNode(): Promise<Check> {
  const remedy = { sqlite_unsupported: "install Node 22.18 or newer: https://nodejs.org" };
  const look = (): Check => {
    demandNode(process.versions.node);
    return good("node", `Node ${process.versions.node} on ${process.platform} ${process.arch}`);
  };
  return attempt("node", look, remedy);
}

function checkSqlite(): Promise<Check> {
  const remedy = { sqlite_unsupported: "install Stint again, on this very system and Node" };
  const look = async (): Promise<Check> => {
    const { sqliteVersion } = await import("../../compose/record/inspection.ts");
    return good("sqlite", `SQLite ${sqliteVersion()}`);
  };
  return attempt("sqlite", look, remedy);
}

function checkProcesses(): Promise<Check> {
  const remedy = { sandbox_unavailable: "use Linux, with /proc mounted: mount -t proc proc /proc" };
  const look = (): Check => {
    try {
      accessSync("/proc/self/stat", constants.R_OK);
      return good("processes", "/proc shows this host's processes");
    } catch {
      // Another system, or a container that hides it.
      const got = `this is ${process.platform} without a readable /proc`;
      throw new Fault("sandbox_unavailable", `workers are found by Linux's /proc, ${got}`);
    }
  };
  return attempt("processes", look, remedy);
}

/** Settings of the kernel that keep plain users from namespaces, with the value that lets them. */
const SETTINGS = [
  { name: "kernel.unprivileged_userns_clone", isOpen: (value: number) => value !== 0, value: 1 },
  {
    name: "kernel.apparmor_restrict_unprivileged_userns",
    isOpen: (value: number) => value === 0,
    value: 0,
  },
  { name: "user.max_user_namespaces", isOpen: (value: number) => value > 0, value: 10_000 },
] as const;

/** Without user namespaces only root can contain workers by namespaces. */
function checkNamespaces(): Check {
  const name = "user namespaces";
  const closed = SETTINGS.filter(({ name: setting, isOpen }) => {
    const value = readSetting(setting);
    return value !== undefined && !isOpen(value);
  });
  const isRoot = process.getuid?.() === 0;
  if (closed.length === 0) return good(name, "a plain user may have them");
  const what = closed.map((one) => `${one.name} is ${readSetting(one.name)}`).join(", ");
  const remedy = `sysctl ${closed.map((one) => `${one.name}=${one.value}`).join(" ")}`;
  if (isRoot) return good(name, `${what}; root needs none of them`);
  const costs =
    "workers of a plain user run as a process group: they see its files, stops are swept";
  return { name, status: "weaker", detail: what, costs, remedy };
}

function readSetting(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "latin1").trim());
  } catch {
    // This kernel has no such setting, and so does not restrict by it.
    return undefined;
  }
}

/** Looks at where the sockets of a fleet would lie. */
export function checkRuntimeFolder(stateDir: string): Promise<Check> {
  const remedy = { storage_failed: "set XDG_RUNTIME_DIR to a folder of your own, mode 0700" };
  const look = (): Check => {
    const { dir } = runtimePlaces(stateDir);
    const nearest = existingAbove(dir);
    try {
      accessSync(nearest, constants.W_OK | constants.X_OK);
    } catch {
      // Nobody but its owner may lay sockets there.
      const message = `the sockets' folder ${dir} must be made, ${nearest} is not writable`;
      throw new Fault("storage_failed", message);
    }
    return good("runtime folder", dir);
  };
  return attempt("runtime folder", look, remedy);
}

function existingAbove(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      accessSync(at, constants.F_OK);
      return at;
    } catch {
      // Not there yet: what counts is where it would be made.
      if (dirname(at) === at) return at;
    }
  }
}
