import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { ok } from "../kernel/assert.ts";
import type { Random } from "../ports/random.ts";

/** A random source that gives the same sequence for the same seed, on every machine. */
export interface SeededRandom extends Random {
  /** A whole number from 0 to `limit` − 1, all equally likely; `limit` is 1 to 2^32. */
  below(limit: number): number;
  /** One of the items, which must not be empty. */
  pick<T>(items: readonly T[]): T;
  /** True with probability `share`, 0 to 1. */
  chance(share: number): boolean;
  /** A source of its own under a name; what is drawn from it does not move this one. */
  fork(name: string): SeededRandom;
}

const wordsMax = 2 ** 32;

/**
 * Makes a source from a seed: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it), its
 * state being the SHA-256 of the seed. For simulation and tests, never for secrets.
 */
export function seededRandom(seed: number | string): SeededRandom {
  const next = xoshiro128(sha256(utf8ToBytes(`seed:${typeof seed}:${seed}`)));
  const source: SeededRandom = {
    bytes: (count) => drawBytes(next, count),
    below: (limit) => drawBelow(next, limit),
    pick(items) {
      ok(items.length > 0, "items to pick from must not be empty");
      const item = items[drawBelow(next, items.length)];
      return item as (typeof items)[number];
    },
    chance: (share) => next() < share * wordsMax,
    fork: (name) => seededRandom(`${seed}/${name}`),
  };
  return source;
}

function xoshiro128(seed: Uint8Array): () => number {
  const view = new DataView(seed.buffer, seed.byteOffset);
  let a = view.getUint32(0);
  let b = view.getUint32(4);
  let c = view.getUint32(8);
  // All words zero is the one state that the generator never leaves.
  let d = view.getUint32(12) | 1;
  return () => {
    const word = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return word;
  };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function drawBytes(next: () => number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count; index += 4) {
    const word = next();
    for (let part = 0; part < 4; part += 1) bytes[index + part] = word >>> (8 * part);
  }
  return bytes;
}

function drawBelow(next: () => number, limit: number): number {
  ok(Number.isInteger(limit) && limit >= 1 && limit <= wordsMax, "limit must be 1 to 2^32");
  // Words past the last whole multiple of `limit` would favour the small numbers.
  const usable = wordsMax - (wordsMax % limit);
  for (;;) {
    const word = next();
    if (word < usable) return word % limit;
  }
}
