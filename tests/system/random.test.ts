import { expect, test } from "vitest";
import { systemRandom } from "../../src/system/random.ts";

test("[SY18] no random byte is handed out twice, however many are asked for at a time", () => {
  const random = systemRandom();
  const taken = [16, 4_080, 4_096, 5_000, 10, 0, 4_090, 16].map((count) => random.bytes(count));
  expect(taken.map(({ length }) => length)).toEqual([16, 4_080, 4_096, 5_000, 10, 0, 4_090, 16]);
  const chunks = taken.flatMap((bytes) =>
    Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) =>
      Buffer.from(bytes.subarray(index * 8, index * 8 + 8)).toString("hex"),
    ),
  );
  expect(new Set(chunks).size).toBe(chunks.length);
  // What was handed out is its receiver's: changing it changes nothing that follows.
  taken[0]?.fill(0);
  expect(random.bytes(16)).not.toEqual(new Uint8Array(16));
});
