// A folder for outputs, and what the tests say about them; cleared away after each test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { bytesOf, type OutputFrame, type OutputStream } from "../../src/output/frame.ts";

/** Gives each test of a file a folder of its own. */
export function useFolder(): { folder: string } {
  const ground = { folder: "" };
  beforeEach(() => {
    ground.folder = mkdtempSync(join(tmpdir(), "stint-output-"));
  });
  afterEach(() => rmSync(ground.folder, { recursive: true }));
  return ground;
}

/** Takes all frames. */
export async function collect(frames: AsyncIterable<OutputFrame>): Promise<OutputFrame[]> {
  const found: OutputFrame[] = [];
  for await (const frame of frames) found.push(frame);
  return found;
}

/** The bytes of one stream. */
export function streamOf(frames: readonly OutputFrame[], stream: OutputStream): Buffer {
  return Buffer.concat(
    frames.filter((one) => "stream" in one && one.stream === stream).map(bytesOf),
  );
}

/** The text of both streams, in the order in which it came. */
export function textOf(frames: readonly OutputFrame[]): string {
  return Buffer.concat(frames.map(bytesOf)).toString();
}

/** How many bytes the frames say are lost. */
export function lostIn(frames: readonly OutputFrame[]): number {
  return frames.reduce((sum, one) => sum + ("lost_bytes" in one ? one.lost_bytes : 0), 0);
}
