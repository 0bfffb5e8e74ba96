import type { JsonObject } from "../../kernel/json.ts";
import type { Segment } from "../../ports/journal.ts";

/** A segment of the archive for programs: snake_case, with units. */
export function segmentDocument(segment: Segment): JsonObject {
  const { name, firstSeq, last, after, entryCount } = segment;
  return {
    name,
    first_seq: firstSeq,
    last_seq: last.seq,
    last_hash: last.hash,
    after_seq: after.seq,
    after_hash: after.hash,
    entry_count: entryCount,
    first_at_ms: segment.firstAtMs,
    last_at_ms: segment.lastAtMs,
    size_bytes: segment.sizeBytes,
    sha256: segment.sha256,
  };
}
