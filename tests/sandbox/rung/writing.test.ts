import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SandboxSpec } from "../../../src/ports/sandbox.ts";
import type { ProcessSandboxOptions } from "../../../src/sandbox/process/process-sandbox.ts";
import { needs } from "../../support/require-all.ts";
import { SILENT } from "../../../src/ports/log.ts";
import { Children } from "../../../src/sandbox/process/children.ts";
import { Lookout } from "../../../src/sandbox/process/lookout.ts";
import { contain } from "../../../src/sandbox/process/rung/containment.ts";
import { HiddenFolders } from "../../../src/sandbox/folder/hidden.ts";
import type { View, Wrap } from "../../../src/sandbox/process/rung/view.ts";
import { Starter } from "../../../src/sandbox/process/starter.ts";
import { Workshop } from "../../../src/sandbox/process/workshop.ts";
import { hostId } from "../../../src/system/host.ts";
import { HeldPipe } from "../holding.ts";
import { ENCLOSED } from "../rungs.ts";
import { fixtures, type Ground, kill, useGround } from "../state-folder.ts";

const writer = join(fixtures, "writer.sh");

/** Runs a program as a worker to its end; answers what it said to stdout. */
async function say(
  ground: Ground,
  options: Partial<ProcessSandboxOptions>,
  spec: Pick<SandboxSpec, "run"> & Partial<SandboxSpec>,
): Promise<string> {
  let said = "";
  const sandbox = await ground.open({
    ...options,
    output: async () => ({
      write: async (_stream, chunk) => void (said += Buffer.from(chunk).toString("utf8")),
      close: async () => undefined,
    }),
  });
  const instance = spec.instance ?? "w-a";
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ files: {}, cwd: "/", shown: [fixtures], ...spec, instance });
  await exited;
  await kill(sandbox, instance);
  await sandbox.forget(instance);
  return said;
}

const polling = { timeout: 10_000 };

/** What the host keeps in memory of files that are on no disk, bytes (proc_meminfo(5)). */
function memoryOfFiles(): number {
  const [, kib = ""] = /^Shmem: +(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
  return Number(kib) * 1_024;
}

function withoutNest({ cwd, hidden, visible, hasNetwork }: View): View {
  return { cwd, hidden, visible, hasNetwork };
}

function answersIn(said: string): Record<string, string> {
  const lines = said.trim().split("\n");
  const pairs = lines.map((line) => [line.replace(/:.*/, ""), line.replace(/^.*?: ?/, "")]);
  return Object.fromEntries(pairs as [string, string][]);
}

for (const on of ENCLOSED)
  describe(`where a worker may write (${on.name})`, () => {
    const ground = useGround(on);

    test("[SB49] it writes to what it was given, to nothing else of the host", async () => {
      const [own, others] = [join(ground.folder, "own"), join(ground.folder, "others")];
      const elsewhere = mkdtempSync(join(tmpdir(), "stint-elsewhere-"));
      onTestFinished(() => rmSync(elsewhere, { recursive: true }));
      for (const path of [own, others]) mkdirSync(path);
      const asked = {
        own,
        others,
        elsewhere,
        root: "/",
        etc: "/etc",
        run: "/run",
        home: homedir(),
      };
      const places = Object.entries({ ...asked, tmp: "/tmp", var: "/var/tmp" }).flat();
      const writable = [own, join(ground.folder, "not there")];
      const run = [writer, ...places] as const;
      const said = await say(ground, on.options, { run: [...run], writable, cwd: own });
      expect(answersIn(said)).toEqual({
        own: "yes",
        others: "no",
        elsewhere: "no",
        root: "no",
        etc: "no",
        run: "no",
        home: "yes",
        tmp: "yes",
        var: "yes",
        left: "",
        read: "",
      });
      expect(readdirSync(own)).toEqual(["written-by-a-worker"]);
      for (const path of [others, elsewhere, "/", "/etc", "/run", homedir(), "/tmp", "/var/tmp"])
        expect([path, existsSync(join(path, "written-by-a-worker"))]).toEqual([path, false]);
    });

    test("[SB50] its home shows the host's; what it writes there is gone with it", async () => {
      const shown = join(homedir(), "shown");
      needs(!existsSync(shown), `${shown} must be free for this test`);
      onTestFinished(() => rmSync(shown, { force: true }));
      writeFileSync(shown, "of the host");
      const look =
        'cat "$HOME/shown"; echo changed > "$HOME/shown"; cat "$HOME/shown"; rm "$HOME/shown"';
      const run = [
        "sh",
        "-c",
        `${look}; ls "$HOME/shown" 2>&1; echo "$TMPDIR" | tee /tmp/left`,
      ] as const;
      const asked = { run: [...run] as [string, ...string[]], writable: [] };
      const first = await say(ground, on.options, asked);
      expect(first).toMatch(/^of the hostchanged\n.*No such file or directory\n\/tmp\n$/s);
      expect(readFileSync(shown, "utf8")).toBe("of the host");
      const again = await say(ground, on.options, { run: [writer], writable: [], instance: "w-b" });
      expect(answersIn(again)).toEqual({ left: "", read: "of the host" });
    });

    test("[SB50] a home that may be written to is the host's", async () => {
      const run = ["sh", "-c", 'ls -d "$1"; echo x > "$1/here"', "sh", ground.folder] as const;
      const home = process.env["HOME"];
      onTestFinished(() => void (process.env["HOME"] = home));
      process.env["HOME"] = ground.folder;
      await say(ground, on.options, { run: [...run], writable: [ground.folder] });
      expect(readFileSync(join(ground.folder, "here"), "utf8")).toBe("x\n");
    });

    test("[SB51] what it may write of its own has a limit", async () => {
      const write = 'head -c 3000000 /dev/zero > /tmp/big; head -c 3000000 /dev/zero > "$HOME/big"';
      const run = ["sh", "-c", `${write}; wc -c < /tmp/big; wc -c < "$HOME/big"`] as const;
      const scratchBytes = 4 * 2 ** 20;
      const said = await say(ground, on.options, { run: [...run], writable: [], scratchBytes });
      const [inTmp = 0, atHome = 0] = said
        .trim()
        .split("\n")
        .filter((line) => /^\d+$/.test(line))
        .map(Number);
      expect(inTmp).toBe(3_000_000);
      expect(atHome).toBeLessThan(1_300_000);
    });

    test("[SB51] shared memory is its own and bounded, and /dev is shut", async () => {
      const write = "head -c 8000000 /dev/zero 2> /dev/null > /dev/shm/big; wc -c < /dev/shm/big";
      const run = ["sh", "-c", `${write}; touch /dev/x 2> /dev/null || echo shut`] as [
        string,
        ...string[],
      ];
      const said = await say(ground, on.options, { run, writable: [], scratchBytes: 2 ** 20 });
      const [size = 0] = said
        .split("\n")
        .filter((line) => /^\d+$/.test(line))
        .map(Number);
      expect(size).toBeLessThan(1_100_000);
      expect(said).toMatch(/shut\n$/);
    });

    test("[SB49] what it is shown of a hidden folder it may not write to", async () => {
      const [hidden, own] = [join(ground.folder, "runtime"), join(ground.folder, "runtime/w-a")];
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, "token"), "its own");
      const run = [
        "sh",
        "-c",
        'cat "$0/token"; touch "$0/x" 2> /dev/null || echo shut',
        own,
      ] as const;
      const said = await say(
        ground,
        { ...on.options, hidden: [hidden] },
        { run: [...run], writable: [ground.folder], visible: [own] },
      );
      expect(said).toBe("its ownshut\n");
    });

    test("[SB50] temporary files go where it was told, if it may write there", async () => {
      const given = join(ground.folder, "given");
      mkdirSync(given);
      const run = ["sh", "-c", 'echo "$TMPDIR"'] as [string, ...string[]];
      const asked = { run, writable: [given] };
      const inIt = { ...asked, env: { TMPDIR: join(given, "deep") } };
      expect(await say(ground, on.options, inIt)).toBe(`${given}/deep\n`);
      const elsewhere = { ...asked, instance: "w-b", env: { TMPDIR: `${given}x` } };
      expect(await say(ground, on.options, elsewhere)).toBe("/tmp\n");
    });

    test("[SB50] what is mounted below the host's home is seen, read-only", async () => {
      needs(process.getuid?.() === 0, "only root mounts");
      const home = process.env["HOME"];
      onTestFinished(() => void (process.env["HOME"] = home));
      process.env["HOME"] = join(ground.folder, "home");
      const mounts = ["disk", "odd, \\ \n: name"].map((name) => join(ground.folder, "home", name));
      const outside = join(ground.folder, "out \\side\n");
      try {
        for (const path of [...mounts, outside]) {
          mkdirSync(path, { recursive: true });
          execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "stint-test", path]);
          writeFileSync(join(path, "file"), "mounted\n");
        }
        const look = 'for at; do cat "$at/file"; touch "$at/x" || echo shut; done';
        const run = ["sh", "-c", look, "sh", ...mounts, outside] as [string, ...string[]];
        const said = await say(ground, on.options, { run, writable: [], shown: [outside] });
        expect(said.match(/mounted\n[^]*?shut\n/g)).toHaveLength(3);
      } finally {
        for (const path of [...mounts, outside]) execFileSync("umount", ["-l", path]);
      }
    });

    test("[SB54] nothing is run where what is its own is not its own", async () => {
      const { rung = "best", usesCgroups = true } = on.options;
      const real = await contain({ rung, fleet: ground.fleet, usesCgroups });
      // As if another folder had come in the place of the one that it was mounted over.
      const wrap: Wrap = (view) => real.wrap?.(withoutNest(view)) ?? [];
      const place = { root: join(ground.folder, "sandboxes"), fleet: ground.fleet, host: hostId() };
      const workshop = new Workshop({
        log: SILENT,
        hidden: new HiddenFolders([]),
        shown: [],
        permitFile: undefined,
        output: undefined,
        lookout: new Lookout(place),
        children: new Children(SILENT),
        containment: { ...real, wrap },
        usesCgroups,
      });
      const ran = join(ground.folder, "ran");
      const run = ["touch", ran] as [string, ...string[]];
      const starting = new Starter(workshop).start({
        instance: "w-a",
        files: {},
        run,
        writable: [],
      });
      await expect(starting).rejects.toThrow(/of a sandbox must be its own, it is not/);
      expect(existsSync(ran)).toBe(false);
    });

    test("[SB54] what is its own is mounted for it alone, and free after it", async () => {
      const pipe = new HeldPipe(ground.folder);
      const fill =
        'head -c 60000000 /dev/zero > /tmp/big; exec 9> "$0"; echo "ready $$" >&9; sleep 60';
      const run = ["sh", "-c", fill, pipe.path] as [string, ...string[]];
      const own = { writable: [ground.folder], scratchBytes: 2 ** 27 };
      const spec = { files: {}, cwd: "/", run, ...own };
      const sandbox = await ground.open(on.options);
      const before = memoryOfFiles();
      await sandbox.start({ ...spec, instance: "w-a" });
      await pipe.ready(1);
      expect(memoryOfFiles() - before).toBeGreaterThan(50_000_000);
      // One that began later holds nothing of it.
      const later = ["sleep", "60"] as [string, ...string[]];
      await sandbox.start({ ...spec, run: later, instance: "w-b" });
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(ground.folder);
      await kill(sandbox, "w-a");
      await expect.poll(() => memoryOfFiles() - before, polling).toBeLessThan(20_000_000);
      await kill(sandbox, "w-b");
    });
  });

describe("what a worker keeps in memory", () => {
  const on = ENCLOSED.find(({ options }) => options.usesCgroups !== false);
  const ground = useGround(on);

  test("[SB51] counts as its own, whatever it may write", async () => {
    const sandbox = await ground.open(on?.options);
    const exited = new Promise((resolve) => sandbox.onExit(resolve));
    const run = ["sh", "-c", "head -c 200000000 /dev/zero > /tmp/big"] as [string, ...string[]];
    const limits = { memory_bytes: 64 * 2 ** 20 };
    const so = { files: {}, cwd: "/", run, writable: [], limits };
    await sandbox.start({ instance: "w-a", ...so });
    await exited;
    expect((await kill(sandbox, "w-a"))?.outcome).toMatchObject({ oom_killed: true });
  });
});
