import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { makeRig, type Rig } from "./rig.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;

/** Runs the verb; its stdout ends when the program lets go of it. */
function runVerb(rig: Rig, place: readonly string[] = ["--dir", rig.stateDir]) {
  const args = [MAIN, "supervise", ...place, "--rung", "process-group"];
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_RUNTIME_DIR: join(rig.folder, "run") },
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return { child, exited, said: text(child.stdout) };
}

test("[SV27] the verb says that it serves, lets go of stdout, and drains on SIGTERM", async () => {
  const rig = await makeRig();
  const { child, exited, said } = runVerb(rig);
  // The end of the pipe, while the program goes on.
  expect(JSON.parse(await said)).toMatchObject({
    ok: true,
    data: { fleet: rig.fleet.id, pid: child.pid, is_draining: false },
  });
  expect(child.exitCode).toBeNull();
  const id = await rig.start(["/bin/sleep", "600"]);

  const second = runVerb(rig);
  expect(JSON.parse(await second.said)).toMatchObject({
    ok: true,
    data: { already: true, pid: child.pid },
  });
  expect(await second.exited).toEqual([0, null]);

  child.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  expect(await rig.end(id)).toMatchObject({ reason: "requested" });
  expect(readFileSync(join(rig.stateDir, "supervisor.log"), "utf8")).toContain('"msg":"serving"');
});

test("[SV27] the verb takes the fleet as others do, or its state folder, not both", async () => {
  const rig = await makeRig();
  const { exited, said } = runVerb(rig, ["--fleet", rig.folder, "--dir", rig.stateDir]);
  expect(await exited).toEqual([2, null]);
  expect(await said).toBe("");
  const { child, ...named } = runVerb(rig, ["--fleet", rig.folder]);
  expect(JSON.parse(await named.said)).toMatchObject({ data: { fleet: rig.fleet.id } });
  child.kill("SIGTERM");
  expect(await named.exited).toEqual([0, null]);
});

test("[SV27] the verb says in one line why it cannot serve", async () => {
  const rig = await makeRig();
  const { exited, said } = runVerb(rig, ["--dir", join(rig.folder, "nothing")]);
  expect(JSON.parse(await said)).toMatchObject({
    ok: false,
    error: { code: "journal_missing", retryable: false },
  });
  expect(await exited).toEqual([5, null]);
});

test.each([
  [["--driver", "container"], "--image"],
  [["--image", "x"], "--image"],
  [["--driver", "process", "--socket", "x"], "--socket"],
  [["--driver", "pods"], "--driver"],
])("[CN15] the verb refuses %j", async (more, named) => {
  const rig = await makeRig();
  const { exited, said, child } = runVerb(rig, ["--dir", rig.stateDir, ...more]);
  const complaint = text(child.stderr);
  expect(await exited).toEqual([2, null]);
  expect(await said).toBe("");
  expect(await complaint).toContain(named);
});
