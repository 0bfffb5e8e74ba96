import { isUtf8 } from "node:buffer";

/** The longest that one character is in UTF-8, in bytes. */
const characterBytesMax = 4;

/**
 * Where to cut bytes so that the front ends with a whole character: their length, or less by an
 * unfinished character at their end, which what comes next may finish.
 */
export function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back < characterBytesMax && back <= bytes.length; back += 1) {
    const start = bytes.length - back;
    const size = sizeOf(bytes[start] ?? 0);
    // A continuation: its character began further in front.
    if (size === 0) continue;
    return size > back && isBegun(bytes.subarray(start), size) ? start : bytes.length;
  }
  return bytes.length;
}

/** How long the character is that begins with a byte; 0 for one that continues another. */
function sizeOf(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte < 0xc0) return 0;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}

/** Whether some character of that size begins with these bytes: else none will ever finish it. */
function isBegun(bytes: Uint8Array, size: number): boolean {
  // The second byte has a narrower range after some first bytes: both its ends are tried.
  return [0x80, 0xbf].some((filler) => {
    const whole = Buffer.alloc(size, filler);
    whole.set(bytes);
    return isUtf8(whole);
  });
}

/** Cuts bytes into pieces of at most `bytesMax`, at the ends of characters where there are any. */
export function* pieces(bytes: Uint8Array, bytesMax: number): Generator<Uint8Array> {
  let from = 0;
  while (bytes.length - from > bytesMax) {
    const piece = bytes.subarray(from, from + bytesMax);
    const whole = piece.subarray(0, wholeLength(piece));
    yield whole;
    from += whole.length;
  }
  if (from < bytes.length) yield bytes.subarray(from);
}
