// What is read of a fleet whose supervisor runs.

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
