import { LIMITS } from "../kernel/limits.ts";
import { subjectOf } from "../kernel/subject.ts";
import { Fault } from "../ports/fault.ts";
import { GENESIS, type Head, type StoredEntry } from "../ports/journal.ts";
import { decodeVerified, mustFollow, type Link, type Sealed } from "./chain.ts";

/** An entry that comes from elsewhere, verified. */
export interface Loaded {
  readonly sealed: Sealed;
  readonly atMs: number;
}

/**
 * Verifies entries exported elsewhere, one by one, and finds the keys they are stored under.
 *
 * Throws `Fault` `journal_forked` unless the journal that takes them is empty, `journal_corrupt`
 * on a broken hash, link or size, `journal_newer` on an entry this build cannot read.
 */
export function* verifyLoaded(head: Head, stored: Iterable<StoredEntry>): Generator<Loaded> {
  if (head.seq !== 0) {
    const message = `a journal must be empty to take over another, it has ${head.seq} entries`;
    throw new Fault("journal_forked", message);
  }
  yield* verifyFollowing({ ...GENESIS, at_ms: 0 }, stored);
}

/** The same for entries that follow the last of a journal; `after` is what they lean on. */
export function* verifyFollowing(after: Link, stored: Iterable<StoredEntry>): Generator<Loaded> {
  let last = after;
  let id: string | undefined;
  const ids = new Set<string>();
  for (const { text, hash } of stored) {
    const seq = last.seq + 1;
    const size = Buffer.byteLength(text);
    if (size > LIMITS.entryBytesMax) {
      const message = `entry ${seq} must have at most ${LIMITS.entryBytesMax} bytes, got ${size}`;
      throw new Fault("journal_corrupt", message);
    }
    const entry = decodeVerified({ text, hash }, seq);
    mustFollow(last, entry, "journal_corrupt");
    const commandId = entry.id === id ? null : entry.id;
    if (commandId !== null && ids.has(commandId)) {
      const message = `command ${commandId} must be decided once, it is again in ${entry.seq}`;
      throw new Fault("journal_corrupt", message);
    }
    const recovers = entry.kind === "fleet.recovered" ? entry.data : null;
    yield {
      sealed: { seq: entry.seq, text, hash, commandId, subject: subjectOf(entry), recovers },
      atMs: entry.at_ms,
    };
    id = entry.id;
    ids.add(id);
    last = entry;
  }
}
