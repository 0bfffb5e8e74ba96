// Output goes straight to a file, not through its starter: a worker may outlive the process that
// started it, and must not die of a broken pipe for it. The file is opened for appending, so it
// can be cut while the worker writes on. Whoever has the fleet's sandboxes open cuts it back to its
// newer half once it has grown past its bound. Between two looks it may be longer by what the
// worker writes in that time; while nobody looks it is not cut at all.

import { open, stat } from "node:fs/promises";
import { codeOf } from "../../ports/error-code.ts";
import type { Cut } from "../limit/cut.ts";

/**
 * Cuts a file that is longer than `bytesMax` to a notice and its last bytes, half of that. Answers
 * how long it was, and how much of that was dropped, bytes; undefined where nothing was.
 */
export async function trimOutput(file: string, bytesMax: number): Promise<Cut | undefined> {
  try {
    const { size } = await stat(file);
    return size > bytesMax ? await trim(file, Math.floor(bytesMax / 2)) : undefined;
  } catch (error) {
    // ENOENT: the sandbox was forgotten meanwhile.
    if (codeOf(error) !== "ENOENT") throw error;
    return undefined;
  }
}

async function trim(file: string, keepBytes: number): Promise<Cut> {
  const reader = await open(file, "r");
  // Appending, as the worker does: what it writes in between stands before or after, never under.
  const writer = await open(file, "a");
  try {
    const { size } = await reader.stat();
    const kept = Buffer.alloc(Math.min(keepBytes, size));
    const { bytesRead } = await reader.read(kept, 0, kept.length, size - kept.length);
    const notice = `[stint: ${size - bytesRead} bytes of output were dropped here]\n`;
    await writer.truncate(0);
    await writer.write(Buffer.concat([Buffer.from(notice), kept.subarray(0, bytesRead)]));
    return { sizeBytes: size, droppedBytes: size - bytesRead };
  } finally {
    await reader.close();
    await writer.close();
  }
}
