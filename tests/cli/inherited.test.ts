import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { builtBin } from "../support/cli.ts";
import { makeGround } from "./ground.ts";

beforeAll(async () => void (await builtBin()), 120_000);

test("[SV34] what the caller of the first command has open, no worker can write to", async () => {
  const ground = await makeGround();
  const file = join(ground.dir, "..", "open.txt");
  // Above those that Node itself keeps from the programs that it starts.
  const within = ["bash", "-c", 'exec 40> "$1"; shift; exec "$@"', "bash", file];
  const look = "ls /proc/self/fd; echo written >&40 || echo refused";
  const { stdout } = await ground.call(["run", "--", "bash", "-c", look], { within });
  expect(stdout.trim().split("\n")).toEqual(["0", "1", "2", "3", "refused"]);
  expect(readFileSync(file, "utf8")).toBe("");
});
