import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { commandKeeper } from "../../src/service/command.ts";
import { runProgram } from "../../src/service/program.ts";
import { systemdKeeper } from "../../src/service/systemd.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stint-service-"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A small real program in the test's folder. */
function program(name: string, script: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o700);
  return file;
}

/** A program in systemctl's place: it records how it was called, and says what it is to say. */
function recorder(script: string): {
  readonly systemctl: string;
  readonly calls: () => readonly string[];
} {
  const log = join(folder, "calls");
  const systemctl = program("systemctl", `printf '%s\\n' "$*" >> '${log}'\n${script}`);
  const calls = (): readonly string[] =>
    existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  return { systemctl, calls };
}

test("[SE1] a unit is seen, started and stopped by exactly these calls of systemctl", async () => {
  const { systemctl, calls } = recorder("echo LoadState=loaded; echo ActiveState=inactive");
  const keeper = systemdKeeper({ unit: "api.service", systemctl });
  expect(await keeper.look()).toEqual({ kind: "not_running" });
  expect(await keeper.start()).toEqual({ ok: true });
  expect(await keeper.stop()).toEqual({ ok: true });
  expect(calls()).toEqual([
    "--no-ask-password show --property=LoadState,ActiveState -- api.service",
    "--no-ask-password start -- api.service",
    "--no-ask-password stop -- api.service",
  ]);
});

test.each([
  ["loaded", "active", { kind: "running" }],
  ["loaded", "reloading", { kind: "running" }],
  ["loaded", "failed", { kind: "not_running" }],
  ["loaded", "activating", { kind: "unknown" }],
  ["not-found", "inactive", { kind: "not_installed", detail: "unit api.service is not-found" }],
  ["masked", "inactive", { kind: "not_installed", detail: "unit api.service is masked" }],
])("[SE2] a unit that is %s and %s is seen as it is", async (load, active, sight) => {
  const { systemctl } = recorder(`echo LoadState=${load}; echo ActiveState=${active}`);
  expect(await systemdKeeper({ unit: "api.service", systemctl }).look()).toEqual(sight);
});

test("[SE2] without systemctl nothing is installed; without systemd nothing is known", async () => {
  const unit = "api.service";
  const missing = systemdKeeper({ unit, systemctl: join(folder, "none") });
  expect(await missing.look()).toMatchObject({ kind: "not_installed" });
  expect(await missing.start()).toMatchObject({ ok: false, kind: "not_installed" });
  const { systemctl } = recorder("echo 'System has not been booted with systemd' >&2; exit 1");
  expect(await systemdKeeper({ unit, systemctl }).look()).toEqual({ kind: "unknown" });
});

test("[SE3] why systemctl refused is told in one line of at most 200 characters", async () => {
  const { systemctl } = recorder(`printf '\\nFailed: %0300d\\nmore\\n' 7 >&2; exit 1`);
  const told = await systemdKeeper({ unit: "api.service", systemctl }).start();
  expect(told).toMatchObject({ ok: false, kind: "failed" });
  expect(told).toHaveProperty("detail", expect.stringMatching(/^it exited with 1: Failed: 0+$/));
  expect(JSON.stringify(told).length).toBeLessThan(260);
});

test("[SE3] a command that fails, is missing or is ended by a signal says which", async () => {
  const keeper = (start: string) => commandKeeper({ start: [start], stop: undefined, cwd: folder });
  const failing = program("failing", "echo 'port 8080 is taken' >&2; exit 3");
  expect(await keeper(failing).start()).toEqual({
    ok: false,
    kind: "failed",
    detail: "it exited with 3: port 8080 is taken",
  });
  const none = join(folder, "none");
  expect(await keeper(none).start()).toEqual({
    ok: false,
    kind: "not_installed",
    detail: `there is no program ${none}`,
  });
  expect(await keeper(program("dying", "kill -9 $$")).start()).toMatchObject({
    kind: "failed",
    detail: "it was ended by SIGKILL",
  });
  expect(await keeper(failing).stop()).toMatchObject({ ok: false, kind: "not_installed" });
});

test("[SE4] a command that leaves a daemon with its output open is not waited for", async () => {
  const daemon = program("daemon", "sleep 600 &\necho $! > pid");
  const ended = await runProgram([daemon], { cwd: folder, deadlineMs: 60_000 });
  expect(ended).toMatchObject({ kind: "exited", code: 0 });
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  expect(process.kill(pid, 0)).toBe(true);
  process.kill(pid, "SIGKILL");
});

test("[SE4] a command that is late, or given up, is killed with its process group", async () => {
  const slow = program("slow", "sleep 600 &\necho $! > new && mv new pid\nwait");
  const file = join(folder, "pid");
  const isOver = (): boolean => {
    const pid = Number(readFileSync(file, "utf8"));
    expect(pid).toBeGreaterThan(1);
    try {
      return readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    } catch {
      return true;
    }
  };
  // A machine under load may need longer than one deadline until the program has begun.
  for (let deadlineMs = 500; !existsSync(file); deadlineMs *= 2) {
    expect(await runProgram([slow], { cwd: folder, deadlineMs })).toEqual({ kind: "late" });
  }
  await vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 20_000 });
  const controller = new AbortController();
  rmSync(file);
  const given = { cwd: folder, deadlineMs: 60_000, signal: controller.signal };
  const running = runProgram([slow], given);
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 20_000 });
  controller.abort();
  expect(await running).toEqual({ kind: "given_up" });
  await vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 20_000 });
});

test("[SE5] what a service gets names no worker, lease or fleet of the caller", async () => {
  vi.stubEnv("STINT_LEASE_TOKEN", "secret");
  vi.stubEnv("STINT_WORKER_TOKEN_FILE", "/nowhere");
  const ended = await runProgram([program("env", "env")], { cwd: folder, deadlineMs: 60_000 });
  expect(ended).toHaveProperty("out", expect.stringContaining("PATH="));
  expect(JSON.stringify(ended)).not.toContain("STINT_");
});
