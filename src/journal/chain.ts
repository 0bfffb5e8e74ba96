import { hash } from "node:crypto";
import canonicalize from "canonicalize";
import { ok } from "../kernel/assert.ts";
import type { Entry } from "../kernel/entry.ts";
import { LIMITS } from "../kernel/limits.ts";
import { subjectOf } from "../kernel/subject.ts";
import { Fault, type FaultCode } from "../ports/fault.ts";
import type { Draft, Head, StoredEntry } from "../ports/journal.ts";
import { decode } from "./codec.ts";

/** SHA-256 over the UTF-8 bytes of a text, lowercase hex. */
export function hashOf(text: string): string {
  return hash("sha256", text, "hex");
}

/** An entry ready to be stored, with the keys under which an adapter finds it. */
export interface Sealed extends StoredEntry {
  readonly seq: number;
  /** The command's id on the first entry of its decision, else null: unique in a journal. */
  readonly commandId: string | null;
  readonly subject: string | null;
}

/**
 * Gives drafts their places after `head`: seq, time, predecessor and hash.
 *
 * The text is the canonical form (RFC 8785) of the entry without its hash. A draft that is not
 * JSON or larger than `LIMITS.entryBytesMax` is a bug of the caller.
 */
export function seal(head: Head, atMs: number, drafts: readonly Draft[]): Sealed[] {
  let { seq, hash: prev } = head;
  let id: string | undefined;
  const ids = new Set<string>();
  return drafts.map((draft) => {
    seq += 1;
    const text = canonicalText(draft, { seq, at_ms: atMs, prev });
    prev = hashOf(text);
    const isFirst = draft.id !== id;
    ok(!isFirst || !ids.has(draft.id), `the entries of ${draft.id} must stand together`);
    id = draft.id;
    ids.add(id);
    return { seq, text, hash: prev, commandId: isFirst ? id : null, subject: aboutWhom(draft) };
  });
}

/** The key of `Journal.about`; found again from the text, so it is not part of the bytes. */
function aboutWhom({ command, event }: Draft): string | null {
  return subjectOf({ command, data: event.data });
}

function canonicalText(
  { fleet, rules, id, actor, command, event }: Draft,
  place: { readonly seq: number; readonly at_ms: number; readonly prev: string },
): string {
  const { kind, data } = event;
  const text = canonicalize({ fleet, rules, id, actor, command, kind, data, ...place });
  ok(text !== undefined, "an entry must be JSON");
  ok(
    Buffer.byteLength(text) <= LIMITS.entryBytesMax,
    `an entry must have at most ${LIMITS.entryBytesMax} bytes, ${kind} has ${text.length}`,
  );
  return text;
}

/**
 * Decodes entries that must follow `after` without a gap, each verified by its hash and its
 * predecessor. The first that does not name `after.hash` is a `Fault` `journal_forked`, all else
 * that is wrong is `journal_corrupt`.
 */
export function decodeChain(after: Head, stored: readonly StoredEntry[]): Entry[] {
  const entries: Entry[] = [];
  let last: Link = { ...after, at_ms: 0 };
  for (const one of stored) {
    const entry = decodeOne(one, last.seq + 1);
    mustFollow(last, entry, entries.length === 0 ? "journal_forked" : "journal_corrupt");
    entries.push(entry);
    last = entry;
  }
  return entries;
}

/** An entry as far as the next one leans on it. */
export type Link = Pick<Entry, "seq" | "hash" | "at_ms">;

/** Throws a `Fault` with this code unless `entry` names `last` as its predecessor. */
export function mustFollow(last: Link, entry: Entry, code: FaultCode): void {
  if (entry.prev !== last.hash) {
    throw new Fault(code, `entry ${entry.seq} must follow ${last.hash}, it follows ${entry.prev}`);
  }
  if (entry.at_ms < last.at_ms) {
    throw corrupt(entry.seq, `must not be older than ${last.at_ms}`, entry.at_ms);
  }
}

/** Decodes one entry, verified by its hash alone; `seq` is the place at which it was found. */
export function decodeOne(stored: StoredEntry, seq: number): Entry {
  const actual = hashOf(stored.text);
  if (actual !== stored.hash) throw corrupt(seq, `must hash to ${stored.hash}`, actual);
  const entry = decode(stored);
  if (entry.seq !== seq) throw corrupt(seq, `must have the seq ${seq}`, entry.seq);
  return entry;
}

function corrupt(seq: number, must: string, actual: string | number): Fault {
  return new Fault("journal_corrupt", `entry ${seq} ${must}, got ${actual}`);
}
