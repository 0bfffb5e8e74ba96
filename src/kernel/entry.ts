import type { Actor } from "./actor.ts";
import type { Command } from "./command.ts";
import type { Event, EventKind } from "./event.ts";

/** The version of the rules in this build; written into every entry it decides. */
export const RULES = 1;

/**
 * One entry of the journal. `hash` is SHA-256 (lowercase hex) over the canonical bytes (RFC 8785)
 * of all other fields; `prev` is the hash of the entry before, 64 zeros for the first.
 */
export type Entry<K extends EventKind = EventKind> = Event<K> & {
  /** One more than that of the entry before; see {@link seqAfter} for the exception. */
  readonly seq: number;
  /** Journal time, ms since 1970; never runs backwards (I11). */
  readonly at_ms: number;
  readonly fleet: string;
  readonly rules: number;
  /** The command's id. The entries of one decision share it and stand together. */
  readonly id: string;
  readonly actor: Actor;
  /** What was asked, on the first entry of a decision; null on the others. */
  readonly command: RecordedCommand | null;
  readonly prev: string;
  readonly hash: string;
};

/**
 * The seq of an entry after the one at `lastSeq`: the next, but above everything that is remembered
 * where the journal goes on after a loss.
 */
export function seqAfter(lastSeq: number, event: Event): number {
  return event.kind === "fleet.recovered" ? event.data.remembered_seq + 1 : lastSeq + 1;
}

/** A command as it is recorded: with what the loop looked up for it, so it can be decided again. */
export type RecordedCommand = Command & { readonly ended?: string };
