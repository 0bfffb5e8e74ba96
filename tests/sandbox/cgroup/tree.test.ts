import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CgroupTree } from "../../../src/sandbox/cgroup/cgroup.ts";
import { findCgroups, surveyCgroups } from "../../../src/sandbox/cgroup/find.ts";
import { needs, needsProgram } from "../../support/require-all.ts";
import { HeldPipe } from "../holding.ts";
import { ended, until, useGround } from "./ground.ts";

const ground = useGround();

interface Survey {
  readonly can?: CgroupTree["can"];
  readonly missing: CgroupTree["missing"];
  readonly joinFiles?: readonly string[];
}

describe("finding", () => {
  test("[CG8] a group that a crashed owner has left is listed, ended and removed", async () => {
    const tree = ground.tree("kill");
    const program = join(import.meta.dirname, "fixtures/crashing-owner.ts");
    const owner = spawn(process.execPath, [program, ground.fleet, "w-left"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = Number(String((await once(owner.stdout, "data"))[0]));
    owner.kill("SIGKILL");
    await ended(owner);
    expect(await tree.list()).toEqual(["w-left"]);
    const found = await findCgroups(ground.fleet);
    expect(await found?.open("w-left").members()).toEqual([pid]);
    await found?.open("w-left").kill();
    await until(
      async () => found?.open("w-left").isEmpty(),
      (isEmpty) => isEmpty === true,
    );
    await found?.open("w-left").remove();
    expect(await tree.list()).toEqual([]);
  });

  test("[CG8] a group that was made from within another group is found where it is", async () => {
    const tree = ground.tree("kill");
    const made = await tree.create("w-here");
    const elsewhere = made.joinFiles.map((file) => {
      const base = join(dirname(dirname(dirname(file))), `e-${ground.fleet}`);
      return { base, group: join(base, basename(dirname(dirname(file))), "w-there") };
    });
    try {
      for (const { group } of elsewhere) mkdirSync(group, { recursive: true });
      expect(await tree.list()).toEqual(["w-here", "w-there"]);
      const found = await findCgroups(ground.fleet);
      const there = found?.open("w-there");
      expect(there?.joinFiles.map(dirname)).toEqual(elsewhere.map(({ group }) => group));
      expect((await found?.create("w-there"))?.joinFiles).toEqual(there?.joinFiles);
      await there?.remove();
      expect(await tree.list()).toEqual(["w-here"]);
    } finally {
      for (const { base } of elsewhere) rmdirSync(base);
    }
  });

  test("[CG12] one order kills what is in any group of the fleet", async () => {
    const tree = ground.tree("kill");
    const children = [];
    for (const instance of ["w-a", "w-b"]) {
      const group = await tree.create(instance);
      const child = ground.start(group, "sh", "-c", "echo in; exec sleep 300");
      await once(child.stdout, "data");
      children.push(child);
    }
    await tree.create("w-empty");
    const killed = await killIn(tree, "known");
    needs(killed.length > 0, "control groups of version 2 must be there to be killed by one order");
    expect(killed).toEqual([
      ["w-a", 1],
      ["w-b", 1],
    ]);
    expect(await Promise.all(children.map(ended))).toEqual(["SIGKILL", "SIGKILL"]);
    expect(await killIn(tree, "known")).toEqual([]);
  });

  test("[CG12] what lies where no group was known to be is met by its own order", async () => {
    const tree = ground.tree("kill");
    const made = await tree.create("w-here");
    const file = made.joinFiles.find((one) => existsSync(join(dirname(one), "cgroup.kill")));
    needs(file !== undefined, "control groups of version 2 must be there for such an order");
    const fleetFolder = dirname(dirname(file ?? ""));
    const base = join(dirname(fleetFolder), `e-${ground.fleet}`);
    const group = join(base, basename(fleetFolder), "w-there");
    mkdirSync(group, { recursive: true });
    const child = spawn("sleep", ["300"], { stdio: "ignore" });
    try {
      writeFileSync(join(group, "cgroup.procs"), String(child.pid));
      expect(await killIn(tree, "known")).toEqual([]);
      expect(await killIn(tree, "elsewhere")).toEqual([["w-there", 1]]);
      expect(await ended(child)).toBe("SIGKILL");
    } finally {
      child.kill("SIGKILL");
      await tree.list();
      await tree.open("w-there").remove();
      rmdirSync(base);
    }
  });

  test("[CG9] the fleet of a worker lies beside it, another fleet inside it", async () => {
    const tree = ground.tree("kill", "memory");
    const worker = await tree.create("w-parent");
    for (const fleet of [ground.fleet, `${ground.fleet}-other`]) {
      const child = ground.start(
        worker,
        process.execPath,
        join(import.meta.dirname, "fixtures/surveyor.ts"),
        fleet,
      );
      const said = JSON.parse(await text(child.stdout)) as Survey;
      const isInside = (said.joinFiles ?? []).map((file) => file.includes("/w-parent/"));
      expect(isInside.length).toBeGreaterThan(0);
      expect(new Set(isInside)).toEqual(new Set([fleet !== ground.fleet]));
    }
  });

  test("[CG10] who may write to no group is told why not, and how to", async () => {
    ground.tree("kill");
    needs(process.getuid?.() === 0, "only root can become a user without rights");
    const program = join(import.meta.dirname, "fixtures/surveyor.ts");
    const child = spawn(process.execPath, [program, ground.fleet, "65534"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = JSON.parse(await text(child.stdout)) as Survey;
    expect(said.can).toBeUndefined();
    expect(said.missing.map(({ what }) => what)).toEqual([
      "memory",
      "cpu",
      "processes",
      "freeze",
      "kill",
    ]);
    for (const { why, remedy } of said.missing) {
      expect(why).toMatch(/must be writable/);
      expect(remedy).toMatch(/systemd-run|root/);
    }
  });

  test("[CG10] a host without control groups has no tree, and says so", async () => {
    const { tree, missing } = await surveyCgroups(ground.fleet, { procRoot: "/nonexistent" });
    expect(tree).toBeUndefined();
    expect(missing).toHaveLength(5);
    expect(missing[0]?.why).toMatch(/must be mounted/);
  });

  test("making a group twice answers the same one, and races with removals of others", async () => {
    const tree = ground.tree("kill");
    const rounds = Array.from({ length: 40 }, async (_, index) => {
      const group = await tree.create(`w-${index % 8}`);
      if (index >= 8) return group.joinFiles;
      const other = await tree.create(`w-gone-${index}`);
      await other.remove();
      return group.joinFiles;
    });
    const made = await Promise.all(rounds);
    expect(new Set(made.map((files) => files.join())).size).toBe(8);
    expect(await tree.list()).toHaveLength(8);
  });

  test("an instance that is no file name is a bug", async () => {
    const tree = ground.tree("kill");
    await expect(tree.create("../w")).rejects.toThrow("must be fit for a file name");
    expect(() => tree.open("..")).toThrow("must be fit for a file name");
  });
});

describe("version 1 by itself", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stint-cgroup-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** The tree as it is on a host without version 2: its mount is left out of what /proc says. */
  async function withoutUnified(): Promise<CgroupTree> {
    const procRoot = join(folder, "proc");
    mkdirSync(join(procRoot, "self"), { recursive: true });
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    const legacy = mounts.filter((line) => !line.includes(" - cgroup2 "));
    writeFileSync(join(procRoot, "self/mountinfo"), legacy.join("\n"));
    writeFileSync(join(procRoot, "self/cgroup"), readFileSync("/proc/self/cgroup"));
    const tree = await findCgroups(ground.fleet, { procRoot });
    needs(tree?.can.freeze === true, "this host has no version 1 freezer that we may use");
    return tree;
  }
  const stormProcesses = 30;

  test("[CG5] the freezer stops a group, and [CG6] a storm in it dies whole", async () => {
    const tree = await withoutUnified();
    const pipe = new HeldPipe(folder);
    needsProgram("perl");
    expect(tree.can.kill).toBe(true);
    const group = await tree.create("w-storm");
    await group.limit({ processes: stormProcesses });
    ground.start(group, "perl", join(import.meta.dirname, "fixtures/storm.pl"), pipe.path);
    await pipe.ready(stormProcesses * 2);
    expect(await group.freeze(5_000)).toBe(true);
    const members = await group.members();
    const { cpu_ms } = await group.use();
    expect(new Set(await group.members())).toEqual(new Set(members));
    expect((await group.use()).cpu_ms).toBe(cpu_ms);
    await group.kill();
    await until(
      () => group.isEmpty(),
      (isEmpty) => isEmpty,
    );
    expect(await pipe.isReleased(5_000)).toBe(true);
    await group.remove();
    expect(await tree.list()).toEqual([]);
  });
});

/** Whom an order has found, with how many processes. */
async function killIn(tree: CgroupTree, where: "known" | "elsewhere"): Promise<unknown[]> {
  const found: unknown[] = [];
  await tree.kill(where, { onFound: (counts) => void found.push(...counts) });
  return found;
}
