import { isDeepStrictEqual } from "node:util";
import type { Actor } from "../../src/kernel/actor.ts";
import { partyOf, refusalKey } from "../../src/kernel/actor.ts";
import type { Command } from "../../src/kernel/command.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import type { Refusal, RefusalCode } from "../../src/kernel/refusal.ts";
import type { State } from "../../src/kernel/state.ts";
import type { Answer } from "../../src/runtime/loop.ts";
import type { Auditor, Decided } from "./auditor.ts";
import { problemOfNothing } from "./lease/kept.ts";

/** A command as somebody asked it, under an id of his own or, with null, of the loop's. */
export interface Asked {
  readonly id: string | null;
  readonly command: Command;
  readonly actor: Actor;
}

/** Refusals that the loop gives by itself: nothing was decided, so nothing is journaled. */
const BY_LOOP: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "rate_limited",
  "command_mismatch",
  "command_expired",
]);

/**
 * Checks an answer that somebody got against the journal: what was acknowledged is there, word for
 * word; what is not there was acknowledged only where nothing is to be written (SM4). `byMs` is
 * the journal time at which it was heard; by default that of the newest entry.
 */
export function checkAnswer(
  auditor: Auditor,
  { byMs = auditor.state.at_ms, ...asked }: Asked & { readonly byMs?: number },
  answer: Answer,
): void {
  const decided = auditor.decisionOf(asked.id ?? idFrom(auditor, asked, answer));
  const problem = answer.ok
    ? problemOfYes(auditor, asked, { answer, decided: decidedBy(decided, answer.seq), byMs })
    : problemOfNo(auditor, asked, { answer, decided });
  if (problem === null) return;
  const what = answer.ok ? "granted" : `refused (${answer.refusal.code})`;
  auditor.report("SM4", `${asked.command.kind} ${asked.id} was ${what}, but ${problem}`);
}

/** The id that a loop gave to a command of its own accord, as the journal shows it. */
function idFrom(auditor: Auditor, asked: Asked, answer: Answer): string {
  if (answer.ok) return answer.entries[0]?.id ?? "";
  const last = auditor.entryAt(answer.seq);
  if (last?.kind !== "command.refused" || last.data.code !== answer.refusal.code) return "";
  return isSame(asked, auditor.decisionOf(last.id)) ? last.id : "";
}

/** A decision that was there when the answer was given. */
function decidedBy(decided: Decided | undefined, seq: number): Decided | undefined {
  return decided !== undefined && decided.firstSeq <= seq ? decided : undefined;
}

function problemOfYes(
  auditor: Auditor,
  asked: Asked,
  so: {
    readonly answer: { readonly seq: number; readonly entries: readonly Entry[] };
    readonly decided: Decided | undefined;
    readonly byMs: number;
  },
): string | null {
  const { decided } = so;
  const { seq, entries } = so.answer;
  const states = statesOf(auditor, seq);
  const kept = problemOfNothing(asked.command, entries, { states, byMs: so.byMs });
  if (kept !== null) return kept;
  if (entries.length === 0)
    return decided === undefined ? null : "its entries were left out of the answer";
  if (decided === undefined) return "the journal holds nothing of it";
  const told = entries.map(({ seq, hash }) => `${seq} ${hash}`);
  const held = decided.entries.map(({ seq, hash }) => `${seq} ${hash}`);
  if (told.join() !== held.join()) return "the journal holds other entries of it";
  return isSame(asked, decided) ? null : "the journal holds another command under its id";
}

/** The states that an answer may have been decided on: those of its batch, the newest first. */
function* statesOf(auditor: Auditor, seq: number): Generator<State, void, undefined> {
  const batchAtMs = auditor.entryAt(seq)?.at_ms;
  for (let at = seq; at >= 0; at -= 1) {
    const state = auditor.stateAt(at);
    if (state !== undefined) yield state;
    if (auditor.entryAt(at)?.at_ms !== batchAtMs) return;
  }
}

function problemOfNo(
  auditor: Auditor,
  asked: Asked,
  so: {
    readonly answer: { readonly seq: number; readonly refusal: Refusal };
    readonly decided: Decided | undefined;
  },
): string | null {
  const { seq, refusal } = so.answer;
  if (Object.keys(refusal.facts).length === 0 && refusal.code !== "fleet_unknown")
    return "the refusal carries no facts";
  const decided = decidedBy(so.decided, seq);
  const last = decided?.entries.at(-1);
  const isRuled = last?.kind === "command.refused" && last.data.code === refusal.code;
  if (BY_LOOP.has(refusal.code) && !(isRuled && isSame(asked, decided)))
    return problemByLoop(auditor, asked, { refusal, seq, decided });
  if (last?.kind === "command.refused") {
    const isIt = last.data.code === refusal.code && isSame(asked, decided);
    return isIt ? null : `the journal holds the refusal ${last.data.code}`;
  }
  if (decided !== undefined) return "the journal holds that it was granted";
  return mayGoUnwritten(auditor, asked, seq) ? null : "the journal does not hold it";
}

function problemByLoop(
  auditor: Auditor,
  asked: Asked,
  so: {
    readonly refusal: Refusal;
    readonly seq: number;
    readonly decided: Decided | undefined;
  },
): string | null {
  const { refusal, seq, decided } = so;
  if (refusal.code === "rate_limited") {
    if (decided !== undefined) return "the journal holds its decision";
    return isLimited(auditor, asked, seq) ? null : "its actor was not refused often enough";
  }
  if (refusal.code === "command_expired") return problemOfExpiry(auditor, asked, refusal);
  if (decided === undefined) return "nothing was decided under its id";
  return isSame(asked, decided) ? "it is the command that was decided" : null;
}

/** Also a command under the loop's own id may have waited that long for its answer. */
function problemOfExpiry(auditor: Auditor, asked: Asked, refusal: Refusal): string | null {
  const ageMs = Number(refusal.facts["age_ms"]);
  if (!(ageMs > LIMITS.commandMemoryMs)) return `it was decided only ${ageMs} ms ago`;
  const isKnown =
    asked.id === null
      ? [...auditor.decisions()].some((decided) => isSame(asked, decided))
      : auditor.decisionOf(asked.id) !== undefined;
  return isKnown ? null : "nothing was decided under its id";
}

/** Before a fleet exists nothing is written, and of a limited actor no refusal is. */
function mayGoUnwritten(auditor: Auditor, asked: Asked, seq: number): boolean {
  const state = auditor.stateAt(seq);
  return state?.status === "none" || isLimited(auditor, asked, seq);
}

function isLimited(auditor: Auditor, { actor, command }: Asked, seq: number): boolean {
  const state = auditor.stateAt(seq);
  const window = state?.refusals.get(refusalKey(actor, partyOf(actor, command)));
  if (state === undefined || window === undefined) return false;
  return window.count >= state.contract.refusals_per_minute;
}

function isSame(asked: Asked, decided: Decided | undefined): boolean {
  const first = decided?.entries[0];
  if (first === undefined || first.command === null) return false;
  return isDeepStrictEqual(bodyOf(asked.command, asked.actor), bodyOf(first.command, first.actor));
}

/** What was asked and by whom, without what is found out for it anew each time. */
function bodyOf({ kind, data }: Command, actor: Actor): unknown {
  const without = { verdicts: undefined, parent_use: undefined };
  const { verdicts: _, parent_use: __, ...asked } = { ...without, ...data };
  // By way of its text, as the journal keeps it: without fields that are undefined.
  return JSON.parse(JSON.stringify({ kind, asked, by: [actor.kind, actor.id ?? null] }));
}
