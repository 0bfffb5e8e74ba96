// Not by its name: an older Node has no such export, and could not even say that it is too old.
import crypto from "node:crypto";
import canonicalize from "canonicalize";
import { ok } from "../kernel/assert.ts";
import { seqAfter, type Entry } from "../kernel/entry.ts";
import type { EventMap } from "../kernel/event.ts";
import { isOrderedJson } from "../kernel/json.ts";
import { LIMITS } from "../kernel/limits.ts";
import { subjectOf } from "../kernel/subject.ts";
import { Fault, type FaultCode } from "../ports/fault.ts";
import type { Draft, Head, StoredEntry } from "../ports/journal.ts";
import { decode } from "./codec.ts";

/** SHA-256 over the UTF-8 bytes of a text, lowercase hex. */
export function hashOf(text: string): string {
  return crypto.hash("sha256", text, "hex");
}

/** An entry ready to be stored, with the keys under which an adapter finds it. */
export interface Sealed extends StoredEntry {
  readonly seq: number;
  /** The command's id on the first entry of its decision, else null: unique in a journal. */
  readonly commandId: string | null;
  readonly subject: string | null;
  /** What it says of a loss, if it goes on after one. */
  readonly recovers: EventMap["fleet.recovered"] | null;
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
    if (draft.event.kind === "fleet.recovered") mustRecover(draft.event.data, { seq, hash: prev });
    seq = seqAfter(seq, draft.event);
    const text = canonicalText(draft, { seq, at_ms: atMs, prev });
    prev = hashOf(text);
    const isFirst = draft.id !== id;
    ok(!isFirst || !ids.has(draft.id), `the entries of ${draft.id} must stand together`);
    id = draft.id;
    ids.add(id);
    const commandId = isFirst ? id : null;
    const recovers = draft.event.kind === "fleet.recovered" ? draft.event.data : null;
    return { seq, text, hash: prev, commandId, subject: aboutWhom(draft, seq), recovers };
  });
}

type Recovered = EventMap["fleet.recovered"];

/** A recovery that does not stand where it says it does would make a journal that does not read. */
function mustRecover(data: Recovered, head: Head): void {
  const { remembered_seq } = data;
  ok(accountsFor(data, head), `a recovery must begin at entry ${head.seq}, ${head.hash}`);
  ok(remembered_seq > head.seq, `a recovery must find a loss after entry ${head.seq}`);
}

/** Whether a recovery names this very entry as the newest that was kept. */
function accountsFor({ kept_seq, kept_hash }: Recovered, { seq, hash }: Head): boolean {
  return kept_seq === seq && kept_hash === hash;
}

/** The key of `Journal.about`; found again from the text, so it is not part of the bytes. */
function aboutWhom({ command, event }: Draft, seq: number): string | null {
  return subjectOf({ seq, command, kind: event.kind, data: event.data });
}

function canonicalText(
  { fleet, rules, id, actor, command, event }: Draft,
  place: { readonly seq: number; readonly at_ms: number; readonly prev: string },
): string {
  const { kind, data } = event;
  const { seq, at_ms, prev } = place;
  // In canonical order, as what the loop decides on is: mostly there is nothing left to sort.
  const entry = { actor, at_ms, command, data, fleet, id, kind, prev, rules, seq };
  const text = isOrderedJson(entry) ? JSON.stringify(entry) : canonicalize(entry);
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
    const entry = decodeVerified(one, last.seq + 1);
    mustFollow(last, entry, entries.length === 0 ? "journal_forked" : "journal_corrupt");
    entries.push(entry);
    last = entry;
  }
  return entries;
}

/** An entry as far as the next one leans on it. */
export type Link = Pick<Entry, "seq" | "hash" | "at_ms">;

/**
 * Throws a `Fault` with this code unless `entry` names `last` as its predecessor, and
 * `journal_corrupt` unless it has the seq after it.
 */
export function mustFollow(last: Link, entry: Entry, code: FaultCode): void {
  const isRecovery = entry.kind === "fleet.recovered";
  if (!isRecovery && entry.seq !== last.seq + 1) {
    throw corrupt(last.seq + 1, `must have the seq ${last.seq + 1}`, entry.seq);
  }
  if (entry.prev !== last.hash) {
    throw new Fault(code, `entry ${entry.seq} must follow ${last.hash}, it follows ${entry.prev}`);
  }
  if (isRecovery && (!accountsFor(entry.data, last) || entry.seq !== seqAfter(last.seq, entry))) {
    const must = `must account for what is missing after entry ${last.seq}`;
    throw corrupt(entry.seq, must, `what is missing after ${entry.data.kept_seq}`);
  }
  if (isRecovery && entry.seq <= last.seq) {
    throw corrupt(entry.seq, `must stand above entry ${last.seq}`, entry.seq);
  }
  if (entry.at_ms < last.at_ms) {
    throw corrupt(entry.seq, `must not be older than ${last.at_ms}`, entry.at_ms);
  }
}

/** Decodes one entry, verified by its hash alone; `seq` is the place at which it was found. */
export function decodeOne(stored: StoredEntry, seq: number): Entry {
  const entry = decodeVerified(stored, seq);
  if (entry.seq !== seq) throw corrupt(seq, `must have the seq ${seq}`, entry.seq);
  return entry;
}

/**
 * Decodes one entry, verified by its hash alone, wherever it stands; `seq` is the place that it is
 * expected at, for messages.
 */
export function decodeVerified(stored: StoredEntry, seq: number): Entry {
  const actual = hashOf(stored.text);
  if (actual === stored.hash) return decode(stored);
  throw corrupt(seq, `must hash to ${stored.hash}`, actual);
}

function corrupt(seq: number, must: string, actual: string | number): Fault {
  return new Fault("journal_corrupt", `entry ${seq} ${must}, got ${actual}`);
}
