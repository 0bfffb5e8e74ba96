/*
 * What happened on a path, from the journal's end back: who was refused there and by whom, and
 * which leases on it came and went. An end does not say what its lease had; its grant does, whose
 * place is in the lease's id. So an end is looked at together with its grant, wherever that stands.
 */

import type { Actor } from "../../kernel/actor.ts";
import type { CommandKind } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { EventKind } from "../../kernel/event.ts";
import type { FilePath } from "../../kernel/ground/writing.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { nameOf, type Holder } from "../../kernel/lease/lease.ts";
import type { RefusalCode } from "../../kernel/refusal.ts";
import type { State } from "../../kernel/state.ts";
import type { Journal } from "../../ports/journal.ts";
import { happenedWords } from "../explain/happened.ts";
import type { Named } from "../explain/words.ts";
import { isArchiveBroken } from "../readable.ts";
import { readBackwards } from "./backwards.ts";
import { leaseChangedBy, PathSearch } from "./path-search.ts";

/** A refusal about a path, as a document. */
export interface PathRefusal {
  readonly seq: number;
  readonly at_ms: number;
  readonly actor: Actor;
  readonly command: CommandKind;
  /** For whom it was asked: a worker's id or a name; null where that is not said. */
  readonly holder: string | null;
  readonly code: RefusalCode;
  readonly message: string;
  /** The lease or place that was in the way, and whose it was; null: none. */
  readonly by_lease: string | null;
  readonly by_holder: string | null;
}

/** What happened to a lease on a path, as a document. */
export interface PathEvent {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: EventKind;
  readonly lease_id: string;
  readonly actor: Actor;
  /** What happened, a sentence without its full stop. */
  readonly said: string;
}

/** What happened on a path, the newest first, as a document. */
export interface PathHistory {
  readonly refusals: readonly PathRefusal[];
  readonly events: readonly PathEvent[];
  /** The oldest entry that was looked at; 1: all were. */
  readonly searched_from_seq: number;
  /**
   * Which segment kept it from looking further back, and what to do; null where nothing did. What
   * is told is then true, and may not be all.
   */
  readonly missing: string | null;
}

/** How far back is looked. */
export interface PathHistoryOptions {
  /** So many refusals, and so many events, at the most. */
  readonly countMax: number;
  /** Not before this entry. */
  readonly sinceSeq: number;
  /** Told after each slice how far back it got. Whoever throws here ends it. */
  readonly onProgress?: ((seq: number) => void) | undefined;
  /** Awaited after each slice, so that the event loop has its turn. */
  readonly turn: () => Promise<void>;
}

/** What is looked for, and from where. */
export interface PathLook {
  readonly journal: Journal;
  readonly state: State;
  readonly file: FilePath;
  readonly named: Named;
}

/**
 * Looks for what happened on a path, from the newest entry of a state back, until enough is found.
 * It costs what it reads: a path on which much happened lately costs little. Where a segment of the
 * archive is missing or broken it ends, and says so. Throws what else reading throws.
 */
export async function historyOf(look: PathLook, options: PathHistoryOptions): Promise<PathHistory> {
  const found: Found = { refusals: [], events: [], searched_from_seq: look.state.seq + 1 };
  try {
    await search(look, options, found);
    return { ...found, missing: null };
  } catch (error) {
    if (isArchiveBroken(error)) return { ...found, missing: error.message };
    throw error;
  }
}

interface Found {
  readonly refusals: PathRefusal[];
  readonly events: PathEvent[];
  searched_from_seq: number;
}

async function search(
  { journal, state, named, file }: PathLook,
  { countMax, sinceSeq, onProgress, turn }: PathHistoryOptions,
  found: Found,
): Promise<void> {
  const { refusals, events } = found;
  const path = new PathSearch({ journal, state, file });
  const isEnough = (): boolean => refusals.length >= countMax && events.length >= countMax;
  if (isEnough()) return;
  const lookAt = async (entry: Entry): Promise<void> => {
    if (refusals.length < countMax && (await path.isRefusedThere(entry)))
      refusals.push(refusalOf(entry));
    if (events.length < countMax && (await path.isChangeThere(entry)))
      events.push(eventOf(entry, named));
  };
  const span = { newestSeq: state.seq, oldestSeq: sinceSeq };
  for await (const page of readBackwards(journal, span)) {
    path.turnTo(page);
    for (const entry of page.toReversed()) {
      if (isEnough()) return;
      path.pass(entry);
      if (path.mayBeThere(entry)) await lookAt(entry);
      // Last: of an entry whose lease cannot be looked up it is not known whether it is one.
      found.searched_from_seq = entry.seq;
    }
    onProgress?.(found.searched_from_seq);
    await turn();
  }
  found.searched_from_seq = Math.min(found.searched_from_seq, sinceSeq);
}

function refusalOf(entry: Entry): PathRefusal {
  const { seq, at_ms, actor, command } = entry;
  // The search has seen that it is a refusal of a command; other kinds never come here.
  const { code, message, facts } = (entry as Entry<"command.refused">).data;
  return {
    seq,
    at_ms,
    actor,
    command: command?.kind ?? "lease.acquire",
    holder: holderIn(command?.data ?? {}),
    code,
    message,
    by_lease: textIn(facts, "lease_id"),
    by_holder: textIn(facts, "holder"),
  };
}

function eventOf(entry: Entry, named: Named): PathEvent {
  const { seq, at_ms, kind, actor } = entry;
  const lease_id = leaseChangedBy(entry) ?? "";
  return { seq, at_ms, kind, lease_id, actor, said: happenedWords(entry, named) };
}

/** Who is to hold, or says to hold, what a command is about. */
function holderIn(asked: object): string | null {
  const { holder, claim, to } = asked as {
    readonly holder?: Holder;
    readonly claim?: { readonly worker?: string; readonly name?: string };
    readonly to?: Holder | string;
  };
  if (holder !== undefined) return nameOf(holder);
  if (claim !== undefined) return claim.worker ?? claim.name ?? null;
  if (to === undefined) return null;
  return typeof to === "string" ? to : nameOf(to);
}

function textIn(facts: JsonObject, name: string): string | null {
  const fact = facts[name];
  return typeof fact === "string" ? fact : null;
}
