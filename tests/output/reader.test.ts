import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { OutputFrame } from "../../src/output/frame.ts";
import { readOutput } from "../../src/output/reader.ts";
import { openOutput } from "../../src/output/writer.ts";
import { collect, lostIn, textOf, useFolder } from "./ground.ts";

const ground = useFolder();

/** Reads on until `end` is called, and tells when some text has been seen. */
function follow(instance: string, fromTailBytes?: number) {
  const ended = Promise.withResolvers<void>();
  const frames: OutputFrame[] = [];
  let isOver = false;
  let wake = Promise.withResolvers<void>();
  const until = (): Promise<boolean> => Promise.resolve(isOver);
  const options = {
    follow: { until, ended: ended.promise },
    ...(fromTailBytes !== undefined && { fromTailBytes }),
  };
  const done = (async () => {
    for await (const frame of readOutput(ground.folder, instance, options)) {
      frames.push(frame);
      wake.resolve();
      wake = Promise.withResolvers<void>();
    }
    return frames;
  })();
  return {
    async sees(text: string): Promise<void> {
      while (!textOf(frames).includes(text)) await wake.promise;
    },
    async end(): Promise<OutputFrame[]> {
      isOver = true;
      ended.resolve();
      return done;
    },
  };
}

describe("following", () => {
  test("[OU8] frames come while they are written, and the last ones before the end", async () => {
    const reader = follow("w-live");
    const sink = await openOutput(ground.folder, "w-live");
    for (const text of ["one", "two", "three"]) {
      await sink.write("stdout", Buffer.from(text));
      await reader.sees(text);
    }
    await sink.write("stderr", Buffer.from("four"));
    await sink.close();
    expect(textOf(await reader.end())).toBe("onetwothreefour");
  });

  test("[OU8] two readers follow over many files and miss nothing", async () => {
    const readers = [follow("w-many"), follow("w-many")];
    const sink = await openOutput(ground.folder, "w-many", { bytesMax: 4_096 });
    let written = "";
    for (let index = 0; index < 200; index += 1) {
      const text = `<${index}>`.padEnd(60, ".");
      written += text;
      await sink.write("stdout", Buffer.from(text));
      if (index % 10 === 9) for (const reader of readers) await reader.sees(`<${index}>`);
    }
    await sink.close();
    for (const reader of readers) {
      const frames = await reader.end();
      expect(lostIn(frames)).toBe(0);
      expect(textOf(frames)).toBe(written);
    }
  });

  test("[OU9] a reader that was too slow is told how many bytes it has missed", async () => {
    const sink = await openOutput(ground.folder, "w-slow", { bytesMax: 4_096 });
    await sink.write("stdout", Buffer.from("first"));
    let isOver = false;
    const until = (): Promise<boolean> => Promise.resolve(isOver);
    const frames: OutputFrame[] = [];
    for await (const frame of readOutput(ground.folder, "w-slow", { follow: { until } })) {
      frames.push(frame);
      if (isOver) continue;
      for (let index = 0; index < 200; index += 1) {
        await sink.write("stdout", Buffer.alloc(100, "."));
      }
      await sink.write("stdout", Buffer.from("last"));
      await sink.close();
      isOver = true;
    }
    expect(frames[0]).toMatchObject({ text: "first" });
    expect(frames.at(-1)).toMatchObject({ text: "last" });
    expect(lostIn(frames)).toBeGreaterThan(10_000);
    expect(lostIn(frames) + textOf(frames).length).toBe("first".length + 20_000 + "last".length);
  });

  test("[OU10] an unfinished line is waited for, and said to be lost at the end", async () => {
    const sink = await openOutput(ground.folder, "w-torn");
    await sink.write("stdout", Buffer.from("whole"));
    await sink.close();
    const file = join(ground.folder, "w-torn.jsonl");
    const line = readFileSync(file, "utf8").replace("whole", "later").replace(":0,", ":5,");
    const reader = follow("w-torn");
    await reader.sees("whole");
    appendFileSync(file, line.slice(0, 20));
    appendFileSync(file, line.slice(20));
    await reader.sees("later");
    appendFileSync(file, "{torn");
    const frames = await reader.end();
    expect(textOf(frames)).toBe("wholelater");
    expect(frames.at(-1)).toMatchObject({ lost_bytes: "{torn".length });
  });

  test("a signal ends the following at once", async () => {
    const giving = new AbortController();
    const until = (): Promise<boolean> => {
      giving.abort();
      return Promise.resolve(false);
    };
    const options = { follow: { until, signal: giving.signal } };
    expect(await collect(readOutput(ground.folder, "w-none", options))).toEqual([]);
  });
});

describe("reading", () => {
  test("[OU10] a broken line is skipped, with a mark of what was lost", async () => {
    const sink = await openOutput(ground.folder, "w-broken", { nowMs: () => 1 });
    for (const text of ["one", "two", "three"]) await sink.write("stdout", Buffer.from(text));
    await sink.close();
    const file = join(ground.folder, "w-broken.jsonl");
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, [lines[0], '{"at_ms":1}', lines[2], ""].join("\n"));
    expect(await collect(readOutput(ground.folder, "w-broken"))).toEqual([
      { at_ms: 1, offset_bytes: 0, stream: "stdout", text: "one" },
      { at_ms: 1, offset_bytes: 3, lost_bytes: 3 },
      { at_ms: 1, offset_bytes: 6, stream: "stdout", text: "three" },
    ]);
  });

  test("[OU11] a tail is whole frames from the end, over both files", async () => {
    const sink = await openOutput(ground.folder, "w-tail", { bytesMax: 4_096 });
    for (let index = 0; index < 40; index += 1) {
      await sink.write("stdout", Buffer.from(`${index};`));
    }
    await sink.close();
    const whole = textOf(await collect(readOutput(ground.folder, "w-tail")));
    const sizes = ["w-tail.jsonl", "w-tail.1.jsonl"].map(
      (name) => readFileSync(join(ground.folder, name)).length,
    );
    const longest = sizes.reduce((sum, one) => sum + one);
    let shortest = whole.length;
    for (let bytes = longest; bytes >= 0; bytes -= 37) {
      const tail = await collect(readOutput(ground.folder, "w-tail", { fromTailBytes: bytes }));
      expect(lostIn(tail)).toBe(0);
      expect(whole.endsWith(textOf(tail))).toBe(true);
      expect(textOf(tail).length).toBeLessThanOrEqual(shortest);
      shortest = textOf(tail).length;
    }
    const all = await collect(readOutput(ground.folder, "w-tail", { fromTailBytes: longest }));
    expect(textOf(all)).toBe(whole);
    expect(await collect(readOutput(ground.folder, "w-tail", { fromTailBytes: 0 }))).toEqual([]);
  });

  test("an instance without output yields nothing", async () => {
    expect(await collect(readOutput(ground.folder, "w-none"))).toEqual([]);
    expect(await collect(readOutput(join(ground.folder, "none"), "w-none"))).toEqual([]);
  });
});
