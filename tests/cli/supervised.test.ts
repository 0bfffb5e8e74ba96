// What is read of a fleet whose supervisor runs.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeGround } from "./ground.ts";

test("[EX15] logs of a supervised worker are followed to their end", async () => {
  const ground = await makeGround();
  const script = "echo begun; echo aside >&2; sleep 1; echo ended";
  const begun = await ground.call([
    "spawn",
    "--name",
    "talker",
    "--json",
    "--",
    "sh",
    "-c",
    script,
  ]);
  expect(begun).toMatchObject({ exit: 0 });
  const told = await ground.call(["logs", "talker", "--follow"]);
  expect(told).toMatchObject({ exit: 0, stdout: "begun\nended\n", stderr: "aside\n" });

  // The same supervisor, as others see it.
  const metrics = await ground.call(["metrics", "--json"]);
  expect(metrics.json()).toMatchObject({ data: { supervisor_up: true, total_count: 1 } });
  const doctor = await ground.call(["doctor"]);
  expect(doctor.stdout).toMatch(/^ok {6}supervisor: pid \d+, version /m);
}, 60_000);

test("[SV32] a copy of a state folder gets no supervisor while the original has one", async () => {
  const ground = await makeGround();
  await ground.done(["run", "--", "true"]);
  await ground.done(["down"]);
  const copies = join(ground.dir, "..");
  const copyTo = (name: string): string => {
    mkdirSync(join(copies, name));
    cpSync(ground.stateDir, join(copies, name, ".stint"), { recursive: true });
    return join(copies, name);
  };
  // One that was made before the original was supervised, and one while it is.
  const cold = copyTo("cold");
  await ground.spawn("one", "--", "sleep", "654");
  const live = copyTo("live");
  rmSync(join(live, ".stint/supervisor.json"));
  for (const copy of [cold, live]) {
    const refused = await ground.call(["--fleet", copy, "run", "--json", "--", "echo", "here"]);
    expect(refused).toMatchObject({ exit: 5 });
    expect(refused.json()).toMatchObject({ error: { code: "supervisor_unreachable" } });
    const whose = `process ${ground.supervisorPid()} supervises ${ground.stateDir}`;
    expect(refused.stdout).toContain(whose);
  }
  // The original has heard nothing of it.
  expect(ground.processesWith("sleep 654").length).toBeGreaterThan(0);
  const metrics = await ground.call(["metrics", "--json"]);
  expect(metrics.json()).toMatchObject({ data: { supervisor_up: true, total_count: 2 } });

  await ground.done(["down", "--stop"]);
  const inLive = (...args: readonly string[]) => ground.call(["--fleet", live, ...args]);
  expect(await inLive("run", "--", "echo", "here")).toMatchObject({ exit: 0, stdout: "here\n" });
  expect(await inLive("down", "--stop")).toMatchObject({ exit: 0 });
}, 60_000);
