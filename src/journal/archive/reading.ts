import { LIMITS } from "../../kernel/limits.ts";
import { Fault } from "../../ports/fault.ts";
import { codeOf } from "../../ports/error-code.ts";
import type { Segment, StoredEntry } from "../../ports/journal.ts";
import { hashOf } from "../chain.ts";
import type { Pointer } from "./pointer.ts";
import { scanSegment, type SegmentBytes } from "./scan.ts";

/**
 * The text of one entry of a segment, verified by the hash that the journal has kept of it. Throws
 * `Fault` `archive_broken`.
 */
export function readArchived(
  bytes: SegmentBytes,
  segment: Segment,
  so: { readonly at: Pointer; readonly hash: string },
): StoredEntry {
  const { at, hash } = so;
  // A bent place in the journal's own row must not ask for all of the memory.
  const sizeBytes = Math.min(at.sizeBytes, LIMITS.entryBytesMax);
  const text = bytes.read(at.offset, sizeBytes).toString("utf8");
  if (hashOf(text) === hash) return { text, hash };
  throw brokenSegment(bytes.path, segment, { what: "it is not what was written" });
}

/** Throws `Fault` `archive_broken` unless a segment, read whole, is what is recorded of it. */
export function mustBeSegment(bytes: SegmentBytes, recorded: Segment): void {
  const scan = scanSegment(bytes, recorded.epoch);
  let step = scan.next();
  while (step.done !== true) step = scan.next();
  mustEqual(bytes.path, recorded, step.value);
}

/** Throws `Fault` `archive_broken` unless what a segment was found to be is what is recorded. */
export function mustEqual(path: string, recorded: Segment, found: Segment): void {
  const [must, is] = [recorded, found].map(({ name, after, last, sizeBytes, sha256 }) =>
    JSON.stringify([name, after.seq, after.hash, last.seq, last.hash, sizeBytes, sha256]),
  );
  if (must !== is) throw brokenSegment(path, recorded, { what: "it is another than was recorded" });
}

/** What is said of a segment that cannot be read: which, which entries it has, what to do. */
export function brokenSegment(
  path: string,
  { firstSeq, last }: Segment,
  { what, cause }: { readonly what: string; readonly cause?: unknown },
): Fault {
  const message =
    `${path} must hold the entries ${firstSeq} to ${last.seq}, ${what}: put the file back as it ` +
    "was, from a backup";
  return new Fault("archive_broken", message, cause === undefined ? {} : { cause });
}

/** Turns an error of the system, met at a segment, into a `Fault` `archive_broken` about it. */
export function asBrokenSegment(error: unknown, path: string, segment: Segment): unknown {
  if (error instanceof Fault) return error;
  const code = codeOf(error);
  if (!/^E[A-Z0-9]+$/.test(code)) return error;
  const what = code === "ENOENT" ? "it is missing" : `it cannot be read (${code})`;
  return brokenSegment(path, segment, { what, cause: error });
}
