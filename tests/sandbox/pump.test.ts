import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { OutputSink } from "../../src/ports/sandbox.ts";
import { Pump } from "../../src/sandbox/process/pump.ts";

/** Takes some chunks slower than others, and remembers how it was used. */
class SlowSink implements OutputSink {
  readonly begins: string[] = [];
  byteCount = 0;
  writingMost = 0;
  writingAtClose = -1;
  #writing = 0;

  async write(_: string, chunk: Uint8Array): Promise<void> {
    this.#writing += 1;
    this.writingMost = Math.max(this.writingMost, this.#writing);
    await sleep(this.begins.length % 2 === 0 ? 60 : 5);
    this.begins.push(String.fromCharCode(chunk[0] ?? 0));
    this.byteCount += chunk.length;
    this.#writing -= 1;
  }

  async close(): Promise<void> {
    this.writingAtClose = this.#writing;
  }
}

test("[SB48] a pump writes in order, one at a time, and closes its sink after all", async () => {
  // It has written all, and ended, long before the sink has taken it.
  const script = `for one in 1 2 3 4 5 6; do head -c 60000 /dev/zero | tr '\\0' $one; done`;
  const child = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "pipe"] });
  const sink = new SlowSink();
  await new Pump(child, sink).drained(20_000);
  expect(sink.byteCount).toBe(360_000);
  expect(sink.begins).toEqual(sink.begins.toSorted());
  expect(sink).toMatchObject({ writingMost: 1, writingAtClose: 0 });
});
