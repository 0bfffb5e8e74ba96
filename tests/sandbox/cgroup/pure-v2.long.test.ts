// Version 2 with all its controllers, in a user-mode Linux of its own: hosts where version 1 has
// the controllers cannot show it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needsProgram } from "../../support/require-all.ts";

const bootMs = 110_000;
const megabyte = 1_048_576;
const all = { memory: true, cpu: true, processes: true, freeze: true, kill: true };

let said: Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;
let output = "";
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-uml-"));
  const parameters = {
    mem: "1024M",
    root: "/dev/root",
    rootfstype: "hostfs",
    rootflags: "/",
    init: join(import.meta.dirname, "fixtures/pure-v2.sh"),
    con: "null",
    con0: "fd:0,fd:1",
    STINT_NODE: process.execPath,
    STINT_PROGRAM: join(import.meta.dirname, "fixtures/pure-v2.ts"),
  };
  const args = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
  const library = join(folder, "wide-registers.so");
  const source = join(import.meta.dirname, "fixtures/wide-registers.c");
  const made = spawnSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], {
    encoding: "utf8",
  });
  if (isMissing(made.error)) return;
  if (made.status !== 0) throw new Error(`cc must make ${library}, got ${made.stderr}`);
  const { error, stdout } = spawnSync("linux.uml", [...args, "ro", "quiet"], {
    encoding: "utf8",
    // It keeps a folder of its own there.
    env: { PATH: process.env["PATH"], HOME: folder, LD_PRELOAD: library },
    timeout: bootMs,
    killSignal: "SIGKILL",
  });
  if (isMissing(error)) return;
  output = stdout;
  const lines = output.split("\n").filter((line) => line.startsWith("STINT "));
  said = Object.fromEntries(
    lines.map((line) => {
      const answer = JSON.parse(line.slice("STINT ".length)) as { name: string; said: object };
      return [answer.name, answer.said as Readonly<Record<string, unknown>>];
    }),
  );
}, bootMs + 10_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Whether a program could not be started because there is none. */
function isMissing(error: Error | undefined): boolean {
  return error !== undefined && "code" in error && error.code === "ENOENT";
}

/** What the program in that kernel said about something. */
function answer(name: string): Readonly<Record<string, unknown>> {
  needsProgram("cc");
  needsProgram("linux.uml");
  const found = said?.[name];
  if (found === undefined) throw new Error(`"${name}" must be answered, got ${output}`);
  return found;
}

describe("as root, in the root group", () => {
  test("[CG11] every power is there", () => {
    expect(answer("tree")).toEqual({ can: all, missing: [] });
  });

  test("[CG1] a process that takes more memory than its group may is killed, and counted", () => {
    const { status, use } = answer("oom");
    expect(status).toBe("137");
    expect(use).toMatchObject({ oom_kill_count: 1, peak_memory_bytes: 48 * megabyte });
  });

  test("[LH3][LH4] what a group came up against is told, with limit, use and count", () => {
    const memory = { value: 48 * megabyte, use: 48 * megabyte, count: 1 };
    expect(answer("oom")["hits"]).toEqual([{ limit: "memory_bytes", ...memory }]);
    const forks = { limit: "processes", value: 8, use: 8 };
    expect(answer("forks")["hits"]).toMatchObject([forks]);
  });

  test("[CG2] a bound below what is used kills nobody: it answers the use, changes nothing", () => {
    expect(answer("over")).toMatchObject({
      over: { oom_kill_count: 1 },
      max: 400 * megabyte,
      high: "max",
      pids: "max",
      isAlive: true,
    });
  });

  test("[CG3] bounds that fit are in force, all of them or none", () => {
    const { lowered, set, files } = answer("set");
    expect(lowered).toMatchObject({ oom_kill_count: 1 });
    expect(set).toBeUndefined();
    expect(files).toEqual([String(250 * megabyte), "max", "50", "5000 1000000"]);
  });

  test("[CG6] a frozen group is killed and leaves nothing", () => {
    const { isFrozen, members, pid, left, by } = answer("end");
    expect(isFrozen).toBe(true);
    expect(members).toEqual([pid]);
    expect({ left, by }).toEqual({ left: [], by: "SIGKILL" });
  });
});

describe("as a plain user", () => {
  test("[CG11] who is alone in a group of his steps aside and divides it", () => {
    expect(answer("alone")).toEqual({
      can: all,
      missing: [],
      joinFiles: ["/sys/fs/cgroup/alone/stint-f/w-made/cgroup.procs"],
      joins: true,
    });
  });

  test("[CG11] a process of others in the own group is left there and named", () => {
    const { can, missing, joinFiles, joins, stranger } = answer("shared");
    expect(can).toEqual({ ...all, memory: false, cpu: false, processes: false });
    expect(missing).toMatchObject([{ what: "memory" }, { what: "cpu" }, { what: "processes" }]);
    const held = `it holds ${String(stranger)}`;
    const why = `/sys/fs/cgroup/shared must hold no process to divide its memory, ${held}`;
    expect(missing).toMatchObject([{ why }, {}, {}]);
    expect({ joinFiles, joins }).toEqual({
      joinFiles: ["/sys/fs/cgroup/shared/stint-f/w-made/cgroup.procs"],
      joins: true,
    });
  });

  test("[CG11] with others in the own group, one above it that is free is used", () => {
    expect(answer("slice")).toMatchObject({
      can: all,
      joinFiles: ["/sys/fs/cgroup/slice/stint-f/w-made/cgroup.procs"],
      joins: true,
    });
  });

  test("[CG10] a controller that was not made over is missing, the others are used", () => {
    const { can, missing, joins } = answer("poor");
    expect(can).toEqual({ ...all, memory: false, cpu: false });
    expect(missing).toMatchObject([
      {
        what: "memory",
        why: "/sys/fs/cgroup/poor/unit must have the controller memory, it was not given to it",
      },
      { what: "cpu" },
    ]);
    expect(joins).toBe(true);
  });
});
