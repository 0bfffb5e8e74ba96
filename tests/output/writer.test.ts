import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readOutput } from "../../src/output/reader.ts";
import { openOutput } from "../../src/output/writer.ts";
import { collect, lostIn, streamOf, textOf, useFolder } from "./ground.ts";

const ground = useFolder();

describe("frames", () => {
  test("[OU1] bytes out are bytes in, for any chunks on both streams", async () => {
    let number = 0;
    const chunk = fc.record({
      stream: fc.constantFrom("stdout" as const, "stderr" as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.string({ unit: "binary", maxLength: 20 }).map((text) => Buffer.from(text)),
        fc
          .tuple(fc.constantFrom("é", "€", "😀", "\ufeff"), fc.nat(3))
          .map(([character, cut]) => Buffer.from(character).subarray(0, cut + 1)),
      ),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 20 }), async (chunks) => {
        const instance = `w-${(number += 1)}`;
        const sink = await openOutput(ground.folder, instance);
        for (const { stream, bytes } of chunks) await sink.write(stream, bytes);
        await sink.close();
        const frames = await collect(readOutput(ground.folder, instance));
        expect(lostIn(frames)).toBe(0);
        for (const stream of ["stdout", "stderr"] as const) {
          const given = chunks.filter((one) => one.stream === stream).map((one) => one.bytes);
          expect(streamOf(frames, stream).equals(Buffer.concat(given))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("[OU2] a character that came in two chunks is in one frame", async () => {
    const sink = await openOutput(ground.folder, "w-split", { nowMs: () => 7 });
    const bytes = Buffer.from("a€b");
    await sink.write("stdout", bytes.subarray(0, 2));
    await sink.write("stderr", Buffer.from("between"));
    await sink.write("stdout", bytes.subarray(2));
    await sink.close();
    expect(await collect(readOutput(ground.folder, "w-split"))).toEqual([
      { at_ms: 7, offset_bytes: 0, stream: "stdout", text: "a" },
      { at_ms: 7, offset_bytes: 1, stream: "stderr", text: "between" },
      { at_ms: 7, offset_bytes: 8, stream: "stdout", text: "€b" },
    ]);
  });

  test("[OU2] bytes that are no UTF-8 are a frame of base64, exact to the byte", async () => {
    const sink = await openOutput(ground.folder, "w-binary", { nowMs: () => 7 });
    await sink.write("stdout", Buffer.from([0xff, 0x00, 0x41]));
    // The front of a character that never comes to its end.
    await sink.write("stdout", Buffer.from([0xe2, 0x82]));
    await sink.close();
    expect(await collect(readOutput(ground.folder, "w-binary"))).toEqual([
      { at_ms: 7, offset_bytes: 0, stream: "stdout", base64: "/wBB" },
      { at_ms: 7, offset_bytes: 3, stream: "stdout", base64: "4oI=" },
    ]);
  });

  test("only its owner may read an output", async () => {
    const sink = await openOutput(ground.folder, "w-mode");
    await sink.close();
    expect(statSync(join(ground.folder, "w-mode.jsonl")).mode & 0o777).toBe(0o600);
  });
});

describe("bounds", () => {
  test("[OU3] both files together stay below the bound, and the newest is kept", async () => {
    const bytesMax = 8_192;
    const sizes: number[] = [];
    const sink = await openOutput(ground.folder, "w-long", { bytesMax });
    const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index} \u0001\n`);
    for (const [index, line] of lines.entries()) {
      await sink.write("stdout", Buffer.from(line));
      if (index % 100 === 0) sizes.push(sizeOf("w-long"));
    }
    await sink.close();
    sizes.push(sizeOf("w-long"));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(bytesMax);
    const text = textOf(await collect(readOutput(ground.folder, "w-long")));
    expect(text.length).toBeGreaterThan(500);
    expect(lines.join("").endsWith(text)).toBe(true);
  });

  test("[OU3] one chunk larger than the bound is cut into frames that fit", async () => {
    const sink = await openOutput(ground.folder, "w-wide", { bytesMax: 8_192 });
    const chunk = Buffer.from("€".repeat(40_000));
    await sink.write("stdout", chunk);
    await sink.close();
    expect(sizeOf("w-wide")).toBeLessThanOrEqual(8_192);
    const frames = await collect(readOutput(ground.folder, "w-wide"));
    expect(textOf(frames)).toMatch(/^€+$/);
    expect(lostIn(frames) + Buffer.byteLength(textOf(frames))).toBe(chunk.length);
  });

  test("[OU4] what was dropped stands at the beginning, to the byte", async () => {
    const sink = await openOutput(ground.folder, "w-drop", { bytesMax: 4_096 });
    for (let index = 0; index < 500; index += 1) {
      await sink.write(index % 2 === 0 ? "stdout" : "stderr", Buffer.from(`${index} `));
    }
    await sink.close();
    const frames = await collect(readOutput(ground.folder, "w-drop"));
    const writtenBytes = Array.from({ length: 500 }, (_, index) => `${index} `).join("").length;
    expect(frames[0]).toMatchObject({ offset_bytes: 0 });
    expect(lostIn(frames.slice(1))).toBe(0);
    expect(lostIn(frames) + textOf(frames).length).toBe(writtenBytes);
  });

  test("[OU5] a second writer goes on where the first has stopped", async () => {
    for (const text of ["one ", "two ", "three"]) {
      const sink = await openOutput(ground.folder, "w-again");
      await sink.write("stdout", Buffer.from(text));
      await sink.close();
      await sink.close();
      await sink.write("stdout", Buffer.from("after the close"));
    }
    const frames = await collect(readOutput(ground.folder, "w-again"));
    expect(textOf(frames)).toBe("one two three");
    expect(frames.map((one) => one.offset_bytes)).toEqual([0, 4, 8]);
  });
});

function sizeOf(instance: string): number {
  const files = [`${instance}.jsonl`, `${instance}.1.jsonl`];
  return files.reduce((sum, name) => sum + lengthOf(join(ground.folder, name)), 0);
}

function lengthOf(file: string): number {
  try {
    return readFileSync(file).length;
  } catch {
    // Not begun yet.
    return 0;
  }
}
