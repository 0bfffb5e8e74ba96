import { randomFillSync } from "node:crypto";
import type { Random } from "../ports/random.ts";

/** Asking the system costs more than the bytes: they are fetched by this many. */
const POOL_BYTES = 4_096;

/**
 * The operating system's cryptographic random source. Bytes are fetched ahead and each handed out
 * once; what was handed out is wiped from the pool.
 */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let used = POOL_BYTES;
  return {
    bytes(count) {
      if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count));
      if (used + count > POOL_BYTES) {
        randomFillSync(pool);
        used = 0;
      }
      const taken = pool.slice(used, used + count);
      pool.fill(0, used, used + count);
      used += count;
      return taken;
    },
  };
}
