// What is read of a fleet whose supervisor runs.

import { cpSync, mkdirSync } from "node:fs";
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
  await ground.spawn("one", "--", "sleep", "654");
  const copy = join(ground.dir, "../copy");
  mkdirSync(copy);
  cpSync(ground.stateDir, join(copy, ".stint"), { recursive: true });
  const inCopy = (...args: readonly string[]) => ground.call(["--fleet", copy, ...args]);

  const refused = await inCopy("run", "--json", "--", "echo", "here");
  expect(refused).toMatchObject({ exit: 5 });
  expect(refused.json()).toMatchObject({ error: { code: "supervisor_unreachable" } });
  expect(refused.stdout).toContain(`process ${ground.supervisorPid()} supervises`);
  // The original has heard nothing of it.
  expect(ground.processesWith("sleep 654").length).toBeGreaterThan(0);
  const metrics = await ground.call(["metrics", "--json"]);
  expect(metrics.json()).toMatchObject({ data: { supervisor_up: true, total_count: 1 } });

  await ground.done(["down", "--stop"]);
  expect(await inCopy("run", "--", "echo", "here")).toMatchObject({ exit: 0, stdout: "here\n" });
  expect(await inCopy("down", "--stop")).toMatchObject({ exit: 0 });
}, 60_000);
