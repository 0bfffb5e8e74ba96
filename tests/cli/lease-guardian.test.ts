// What becomes of a command under a lease when `lease with` is killed, starved or stopped.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { builtBin, type Answer } from "../support/cli.ts";
import { commandOf, listDescendants, type ProcessRow } from "../support/process-table.ts";
import { makeGround, type Ground } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

const polling = { timeout: 30_000 };

const HELD = ["lease", "with", "--region", "src/**", "--holder", "ann"];

/** A ground whose temporary files are in a folder of their own. */
async function makeOwnGround() {
  const ground = await makeGround();
  const folder = join(ground.dir, "tmp");
  mkdirSync(folder);
  return { ground, folder, so: { env: { TMPDIR: folder } } };
}

/** Begins a call that is killed at the latest when the test is over. */
async function begin(ground: Ground, args: readonly string[], so: object = {}) {
  const child = await ground.begin(args, so);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout.resume();
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, ended, said: () => stderr };
}

async function leasesOf(ground: Ground): Promise<readonly Answer[]> {
  return (await ground.done(["lease", "ls", "--json"])).json().data.leases;
}

function stateOf(pid: number): string {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  } catch {
    // It has ended.
    return "";
  }
}

/** Both are stopped; a shell that waits for a child to become a program has that stopped for it. */
const STOPPED = /^T[TD]$/;

function lineCountOf(file: string): number {
  return readFileSync(file, "utf8").split("\n").length;
}

/** The guardian of one `lease with`. */
function guardianOf(pid: number): ProcessRow | undefined {
  return listDescendants(pid).find((row) => commandOf(row.pid).includes("stint-guardian"));
}

test("[GV38] a command that kills its `lease with` at once does not outlive it", async () => {
  const { ground, folder, so } = await makeOwnGround();
  const mark = "4721";
  for (let round = 0; round < 6; round += 1) {
    const args = ["lease", "with", "--region", `src/${round}`, "--holder", "ann", "--ttl", "8s"];
    const script = `kill -9 $PPID; exec sleep ${mark}`;
    const called = await ground.call([...args, "--", "sh", "-c", script], so);
    expect(called.signal).toBe("SIGKILL");
    await expect.poll(() => ground.processesWith(`sleep ${mark}`), polling).toEqual([]);
  }
  await expect.poll(() => readdirSync(folder), polling).toEqual([]);
});

test("[GV38] a `lease with` killed as its command begins leaves nothing of it", async () => {
  const { ground, so } = await makeOwnGround();
  const mark = "4727";
  const run = await begin(ground, [...HELD, "--ttl", "8s", "--", "sleep", mark], so);
  const pid = run.child.pid ?? 0;
  // The guardian is seen when the command has not been let go yet, or has been just now.
  const deadline = performance.now() + 20_000;
  let guardian = guardianOf(pid);
  while (guardian === undefined && performance.now() < deadline) {
    await new Promise(setImmediate);
    guardian = guardianOf(pid);
  }
  run.child.kill("SIGKILL");
  await run.ended;
  // It had been let go already, or it never ran; either way nothing of it is left.
  await expect.poll(() => ground.processesWith(`sleep ${mark}`), polling).toEqual([]);
  expect(guardian).toBeDefined();
  await expect.poll(() => stateOf(guardian?.pid ?? 0), polling).toBe("");
});

test("[GV39] without a guardian nothing is run, and the lease is given back", async () => {
  const { ground, folder, so } = await makeOwnGround();
  let starved = 0;
  for (let files = 27; files <= 36; files += 1) {
    const mark = join(ground.dir, `ran-${files}`);
    const called = await ground.call([...HELD, "--", "sh", "-c", `: > ${mark}; exec sleep 0`], {
      ...so,
      within: ["prlimit", `--nofile=${files}`],
    });
    expect(called.stderr).not.toContain("bug in stint");
    if (called.exit === 0) continue;
    expect(existsSync(mark)).toBe(false);
    if (/guardian|lease with must/.test(called.stderr)) starved += 1;
    expect(called.exit).not.toBe(1);
  }
  expect(starved).toBeGreaterThan(0);
  expect(readdirSync(folder)).toEqual([]);
  expect(await leasesOf(ground)).toEqual([]);
});

test("[GV39] when the guardian is killed the command is ended, and that is said", async () => {
  const { ground, folder, so } = await makeOwnGround();
  const up = join(ground.dir, "up");
  const args = [...HELD, "--", "sh", "-c", `: > ${up}; exec sleep 4722`];
  const run = await begin(ground, args, so);
  await expect.poll(() => existsSync(up), polling).toBe(true);
  const guardian = guardianOf(run.child.pid ?? 0);
  expect(guardian).toBeDefined();
  process.kill(guardian?.pid ?? 0, "SIGKILL");
  expect(await run.ended).toBe(5);
  expect(run.said()).toMatch(/guardian.* must run until .* ended by SIGKILL/);
  expect(ground.processesWith("sleep 4722")).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
  expect(await leasesOf(ground)).toEqual([]);
});

test("[GV39] a guardian that hears nothing does not keep `lease with`", async () => {
  const { ground, so } = await makeOwnGround();
  const go = join(ground.dir, "go");
  const loop = `: > ${go}.up; until [ -e ${go} ]; do sleep 0.05; done; exit 6`;
  const run = await begin(ground, [...HELD, "--", "sh", "-c", loop], so);
  await expect.poll(() => existsSync(`${go}.up`), polling).toBe(true);
  const guardian = guardianOf(run.child.pid ?? 0);
  process.kill(guardian?.pid ?? 0, "SIGSTOP");
  writeFileSync(go, "");
  expect(await run.ended).toBe(6);
  await expect.poll(() => stateOf(guardian?.pid ?? 0), polling).toBe("");
});

test("[GV39] a token that cannot be written leaves no folder", async () => {
  const { ground, folder, so } = await makeOwnGround();
  const ran = join(ground.dir, "ran");
  // No file may grow: the journal is the supervisor's to write, the token is this call's.
  await ground.spawn("keeper");
  const within = ["prlimit", "--fsize=0"];
  const called = await ground.call([...HELD, "--", "touch", ran], { ...so, within });
  expect(called).toMatchObject({ exit: 5, stderr: expect.stringContaining("EFBIG") });
  expect(existsSync(ran)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test("[GV40] the guardian goes, with the token's folder, as soon as the group has", async () => {
  const { ground, folder, so } = await makeOwnGround();
  const up = join(ground.dir, "up");
  const script = `: > ${up}; exec sleep 4723`;
  // Its grace is long, and it does not need it.
  const args = [...HELD, "--ttl", "1h", "--grace", "431217ms", "--", "sh", "-c", script];
  const run = await begin(ground, args, so);
  await expect.poll(() => existsSync(up), polling).toBe(true);
  const guardian = guardianOf(run.child.pid ?? 0);
  expect(guardian).toBeDefined();
  expect(readdirSync(folder)).toHaveLength(1);
  run.child.kill("SIGKILL");
  await expect.poll(() => ground.processesWith("sleep 4723"), polling).toEqual([]);
  await expect.poll(() => stateOf(guardian?.pid ?? 0), polling).toBe("");
  expect(readdirSync(folder)).toEqual([]);
  expect(ground.processesWith("sleep 431.217")).toEqual([]);
});

test("[GV41] Ctrl-Z stops the command too; it runs on under a lease that still holds", async () => {
  const { ground, so } = await makeOwnGround();
  const marks = join(ground.dir, "marks");
  const script = `echo $$ > ${marks}; while :; do echo up >> ${marks}; sleep 0.02; done`;
  const run = await begin(ground, [...HELD, "--ttl", "10m", "--", "sh", "-c", script], so);
  const pid = run.child.pid ?? 0;
  await expect.poll(() => existsSync(marks) && lineCountOf(marks) > 2, polling).toBe(true);
  const shell = Number(readFileSync(marks, "utf8").split("\n")[0]);
  for (let round = 0; round < 2; round += 1) {
    run.child.kill("SIGTSTP");
    await expect.poll(() => stateOf(pid) + stateOf(shell), polling).toMatch(STOPPED);
    const stoppedAt = lineCountOf(marks);
    run.child.kill("SIGCONT");
    await expect.poll(() => lineCountOf(marks) > stoppedAt, polling).toBe(true);
  }
  run.child.kill("SIGTERM");
  expect(await run.ended).toBe(143);
  expect(await leasesOf(ground)).toEqual([]);
});

test("[GV41] a stopped command whose lease has lapsed or was revoked never runs on", async () => {
  for (const how of ["lapsed", "revoked"] as const) {
    const { ground, so } = await makeOwnGround();
    const marks = join(ground.dir, "marks");
    const script =
      `trap 'echo heard >> ${marks}' TERM CONT; echo $$ > ${marks}; ` +
      `while :; do echo up >> ${marks}; sleep 0.02; done`;
    const ttl = how === "lapsed" ? "3s" : "10m";
    const run = await begin(ground, [...HELD, "--ttl", ttl, "--", "sh", "-c", script], so);
    const pid = run.child.pid ?? 0;
    await expect.poll(() => existsSync(marks) && lineCountOf(marks) > 2, polling).toBe(true);
    const shell = Number(readFileSync(marks, "utf8").split("\n")[0]);
    run.child.kill("SIGTSTP");
    await expect.poll(() => stateOf(pid) + stateOf(shell), polling).toMatch(STOPPED);
    const before = readFileSync(marks, "utf8");
    const [lease] = await leasesOf(ground);
    if (how === "revoked")
      await ground.done(["lease", "revoke", lease.lease_id, "--reason", "drill", "--yes"]);
    await expect.poll(async () => (await leasesOf(ground)).length, polling).toBe(0);
    run.child.kill("SIGCONT");
    expect(await run.ended).toBe(3);
    expect(run.said()).toContain("lease_ended");
    expect(stateOf(shell)).toBe("");
    expect(readFileSync(marks, "utf8")).toBe(before);
  }
});

test("[GV41] who kills a stopped `lease with` ends its command without it running on", async () => {
  const { ground, so } = await makeOwnGround();
  const marks = join(ground.dir, "marks");
  const script =
    `trap 'echo heard >> ${marks}' TERM CONT; echo $$ > ${marks}; ` +
    `while :; do echo up >> ${marks}; sleep 0.02; done`;
  const run = await begin(ground, [...HELD, "--ttl", "10m", "--", "sh", "-c", script], so);
  await expect.poll(() => existsSync(marks) && lineCountOf(marks) > 2, polling).toBe(true);
  const shell = Number(readFileSync(marks, "utf8").split("\n")[0]);
  run.child.kill("SIGTSTP");
  await expect.poll(() => stateOf(run.child.pid ?? 0) + stateOf(shell), polling).toMatch(STOPPED);
  const before = readFileSync(marks, "utf8");
  run.child.kill("SIGKILL");
  await expect.poll(() => stateOf(shell), polling).toBe("");
  expect(readFileSync(marks, "utf8")).toBe(before);
});

test("[GV42] a command has arguments, variables and descriptors as they were typed", async () => {
  const { ground, folder } = await makeOwnGround();
  const odd = { "npm_config_//r/:key": "odd\nvalue", "a.b": "2", "-x": "3", BASH_ENV: "/none" };
  const script =
    "const { STINT_LEASE_ID: a, STINT_LEASE_FENCE: b, STINT_LEASE_TOKEN_FILE: c, ...e } = " +
    "process.env; const fds = require('fs').readdirSync('/proc/self/fd').length; " +
    "console.log(JSON.stringify({ argv: process.argv.slice(1), fds, e }))";
  const typed = ["-e", script, "--", "", "a b", "$HOME", "-n", "'\"\n*"];
  const options = { env: { TMPDIR: folder, ...odd, PWD: undefined } };
  const plain = await ground.call([...HELD, "--", process.execPath, ...typed], {
    env: { TMPDIR: folder, PWD: undefined },
  });
  const seen = JSON.parse(plain.stdout);
  expect(seen.argv).toEqual(typed.slice(3));
  expect(seen.e).not.toHaveProperty("PWD");
  expect(Object.keys(seen.e).filter((name) => name.startsWith("stint_"))).toEqual([]);
  const called = await ground.call([...HELD, "--", process.execPath, ...typed], options);
  expect(JSON.parse(called.stdout)).toMatchObject({ argv: typed.slice(3), e: odd, fds: seen.fds });
  for (const [program, code] of [
    ["./none", "ENOENT"],
    ["none-such", "ENOENT"],
    [".", "EACCES"],
    ["", ""],
  ] as const) {
    const none = await ground.call([...HELD, "--", program]);
    expect(none).toMatchObject({ exit: 2 });
    expect(none.stderr).toMatch(/COMMAND must be a program to run/);
    expect(none.stderr).toContain(code);
  }
  writeFileSync(join(ground.dir, "text"), "exit 9\n", { mode: 0o755 });
  expect(await ground.call([...HELD, "--", "./text"])).toMatchObject({ exit: 9, stderr: "" });
  const zero = await ground.call([...HELD, "--", "sh", "-c", 'tr "\\0" "\\n" < /proc/$$/cmdline']);
  expect(zero.stdout.split("\n")[0]).toBe("sh");
});
