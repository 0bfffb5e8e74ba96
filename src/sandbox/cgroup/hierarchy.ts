import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** A tree of control groups, as it is mounted for this process. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** What a v1 hierarchy controls: `memory`, `pids`, …; empty for v2, whose groups say it. */
  readonly controllers: readonly string[];
  readonly mountPoint: string;
  /** The folder of this process's own group; undefined when it lies outside of what is mounted. */
  readonly own: string | undefined;
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * Lists the hierarchies that this process can see; none where there is no /proc. `procRoot` stands
 * in for /proc where that is mounted elsewhere, and in tests.
 */
export async function listHierarchies(procRoot = "/proc"): Promise<Hierarchy[]> {
  const mounts = parseMounts(await readOrEmpty(join(procRoot, "self/mountinfo")));
  const groups = parseGroups(await readOrEmpty(join(procRoot, "self/cgroup")));
  const found = new Map<string, Hierarchy>();
  for (const mount of mounts) {
    const isUnified = mount.type === "cgroup2";
    const name = isUnified ? "" : [...groups.keys()].find((one) => isNamed(one, mount.options));
    const ownPath = name === undefined ? undefined : groups.get(name);
    if (name === undefined || ownPath === undefined) continue;
    const own = below(mount.root, ownPath);
    const hierarchy: Hierarchy = {
      version: isUnified ? 2 : 1,
      controllers: name.split(",").filter((one) => one !== ""),
      mountPoint: mount.point,
      own: own === undefined ? undefined : join(mount.point, own),
    };
    // A hierarchy may be mounted several times; the first one that shows the own group is good.
    if (found.get(name)?.own === undefined) found.set(name, hierarchy);
  }
  return [...found.values()];
}

/** Whether a mount with these options is that of a v1 hierarchy: "cpu,cpuacct", "name=systemd". */
function isNamed(name: string, options: readonly string[]): boolean {
  return name !== "" && name.split(",").every((one) => options.includes(one));
}

/** `path` from the root of a mount; undefined when it is not below that. */
function below(root: string, path: string): string | undefined {
  // A path with ".." is seen from within a cgroup namespace and lies outside of it.
  const parts = relative(root, path).split("/");
  return path.includes("/..") || parts.includes("..") ? undefined : relative(root, path);
}

/** Parses /proc/PID/mountinfo; keeps the mounts of control groups. */
function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [front = "", back = ""] = line.split(" - ");
    const [, , , root, point] = front.split(" ");
    const [type = "", , options = ""] = back.split(" ");
    if (root === undefined || point === undefined || !/^cgroup2?$/.test(type)) return [];
    return [
      { root: decodeOctal(root), point: decodeOctal(point), type, options: options.split(",") },
    ];
  });
}

/** Parses /proc/PID/cgroup: the path of the own group by the hierarchy's controllers. */
function parseGroups(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").flatMap((line): [string, string][] => {
      // A path may hold colons, the fields before it cannot.
      const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
      return match === null ? [] : [[match[1] ?? "", match[2] ?? ""]];
    }),
  );
}

/** Undoes the octal escapes of mountinfo: blank, tab, newline and backslash. */
function decodeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    // Not Linux, or a kernel without control groups: there is nothing to find.
    return "";
  }
}
