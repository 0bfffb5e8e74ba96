import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HiddenFolders } from "../../../src/sandbox/folder/hidden.ts";
import { childrenOf, isNamespaceInit } from "../../../src/sandbox/process/rung/namespace.ts";
import { needs } from "../../support/require-all.ts";
import { ENCLOSED } from "../rungs.ts";
import { type Ground, kill, useGround } from "../state-folder.ts";

interface Scene {
  readonly project: string;
  readonly state: string;
  /** Puts a folder of links to the real state in the place of its parent. */
  readonly swap: () => void;
}

function scene(ground: Ground): Scene {
  const [project, moved] = [join(ground.folder, "project"), join(ground.folder, "moved")];
  const state = join(project, ".stint");
  mkdirSync(join(state, "w", "w-a"), { recursive: true });
  writeFileSync(join(state, "secret"), "SECRET of the fleet");
  const swap = (): void => {
    const decoy = join(ground.folder, "decoy");
    mkdirSync(join(decoy, ".stint"), { recursive: true });
    for (const name of ["secret", "sandboxes", "w"])
      symlinkSync(join(moved, ".stint", name), join(decoy, ".stint", name));
    renameSync(project, moved);
    renameSync(decoy, project);
  };
  return { project, state, swap };
}

/** The keeper below a wrapper: process 1 of its namespace. */
function keeperOf(wrapper: number | undefined): number {
  const keeper = childrenOf(wrapper ?? 0).find(isNamespaceInit);
  if (keeper === undefined) throw new Error("what was started on an upper rung has a keeper");
  return keeper;
}

/** Matches a message with a text in it. */
function saying(text: string): unknown {
  return expect.stringContaining(text);
}

/** What is thrown. */
function faultOf(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(ENCLOSED)("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU20] with a decoy in the place of a folder above a hidden one nothing runs", async () => {
    const { state, swap } = scene(ground);
    const sandbox = await ground.open({ hidden: [state] });
    const loot = join(ground.folder, "loot");
    const real = join(ground.folder, "moved", ".stint", "secret");
    const run = ["sh", "-c", `cat ${real} > ${loot}; cat ${state}/secret >> ${loot}`] as const;
    swap();
    const started = sandbox.start({ instance: "w-a", run: [...run], files: {}, cwd: "/" });
    await expect(started).rejects.toMatchObject({
      code: "sandbox_failed",
      message: saying("must stay where it was"),
    });
    await kill(sandbox, "w-a");
    expect(existsSync(loot)).toBe(false);
  });

  test("[RU20] what is covered elsewhere, or not shown as it is to be, is found out", async () => {
    const { state } = scene(ground);
    const own = join(state, "w", "w-a");
    const folders = new HiddenFolders([state]);
    const cover = folders.cover([own]);
    // This process has the view of a sandbox whose cover went to a decoy.
    expect(faultOf(() => cover.demandHolds(process.pid))).toMatchObject({
      code: "sandbox_failed",
      message: saying("must be covered"),
    });
    const sandbox = await ground.open({ hidden: [state] });
    const run = ["sleep", "60"] as const;
    const bare = await sandbox.start({ instance: "w-b", run: [...run], files: {} });
    // Covered, as it was to be; but it was not shown the folder that the other is to see.
    const inner = keeperOf(bare.pid);
    expect(faultOf(() => cover.demandHolds(inner))).toMatchObject({
      code: "sandbox_failed",
      message: saying("shown"),
    });
    cover.close();
    const plain = folders.cover([]);
    expect(faultOf(() => plain.demandHolds(inner))).toBeUndefined();
    folders.close();
    await kill(sandbox, "w-b");
  });

  test("[RU20] a hidden folder that was deleted and made anew is hidden as before", async () => {
    const { project, state } = scene(ground);
    const cache = join(project, "cache");
    mkdirSync(cache);
    const folders = new HiddenFolders([state, cache]);
    folders.cover([]).close();
    rmSync(cache, { recursive: true });
    mkdirSync(cache);
    expect(folders.cover([]).hidden).toEqual([state, cache]);
    folders.close();
  });

  test("[RU13] a program that sends the keeper signals is not taken for none", async () => {
    const run = ["sh", "-c", "kill -USR1 1; exit 3"] as const;
    const exited = new Promise((resolve) => ground.sandbox.onExit(resolve));
    await ground.sandbox.start({ instance: "w-a", run: [...run], files: {} });
    await exited;
    expect((await kill(ground.sandbox, "w-a"))?.outcome).toMatchObject({ exit_code: 3 });
  });
});

describe.each(ENCLOSED.slice(0, 2))("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU21] a worker makes no user namespace to mount its control groups in", async () => {
    const steps = `
      for c in memory pids cpu; do
        unshare --user --map-root-user --mount --cgroup sh -c 'mount -t cgroup -o '$c' none /mnt'
      done && echo mounted; unshare -Ur true && echo made; unshare -U true && echo made; exit 5`;
    const said: string[] = [];
    const sandbox = await ground.open({
      output: async () => ({
        write: async (_stream, chunk) => void said.push(Buffer.from(chunk).toString()),
        close: async () => undefined,
      }),
    });
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    await sandbox.start({ instance: "w-a", run: ["sh", "-c", steps], files: {}, cwd: "/" });
    await exited;
    expect((await kill(sandbox, "w-a"))?.outcome).toMatchObject({ exit_code: 5 });
    expect(said.join("")).toContain("unshare failed");
    expect(said.join("")).not.toMatch(/mounted|made/);
  });
});

describe.each(ENCLOSED.slice(2))("on the rung $name", (on) => {
  const ground = useGround(on);

  test("[RU21] where root's workers can make user namespaces no limit is claimed", async () => {
    needs(process.getuid?.() === 0, "only root's workers are not kept from them there");
    const sandbox = await ground.open({ usesCgroups: true });
    expect(sandbox.degraded).toEqual(expect.arrayContaining(["memory", "cpu", "processes"]));
  });
});
