import { bytesOf, type OutputFrame } from "../../output/frame.ts";

const newline = 0x0a;

/**
 * Where the last lines of some output begin, in bytes from its beginning: a last line without a
 * newline counts as one. Frames that hold no bytes are passed over; 0 lines begin at the end.
 */
export function startOfLastLines(frames: readonly OutputFrame[], lineCount: number): number {
  const last = frames.at(-1);
  if (last === undefined) return 0;
  let left = lineCount;
  let isAtEnd = true;
  for (const frame of frames.toReversed()) {
    const bytes = bytesOf(frame);
    for (let at = bytes.length - 1; at >= 0; at -= 1) {
      // The newline that ends the last line begins no other.
      if (bytes[at] === newline && !isAtEnd) left -= 1;
      if (left <= 0) return frame.offset_bytes + at + 1;
      isAtEnd = false;
    }
  }
  return lineCount === 0 ? last.offset_bytes + bytesOf(last).length : 0;
}

/** The part of a frame from an offset on; undefined when all of it lies before. */
export function cutBefore(frame: OutputFrame, offsetBytes: number): OutputFrame | undefined {
  if (frame.offset_bytes >= offsetBytes) return frame;
  const rest = bytesOf(frame).subarray(offsetBytes - frame.offset_bytes);
  if (rest.length === 0 || "lost_bytes" in frame) return undefined;
  const { at_ms, stream } = frame;
  const place = { at_ms, offset_bytes: offsetBytes, stream };
  // A cut after a newline never parts a character.
  return "text" in frame
    ? { ...place, text: rest.toString("utf8") }
    : { ...place, base64: rest.toString("base64") };
}
