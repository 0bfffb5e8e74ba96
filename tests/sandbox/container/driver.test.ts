// What holds of containers beyond the contract of all drivers, against a real engine.
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { OutputSink, Sandbox } from "../../../src/ports/sandbox.ts";
import { faultOf } from "../../../src/testing/fault-of.ts";
import { commandOf, listProcesses } from "../../support/process-table.ts";
import { Turnstile } from "./turnstile.ts";
import { hasEngine, needsEngine, type Opened, TestEngine } from "./engine.ts";

const now = { graceMs: 0, deadlineMs: 10_000, by: "test" };
const engine = new TestEngine();
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if (hasEngine()) await engine.begin();
}, 60_000);

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

afterAll(() => engine.end());

async function open(options: Parameters<TestEngine["open"]>[0] = {}): Promise<Opened> {
  needsEngine();
  const opened = await engine.open(options);
  closers.push(() => opened.sandbox.close());
  return opened;
}

/** A sink, and what it has taken. */
function keep(): { readonly sink: OutputSink; text: () => string } {
  let text = "";
  const write = async (_stream: string, chunk: Uint8Array): Promise<void> => {
    text += Buffer.from(chunk).toString("utf8");
  };
  return { sink: { write, close: async () => undefined }, text: () => text };
}

/** Runs a script to its end and answers what it wrote. */
async function said(sandbox: Sandbox, script: string, more: object = {}): Promise<string> {
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ instance: "w-said", run: ["sh", "-c", script], files: {}, ...more });
  await exited;
  const text = readFileSync(join(sandbox.folder("w-said"), "output.log"), "utf8");
  await sandbox.stop("w-said", now);
  await sandbox.forget("w-said");
  return text;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await what())) {
    if (performance.now() > deadlineMs) throw new Error(`must come true: ${what.toString()}`);
    await sleep(20);
  }
}

function names(): readonly string[] {
  return engine.podman("ps", "--all", "--format", "{{.Names}}").split("\n").filter(Boolean);
}

test("[CN1] a container has no capability, gains none, and its root is read-only", async () => {
  const { sandbox } = await open();
  expect(sandbox.degraded).toEqual(["leases"]);
  expect(sandbox.rung).toMatch(/^container, Podman \d+\.\d+\.\d+, an init process$/);
  const script = `grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status; id -u
    (: > /x) 2> /dev/null || echo read-only; : > /tmp/x && echo scratch
    ls /proc | grep -c '^[0-9]'`;
  const lines = (await said(sandbox, script)).trim().split("\n");
  expect(lines.map((line) => line.replace(/\s+/g, " "))).toEqual([
    "CapEff: 0000000000000000",
    "CapBnd: 0000000000000000",
    "NoNewPrivs: 1",
    String(process.getuid?.()),
    "read-only",
    "scratch",
    expect.stringMatching(/^[3-6]$/),
  ]);
});

test("[CN2] its folder is writable at its own path, hidden ones in it are empty", async () => {
  const ground = mkdtempSync(join(engine.folder, "ground-"));
  const hidden = join(ground, ".git/stint");
  const visible = join(hidden, "w/a");
  mkdirSync(visible, { recursive: true });
  writeFileSync(join(hidden, "secret"), "secret");
  writeFileSync(join(visible, "token"), "token");
  const { sandbox } = await open({ hidden: [hidden] });
  const script = `pwd; echo by-worker > made; ls -A ${hidden}; cat ${visible}/token
    (: > ${hidden}/x) 2> /dev/null || echo covered; ls ${engine.folder}`;
  const text = await said(sandbox, script, { cwd: ground, visible: [visible] });
  expect(text.split("\n").slice(0, 4)).toEqual([
    ground,
    "w",
    "tokencovered",
    join(ground).slice(-13),
  ]);
  expect(readFileSync(join(ground, "made"), "utf8")).toBe("by-worker\n");
  expect(readdirSync(hidden).toSorted()).toEqual(["secret", "w"]);
});

test("[CN2] of the host it writes to what it may, and starts nowhere that is hidden", async () => {
  const ground = mkdtempSync(join(engine.folder, "ground-"));
  const start = mkdtempSync(join(engine.folder, "start-"));
  const { sandbox } = await open({ hidden: [join(start, "..", "root")] });
  const script = `(: > ${start}/x) 2> /dev/null || echo no; : > ${ground}/x && echo yes`;
  expect(await said(sandbox, script, { cwd: start, writable: [ground, "/nowhere"] })).toBe(
    "no\nyes\n",
  );
  const run = ["true"] as const;
  const hidden = { instance: "w-h", run, files: {}, cwd: join(engine.folder, "root") };
  expect(await faultOf(sandbox.start(hidden))).toBe("sandbox_failed");
  expect(await faultOf(sandbox.start({ ...hidden, instance: "w-r", cwd: "/" }))).toBe(
    "sandbox_failed",
  );
});

test("[CN3] below `open` a container has no network", async () => {
  const { sandbox } = await open();
  const script = "ls /sys/class/net";
  expect(await said(sandbox, script, { network: "none" })).toBe("lo\n");
  expect(await said(sandbox, script, { network: "controller" })).toBe("lo\n");
});

test("[CN4] limits bind: processes, open files, and memory, by which it is killed", async () => {
  const { sandbox } = await open();
  const limits = { memory_bytes: 24 * 2 ** 20, processes: 5, open_files: 64 };
  const count = "ulimit -n; for i in 1 2 3 4 5 6 7; do sleep 5 & done 2>&1";
  expect(await said(sandbox, count, { limits })).toMatch(/^64\n.*can't fork/);
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  const greedy = ["sh", "-c", "x=a; while :; do x=$x$x; done"] as const;
  await sandbox.start({ instance: "w-a", run: greedy, files: {}, limits });
  await exited;
  const ending = await sandbox.stop("w-a", now);
  expect(ending?.outcome).toMatchObject({ oom_killed: true, signal: "SIGKILL" });
  expect(ending?.hits).toEqual([
    { limit: "memory_bytes", value: limits.memory_bytes, use: limits.memory_bytes, count: 1 },
  ]);
  expect((await sandbox.stop("w-a", now))?.outcome).toEqual(ending?.outcome);
});

test("[CN4] limits are changed while it runs, by the engine's own call or Podman's", async () => {
  const { sandbox, fleet } = await open();
  const limits = { memory_bytes: 64 * 2 ** 20, processes: 20, cpu_milli: 500 };
  await sandbox.start({ instance: "w-a", run: ["sleep", "60"], files: {}, limits });
  expect(await sandbox.use("w-a")).toMatchObject({ processes: 1 });
  expect(await sandbox.limit("w-a", { processes: 9, cpu_milli: 250 })).toBe(undefined);
  const files = "/sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us";
  const v2 = "/sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max";
  const look = `for file in ${files} ${v2}; do [ -r $file ] && cat $file; done`;
  const seen = engine.podman("exec", `stint-${fleet}-w-a`, "sh", "-c", `${look}; true`);
  // With the init process.
  expect(seen.split(/\s+/).slice(0, 2)).toEqual(["10", "25000"]);
  await sandbox.stop("w-a", now);
});

test("[CN5] a container is claimed by its name: of two drivers one starts it", async () => {
  const one = await open();
  const { stateFolder: _, ...rest } = one;
  const other = await open({ fleet: rest.fleet });
  const spec = { instance: "w-a", run: ["sleep", "60"], files: {} } as const;
  const records = await Promise.all([one.sandbox.start(spec), other.sandbox.start(spec)]);
  expect(records.map(({ seen }) => seen)).toContain("alive");
  expect(names().filter((name) => name === `stint-${one.fleet}-w-a`)).toHaveLength(1);
  await one.sandbox.stop("w-a", now);
  expect(names().filter((name) => name.includes(one.fleet))).toEqual([]);
});

test.each([
  ["before it has made its container", { path: /containers\/create/, what: "request" }],
  ["before it has looked for its permit", { path: /containers\/create/, what: "answer" }],
  ["when it had looked for its permit", { path: /\/start/, what: "request" }],
] as const)("[CN6] a start that is overtaken %s runs nothing", async (_where, hold) => {
  const { sandbox, fleet, stateFolder } = await open();
  const turnstile = new Turnstile(engine.socket, join(engine.folder, "turnstile"), hold);
  await turnstile.listen();
  closers.push(() => turnstile.close());
  const { sandbox: starter } = await open({ fleet, stateFolder, socket: turnstile.socket });
  turnstile.arm();
  const cwd = mkdtempSync(join(engine.folder, "ground-"));
  const run = ["touch", "mark"] as const;
  const outcome = faultOf(starter.start({ instance: "w-a", run, files: {}, cwd }));
  await turnstile.held;
  const isMade = hold.path.test("/start") || hold.what === "answer";
  expect(names().includes(`stint-${fleet}-w-a`)).toBe(isMade);
  const ending = await sandbox.stop("w-a", now);
  expect(ending?.evidence).toMatchObject({ grade: "observed", facts: { container: "gone" } });
  expect(ending?.outcome).toEqual({});
  turnstile.release();
  expect(await outcome).toBe("sandbox_failed");
  expect(existsSync(join(cwd, "mark"))).toBe(false);
  expect(names()).not.toContain(`stint-${fleet}-w-a`);
});

test("[CN6] without the fleet's permit file nothing is started, and nothing is left", async () => {
  const permitFile = join(engine.folder, "permit");
  const { sandbox, fleet } = await open({ permitFile });
  const spec = { instance: "w-a", run: ["sleep", "60"], files: {} } as const;
  expect(await faultOf(sandbox.start(spec))).toBe("sandbox_failed");
  expect(names().filter((name) => name.includes(fleet))).toEqual([]);
  writeFileSync(permitFile, "");
  expect((await sandbox.start({ ...spec, instance: "w-b" })).seen).toBe("alive");
  await sandbox.stop("w-b", now);
});

test("[CN7] a paused container is killed where it is, none of it runs on", async () => {
  const ground = mkdtempSync(join(engine.folder, "ground-"));
  const { sandbox } = await open();
  const beat = "while :; do echo x >> beats; done";
  const run = ["sh", "-c", `(${beat}) & (${beat}) & ${beat}`] as const;
  await sandbox.start({ instance: "w-a", run, files: {}, cwd: ground });
  const file = join(ground, "beats");
  await until(() => existsSync(file));
  await sandbox.freeze("w-a");
  const before = readFileSync(file, "utf8").length;
  const ending = await sandbox.stop("w-a", { ...now, graceMs: 5_000 });
  expect(readFileSync(file, "utf8").length).toBe(before);
  expect(ending?.evidence.facts).toMatchObject({ killed: 4, processes: "none" });
  expect(ending?.outcome).toMatchObject({ signal: "SIGKILL", killed_by: "test" });
});

test("[CN7] a strike on a paused container lets none of it run on", async () => {
  const ground = mkdtempSync(join(engine.folder, "ground-"));
  const { sandbox } = await open();
  const beat = "while :; do echo x >> beats; done";
  const run = ["sh", "-c", `(${beat}) & (${beat}) & ${beat}`] as const;
  await sandbox.start({ instance: "w-a", run, files: {}, cwd: ground });
  const file = join(ground, "beats");
  await until(() => existsSync(file));
  await sandbox.freeze("w-a");
  const before = readFileSync(file, "utf8").length;
  await sandbox.strike("test");
  await until(async () => (await sandbox.list())[0]?.seen === "gone");
  expect(readFileSync(file, "utf8").length).toBe(before);
  await sandbox.stop("w-a", now);
});

test("[CN8] what outlives its driver is ended by the next one, with its output", async () => {
  const before = keep();
  const first = await open({ output: async () => before.sink });
  const run = ["sh", "-c", "echo one; read -r x < gate; echo two; sleep 60"] as const;
  const cwd = mkdtempSync(join(engine.folder, "ground-"));
  spawnSync("mkfifo", [join(cwd, "gate")]);
  await first.sandbox.start({ instance: "w-a", run, files: {}, cwd });
  await until(() => before.text() === "one\n");
  await first.sandbox.close();
  const { fleet, stateFolder } = first;
  const after = keep();
  const second = await open({ fleet, stateFolder, output: async () => after.sink });
  expect(await second.sandbox.list()).toEqual([{ instance: "w-a", seen: "alive" }]);
  writeFileSync(join(cwd, "gate"), "go\n");
  await until(() => engine.podman("logs", `stint-${fleet}-w-a`).includes("two"));
  const ending = await second.sandbox.stop("w-a", now);
  expect(ending?.evidence.grade).toBe("observed");
  expect(before.text() + after.text()).toBe("one\ntwo\n");
});

test("[CN9] containers of another fleet or host are not listed, and survive a strike", async () => {
  const one = await open();
  const other = await open();
  const elsewhere = await open({ fleet: one.fleet, host: "elsewhere" });
  const spec = { instance: "w-a", run: ["sleep", "60"], files: {} } as const;
  await one.sandbox.start(spec);
  await other.sandbox.start({ ...spec, instance: "w-b" });
  await elsewhere.sandbox.start({ ...spec, instance: "w-c" });
  expect((await one.sandbox.list()).map(({ instance }) => instance)).toEqual(["w-a"]);
  await one.sandbox.strike("test");
  await until(async () => (await one.sandbox.list())[0]?.seen === "gone");
  expect((await other.sandbox.list())[0]?.seen).toBe("alive");
  expect((await elsewhere.sandbox.list())[0]?.seen).toBe("alive");
  for (const { sandbox } of [one, other, elsewhere]) {
    for (const { instance } of await sandbox.list()) await sandbox.stop(instance, now);
  }
});

test("[CN10] an engine that is gone makes containers unknown; back, it goes on", async () => {
  const kept = keep();
  const { sandbox } = await open({ output: async () => kept.sink });
  const cwd = mkdtempSync(join(engine.folder, "ground-"));
  const run = [
    "sh",
    "-c",
    "echo one; until [ -e go ]; do sleep 0.05; done; echo two; exit 7",
  ] as const;
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ instance: "w-a", run, files: {}, cwd });
  await until(() => kept.text() === "one\n");
  await engine.breakDown();
  expect(await sandbox.list()).toEqual([{ instance: "w-a", seen: "unknown" }]);
  expect(await faultOf(sandbox.stop("w-a", now))).toBe("sandbox_failed");
  expect(await faultOf(sandbox.forget("w-a"))).toBe("sandbox_failed");
  writeFileSync(join(cwd, "go"), "");
  await engine.serve();
  expect(await exited).toBe("w-a");
  const ending = await sandbox.stop("w-a", now);
  expect(ending?.outcome).toMatchObject({ exit_code: 7 });
  expect(kept.text()).toBe("one\ntwo\n");
});

test("[CN11] no image is fetched, and no probe is left", async () => {
  needsEngine();
  expect(await faultOf(engine.open({ image: "localhost/none" }))).toBe("sandbox_unavailable");
  await open();
  expect(names().filter((name) => name.includes("probe"))).toEqual([]);
});

test("[CN11] a program that the image does not have ends with a code of the init", async () => {
  const { sandbox } = await open();
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ instance: "w-a", run: ["/bin/none"], files: {} });
  await exited;
  expect([1, 127]).toContain((await sandbox.stop("w-a", now))?.outcome.exit_code);
});

test("[CN12] a sink that is slow makes a container wait, no output is lost", async () => {
  let bytes = 0;
  let waiting = 0;
  let waitingMax = 0;
  const sink: OutputSink = {
    write: async (_stream, chunk) => {
      waiting += 1;
      waitingMax = Math.max(waitingMax, waiting);
      await new Promise((resolve) => setImmediate(resolve));
      bytes += chunk.length;
      waiting -= 1;
    },
    close: async () => undefined,
  };
  const { sandbox } = await open({ output: async () => sink });
  const flood = "yes 0123456789 | head -c 5000000";
  const exited = new Promise((resolve) => sandbox.onExit(resolve));
  await sandbox.start({ instance: "w-a", run: ["sh", "-c", flood], files: {} });
  await exited;
  expect(waitingMax).toBe(1);
  await sandbox.stop("w-a", now);
  expect(bytes).toBe(5_000_000);
});

test("[CN13] a container has its grace, and what left its session ends too", async () => {
  const { sandbox } = await open();
  const polite = `trap 'echo asked; exit 5' TERM; setsid sleep 61 & while :; do sleep 0.05; done`;
  await sandbox.start({ instance: "w-a", run: ["sh", "-c", polite], files: {} });
  await until(async () => ((await sandbox.use("w-a"))?.processes ?? 0) >= 3);
  const ending = await sandbox.stop("w-a", { ...now, graceMs: 10_000 });
  expect(ending?.outcome).toMatchObject({ exit_code: 5 });
  expect(ending?.evidence.facts).toMatchObject({ container: "gone", processes: "none" });
  expect(listProcesses().filter(({ pid }) => commandOf(pid).includes("sleep 61"))).toEqual([]);
});
