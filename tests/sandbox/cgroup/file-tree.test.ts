// Version 2 as files that lie in a folder: what is chosen by what /proc and the groups say. Nothing
// is held to anything there; what a kernel makes of it is shown by pure-v2.long.test.ts.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { surveyCgroups, type CgroupSurvey } from "../../../src/sandbox/cgroup/find.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint cgroup-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Group {
  readonly controllers?: string;
  readonly procs?: string;
  readonly type?: string;
}

/** Lays out groups by path, the root included. */
function lay(groups: Readonly<Record<string, Group>>): void {
  for (const [path, { controllers = "", procs = "", type = "domain" }] of Object.entries(groups)) {
    const at = join(folder, "fs", path);
    mkdirSync(at, { recursive: true });
    const isRoot = path === "/";
    const files = {
      "cgroup.controllers": controllers,
      "cgroup.subtree_control": "",
      "cgroup.procs": procs.replace("self", String(process.pid)),
      ...(!isRoot && { "cgroup.type": type, "cgroup.freeze": "0", "cgroup.kill": "" }),
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(at, name), `${text}\n`);
  }
}

/** Surveys the groups that were laid out, as a process in `own`. */
function survey(own: string, mountRoot = "/"): Promise<CgroupSurvey> {
  const procRoot = join(folder, "proc");
  mkdirSync(join(procRoot, "self"), { recursive: true });
  const point = join(folder, "fs").replaceAll(" ", "\\040");
  const mount = `31 23 0:28 ${mountRoot} ${point} rw,nosuid shared:9 - cgroup2 cgroup2 rw`;
  const other = "32 23 0:29 / /proc rw - proc proc rw";
  writeFileSync(join(procRoot, "self/mountinfo"), `${other}\n${mount}\n`);
  writeFileSync(join(procRoot, "self/cgroup"), `0::${own}\n`);
  return surveyCgroups("f", { procRoot });
}

function read(path: string): string {
  return readFileSync(join(folder, "fs", path), "utf8").trim();
}

const everything = "cpuset cpu io memory hugetlb pids";

test("[CG11] the nearest group without processes that has the controllers is divided", async () => {
  lay({
    "/": { controllers: everything, procs: "1\n2" },
    "/user": { controllers: everything },
    "/user/app": { controllers: everything },
    "/user/app/scope": { controllers: everything, procs: "4711\nself" },
  });
  const { tree, missing } = await survey("/user/app/scope");
  expect(missing).toEqual([]);
  const group = tree?.open("w-1");
  const at = join(folder, "fs/user/app/stint-f/w-1");
  expect(group?.joinFiles).toEqual([join(at, "cgroup.procs")]);
  expect(read("/user/app/cgroup.subtree_control")).toBe("+pids");
  expect(read("/user/cgroup.subtree_control")).toBe("");
});

test("[CG11] the limits of a group are written where version 2 has them", async () => {
  lay({ "/": { controllers: everything, procs: "1" } });
  mkdirSync(join(folder, "fs/stint-f/w-1"), { recursive: true });
  const files = { "memory.max": "max", "memory.high": "max", "memory.swap.max": "max" };
  const counts = { "memory.current": "1000", "pids.current": "3", "pids.max": "max" };
  for (const [name, text] of Object.entries({ ...files, ...counts, "cpu.max": "max 100000" })) {
    writeFileSync(join(folder, "fs/stint-f/w-1", name), `${text}\n`);
  }
  const { tree } = await survey("/");
  const group = tree?.open("w-1");
  expect(await group?.limit({ memory_bytes: 999 })).toEqual({ memory_bytes: 1_000, processes: 3 });
  expect(read("/stint-f/w-1/memory.max")).toBe("max");
  await group?.limit({ memory_bytes: 5_000, processes: 9, cpu_milli: 250 });
  const names = ["memory.max", "memory.high", "memory.swap.max", "pids.max", "cpu.max"];
  expect(names.map((name) => read(`/stint-f/w-1/${name}`))).toEqual([
    "5000",
    "max",
    "0",
    "9",
    "25000 100000",
  ]);
});

test("[CG11] a container sees its groups below the root of its mount", async () => {
  lay({
    "/": { controllers: everything, procs: "1\nself" },
    "/inner": { controllers: everything },
    "/inner/own": { procs: "self" },
  });
  const { tree } = await survey("/docker/abc/inner/own", "/docker/abc");
  const group = tree?.open("w-1");
  expect(group?.joinFiles).toEqual([join(folder, "fs/inner/stint-f/w-1/cgroup.procs")]);
});

test("[CG10] an own group outside of what is mounted is said to be in the way", async () => {
  lay({ "/": { controllers: everything } });
  for (const own of ["/../other", "/elsewhere"]) {
    const { tree, missing } = await survey(own, "/docker/abc");
    expect(tree).toBeUndefined();
    expect(missing).toHaveLength(5);
    expect(missing[0]?.why).toMatch(/lies outside$/);
  }
});

test("[CG10] a group of threads is passed over, and a kernel without orders named", async () => {
  lay({
    "/": { controllers: "cpu" },
    "/threads": { controllers: everything, type: "threaded" },
  });
  const { tree, missing } = await survey("/threads");
  expect(tree?.can).toMatchObject({ memory: false, cpu: true, freeze: false, kill: false });
  expect(missing.map(({ what }) => what)).toEqual(["memory", "processes", "freeze", "kill"]);
  expect(missing.at(-1)?.remedy).toMatch(/Linux/);
});
