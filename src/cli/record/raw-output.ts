import { open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { OutputFrame } from "../../output/frame.ts";
import { statePlaces } from "../../system/places.ts";
import { codeOf } from "../../ports/error-code.ts";

/** How long a follower waits before it looks again, ms. */
const pollMs = 100;

const chunkBytes = 64 * 1_024;

/** How a file is followed. */
export interface RawFollow {
  readonly until: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** The file that a worker writes to itself, which no supervisor started. */
export function rawOutputFile(stateDir: string, instance: string): string {
  return join(statePlaces(stateDir).sandboxes, instance, "output.log");
}

/**
 * Reads what a worker wrote to a file of its own, both streams in one: shown as stdout, at the time
 * of the reading. Cut files are read on from their beginning, and the loss is told.
 * Undefined when there is no such file: it is gone once the worker's end was recorded.
 */
export async function openRawOutput(
  file: string,
  follow: RawFollow | undefined,
): Promise<AsyncGenerator<OutputFrame, void, undefined> | undefined> {
  try {
    return readRaw(await open(file, "r"), follow);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function* readRaw(
  handle: FileHandle,
  follow: RawFollow | undefined,
): AsyncGenerator<OutputFrame, void, undefined> {
  const chunk = Buffer.alloc(chunkBytes);
  let [position, offset] = [0, 0];
  let isOver = follow === undefined;
  try {
    for (;;) {
      const { size } = await handle.stat();
      if (size < position) {
        yield { at_ms: Date.now(), offset_bytes: offset, lost_bytes: position - size };
        position = 0;
      }
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes, position);
      if (bytesRead > 0) {
        const base64 = chunk.toString("base64", 0, bytesRead);
        yield { at_ms: Date.now(), offset_bytes: offset, stream: "stdout", base64 };
        position += bytesRead;
        offset += bytesRead;
        continue;
      }
      if (isOver || follow === undefined || follow.signal.aborted) return;
      // Asked before the last look, so that what was written before the end is read.
      isOver = await follow.until();
      if (!isOver) await wait(pollMs, undefined, { signal: follow.signal }).catch(() => undefined);
    }
  } finally {
    await handle.close();
  }
}
