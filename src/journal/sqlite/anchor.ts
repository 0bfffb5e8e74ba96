import { Fault } from "../../ports/fault.ts";
import { hashOf } from "../chain.ts";
import type { ClockAnchor } from "../journal-time.ts";

/** An anchor as it is stored. */
export interface StoredAnchor {
  readonly text: string;
  readonly hash: string;
}

/** The stored form of an anchor, with a hash of its own: no entry's hash covers it. */
export function encodeAnchor(anchor: ClockAnchor | null): StoredAnchor {
  const text = JSON.stringify(anchor);
  return { text, hash: hashOf(text) };
}

/** Reads a stored anchor; throws `Fault` `journal_corrupt` when it is not as it was written. */
export function decodeAnchor({ text, hash }: StoredAnchor): ClockAnchor | null {
  const actual = hashOf(text);
  if (actual !== hash) {
    throw new Fault("journal_corrupt", `the journal's clock must hash to ${hash}, got ${actual}`);
  }
  // Written by encodeAnchor: the hash says so.
  return JSON.parse(text) as ClockAnchor | null;
}
