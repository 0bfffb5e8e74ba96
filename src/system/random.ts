import { randomFillSync } from "node:crypto";
import type { Random } from "../ports/random.ts";

/** The operating system's cryptographic random source. */
export function systemRandom(): Random {
  return { bytes: (count) => randomFillSync(new Uint8Array(count)) };
}
