import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { readOutput } from "../../src/output/reader.ts";
import { openOutput } from "../../src/output/writer.ts";
import { needs } from "../support/require-all.ts";
import { collect, lostIn, textOf, useFolder } from "./ground.ts";

const ground = useFolder();

test("[OU6] a full disk loses output, says how much, and stops nobody", () => {
  needs(canMount(), "no file system can be mounted here, not even in a namespace of its own");
  const script = 'mount -t tmpfs -o size=64k none "$1" && shift && exec "$@"';
  const program = [
    process.execPath,
    join(import.meta.dirname, "fixtures/full-disk.ts"),
    ground.folder,
  ];
  const args = ["-rm", "sh", "-c", script, "sh", ground.folder, ...program];
  const lines = execFileSync("unshare", args, { encoding: "utf8" }).trim().split("\n");
  const [filled, ...frames] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(filled).toEqual({ filled: "ENOSPC" });
  expect(frames[0]).toMatchObject({ text: "before\n", offset_bytes: 0 });
  expect(frames.at(-1)).toMatchObject({ text: "after\n", stream: "stderr" });
  const kept = frames.filter((one) => "text" in one).map((one) => String(one["text"]));
  const lost = frames.map((one) => Number(one["lost_bytes"] ?? 0)).reduce((sum, one) => sum + one);
  expect(lost).toBeGreaterThan(10_000);
  expect(kept.join("").length + lost).toBe("before\n".length + 20_000 + "after\n".length);
});

test("[OU6] a folder that goes away loses output, and a new one is written to", async () => {
  const folder = join(ground.folder, "output");
  const sink = await openOutput(folder, "w-moved", { bytesMax: 4_096 });
  await sink.write("stdout", Buffer.from("a".repeat(200)));
  renameSync(folder, join(ground.folder, "elsewhere"));
  // Longer than one file: the next one cannot be made.
  for (let index = 0; index < 20; index += 1) await sink.write("stdout", Buffer.alloc(200, "b"));
  mkdirSync(folder);
  await sink.write("stdout", Buffer.from("c"));
  await sink.write("stdout", Buffer.from("d"));
  await sink.close();
  const moved = await collect(readOutput(join(ground.folder, "elsewhere"), "w-moved"));
  const frames = await collect(readOutput(folder, "w-moved"));
  const end = 200 + 20 * 200 + 2;
  expect([...moved, ...frames].map((one) => one.offset_bytes)).toContain(end - 1);
});

for (const bytesMax of [16_777_216, 16_384]) {
  test(`[OU7] what a killed writer had written is read, in files of ${bytesMax}`, async () => {
    const folder = join(ground.folder, "output");
    const program = join(import.meta.dirname, "fixtures/endless-writer.ts");
    const writer = spawn(process.execPath, [program, folder, String(bytesMax)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let last = -1;
    const lines = createInterface({ input: writer.stdout });
    lines.on("line", (line) => {
      last = Number(line);
      if (last >= 400) writer.kill("SIGKILL");
    });
    await Promise.all([once(writer, "exit"), once(lines, "close")]);
    const frames = await collect(readOutput(folder, "w-killed"));
    const numbers = textOf(frames)
      .split("\n")
      .map((line) => /^(\d+) x*$/.exec(line)?.[1])
      .filter((one) => one !== undefined)
      .map(Number);
    expect(numbers.at(-1)).toBeGreaterThanOrEqual(last);
    // Without a hole: the lines that are left are the last ones, in order.
    expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  });
}

test("[OU7] a torn last line is not shown, and what a later writer adds is", async () => {
  const first = await openOutput(ground.folder, "w-torn");
  await first.write("stdout", Buffer.from("whole"));
  await first.close();
  appendFileSync(join(ground.folder, "w-torn.jsonl"), '{"at_ms":1,"offset_by');
  expect(textOf(await collect(readOutput(ground.folder, "w-torn")))).toBe("whole");
  const second = await openOutput(ground.folder, "w-torn");
  await second.write("stdout", Buffer.from(" again"));
  await second.close();
  const frames = await collect(readOutput(ground.folder, "w-torn"));
  expect(textOf(frames)).toBe("whole again");
  expect(lostIn(frames)).toBe('{"at_ms":1,"offset_by'.length);
});

function canMount(): boolean {
  try {
    execFileSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    // No unshare, or no user namespaces for us.
    return false;
  }
}
