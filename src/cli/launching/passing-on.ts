// What a worker writes, on its way to the streams of whoever waits for it: byte for byte, in the
// order in which it came, as fast as those streams take it.

import { bytesOf, type OutputFrame } from "../../output/frame.ts";

/** Where the output goes. */
export interface Sinks {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Told of bytes that were lost on the way: the log is bounded. */
  onLost(bytes: number): void;
}

/**
 * Passes frames on until they end. A stream that takes no more holds the others up, as it would
 * hold up the program itself; one that is closed takes nothing, and the rest goes on.
 */
export async function passOn(frames: AsyncIterable<OutputFrame>, sinks: Sinks): Promise<void> {
  for await (const frame of frames) {
    if ("lost_bytes" in frame) sinks.onLost(frame.lost_bytes);
    else await write(sinks[frame.stream], bytesOf(frame));
  }
}

function write(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  if (!stream.writable || stream.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const events = ["drain", "close", "error"] as const;
    const go = (): void => {
      for (const event of events) stream.removeListener(event, go);
      resolve();
    };
    for (const event of events) stream.once(event, go);
  });
}
