import type { Random } from "../ports/random.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const digitBits = 5;
const commandIdBytes = 16;
const instanceIdBytes = 10;

/** Base32 (RFC 4648) in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= digitBits) {
      bits -= digitBits;
      text += alphabet[(pending >>> bits) & 31];
    }
    pending &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet[(pending << (digitBits - bits)) & 31];
}

/** A fresh id for a command: `c-` and 128 random bits. */
export function freshCommandId(random: Random): string {
  return `c-${base32(random.bytes(commandIdBytes))}`;
}

/** How many letters of a series' ids are the same; 40 random bits. */
const seriesBytes = 5;
const counterBytes = 4;
const tailBytes = 8;

/**
 * Makes a series of command ids for one loop: `c-`, 40 random bits that the series shares, a
 * counter, and 64 random bits of the id's own. Ids that are used one after another lie side by side
 * in the journal's index, so that an append touches one page of it and not one per command.
 */
export function commandIdSeries(random: Random): () => string {
  const bytes = new Uint8Array(seriesBytes + counterBytes + tailBytes);
  bytes.set(random.bytes(seriesBytes));
  const counter = new DataView(bytes.buffer, seriesBytes, counterBytes);
  let count = 0;
  return () => {
    counter.setUint32(0, count);
    count += 1;
    bytes.set(random.bytes(tailBytes), seriesBytes + counterBytes);
    return `c-${base32(bytes)}`;
  };
}

/** A fresh id for a worker: `w-` and 80 random bits as 16 letters. */
export function freshInstanceId(random: Random): string {
  return `w-${base32(random.bytes(instanceIdBytes))}`;
}
