import canonicalize from "canonicalize";
import { hash } from "node:crypto";
import { decide } from "../../src/kernel/decide.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { evolve } from "../../src/kernel/evolve.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { INITIAL_STATE, type State } from "../../src/kernel/state.ts";
import { GENESIS, GENESIS_HASH, type Head, type Journal } from "../../src/ports/journal.ts";
import { submissionOf } from "../../src/runtime/carry/recorded-command.ts";
import { decodeState, encodeState } from "../../src/runtime/state-codec.ts";
import { decisionsOf, type Auditor } from "./auditor.ts";
import { isSameBook } from "./lease/state.ts";
import { readAllStored } from "./stored.ts";

/**
 * Checks a journal at rest: its chain over the stored bytes, the fold of all of it against the
 * fold that was kept entry by entry, every snapshot with its tail, and every decision again (I7).
 */
export async function checkReplay(journal: Journal, auditor: Auditor): Promise<void> {
  await checkChain(journal, auditor);
  const entries = await readAll(journal, GENESIS);
  if (linksOf(entries) !== linksOf(auditor.entries)) {
    auditor.report("SM3", "what is read of the journal is not what was appended to it");
    return;
  }
  const folded = entries.reduce<State>(evolve, INITIAL_STATE);
  const end = encodeState(folded);
  if (end !== encodeState(auditor.state))
    auditor.report("SM3", "the fold of the whole journal is not the state that was followed");
  for (const snapshot of await journal.snapshots()) {
    const start = decodeState(snapshot.state);
    const tail = await readAll(journal, { seq: snapshot.seq, hash: snapshot.hash });
    if (start === undefined || encodeState(tail.reduce<State>(evolve, start)) !== end)
      auditor.report("SM3", `the snapshot of entry ${snapshot.seq} with its tail ends elsewhere`);
  }
  checkDecisions(entries, auditor);
}

/** Checks that a loop's state is the true one at the place where it stands. */
export function checkLoopState(state: State, who: string, auditor: Auditor): void {
  const expected = auditor.stateAt(state.seq);
  const isFold = expected !== undefined && encodeState(state) === encodeState(expected);
  if (isFold && isSameBook(state, expected)) return;
  auditor.report("SM3", `the state of ${who} at entry ${state.seq} is not the fold of the journal`);
}

/** Hashes the stored bytes without the journal's own code. */
async function checkChain(journal: Journal, auditor: Auditor): Promise<void> {
  const stored = await readAllStored(journal);
  let prev: unknown = GENESIS_HASH;
  let seq = 0;
  for (const { text, hash: claimed } of stored) {
    const entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
    seq = entry["kind"] === "fleet.recovered" ? Math.max(seq + 1, Number(entry["seq"])) : seq + 1;
    const isLinked = entry["prev"] === prev && entry["seq"] === seq;
    const isSealed = hash("sha256", text, "hex") === claimed && canonicalize(entry) === text;
    if (!isLinked || !isSealed)
      auditor.report("SM3", `the stored entry ${seq} is not linked, sealed and canonical`);
    prev = claimed;
  }
  if (stored.length !== auditor.entries.length)
    auditor.report("SM3", `${stored.length} entries are stored of ${auditor.entries.length}`);
  await journal.inspect();
}

async function readAll(journal: Journal, from: Head): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (let after: Head = from; ; after = entries.at(-1) ?? after) {
    const slice = await journal.read(after, LIMITS.readEntriesMax);
    if (slice.length === 0) return entries;
    entries.push(...slice);
  }
}

function linksOf(entries: readonly Entry[]): string {
  return entries.map(({ seq, hash }) => `${seq} ${hash}`).join();
}

/** Decides every recorded command again, on the state before it and at its time (I7). */
function checkDecisions(entries: readonly Entry[], auditor: Auditor): void {
  let state = INITIAL_STATE;
  for (const decision of decisionsOf(entries)) {
    const [first] = decision;
    if (first === undefined || first.command === null) continue;
    const { events } = decide(state, submissionOf(first, first.command), first.at_ms);
    const recorded = decision.map(({ kind, data }) => ({ kind, data }));
    if (canonicalize(events) !== canonicalize(recorded)) {
      const [now, then] = [events, recorded].map((list) => list.map(({ kind }) => kind).join());
      auditor.report("I7", `entry ${first.seq}: decided again it gives ${now}, not ${then}`);
    }
    state = decision.reduce<State>(evolve, state);
  }
}
