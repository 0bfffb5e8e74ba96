import { readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dropOldOutputs } from "../../src/output/retention.ts";
import { openOutput } from "../../src/output/writer.ts";
import { useFolder } from "./ground.ts";

const ground = useFolder();

/** Makes outputs of about 3 KB in two files each, the first named written to longest ago. */
async function make(...instances: readonly string[]): Promise<void> {
  for (const [index, instance] of instances.entries()) {
    const sink = await openOutput(ground.folder, instance, { bytesMax: 4_096 });
    for (let piece = 0; piece < 15; piece += 1) await sink.write("stdout", Buffer.alloc(100, "."));
    await sink.close();
    for (const name of [`${instance}.jsonl`, `${instance}.1.jsonl`]) {
      utimesSync(join(ground.folder, name), 1_000 + index, 1_000 + index);
    }
  }
}

test("[OU12] the outputs that are oldest go, both files, until the rest fits", async () => {
  await make("w-b", "w-a", "w-c", "w-d");
  const dropped = await dropOldOutputs(ground.folder, { isLive: () => false, bytesMax: 7_000 });
  expect(dropped).toEqual(["w-b", "w-a"]);
  expect(readdirSync(ground.folder).toSorted()).toEqual([
    "w-c.1.jsonl",
    "w-c.jsonl",
    "w-d.1.jsonl",
    "w-d.jsonl",
  ]);
});

test("[OU12] the output of a live instance stays, however old and large", async () => {
  await make("w-a", "w-b");
  const isLive = (instance: string): boolean => instance === "w-a";
  expect(await dropOldOutputs(ground.folder, { isLive, bytesMax: 1 })).toEqual(["w-b"]);
  expect(await dropOldOutputs(ground.folder, { isLive, bytesMax: 1 })).toEqual([]);
});

test("[OU12] what fits stays, and a folder that nobody has written to is no fault", async () => {
  await make("w-a");
  expect(await dropOldOutputs(ground.folder, { isLive: () => false })).toEqual([]);
  const none = join(ground.folder, "none");
  expect(await dropOldOutputs(none, { isLive: () => false })).toEqual([]);
});
