// The kill. Nothing here waits for the journal before it stops something, and nothing that fails
// holds up anything else:
//
//     signals fire ─┬─ permit taken away ──────────────────┐
//                   ├─ fleet.killed appended, within 2 s ──┼─▶ swept again ──▶ ends journaled,
//                   └─ every sandbox listed is swept, ─────┘   for the last    receipt signed and
//                      until two listings find nothing alive   time            recorded
//
// A supervisor that answers ends what it runs by itself as soon as it has the entry, and sees more
// of each end. Two who end one sandbox do its work twice; so the first sweep is left out as long as
// its ends come in: the last one finds whatever is there still.
//
// What the first sweep misses may start as long as there is a permit. Only a sweep that begins
// without one, and comes to its end, says that a reservation was never and can never be taken up.

import type { Actor } from "../../kernel/actor.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { isReservation } from "../../kernel/state.ts";
import { isProof, type Grade } from "../../kernel/worker/evidence.ts";
import { closedFault } from "../closed.ts";
import { errorText } from "../error-text.ts";
import type { Member } from "../member.ts";
import { isCanary } from "../process/canary.ts";
import { isSupervised } from "../relay/supervised.ts";
import type { Seat } from "../seat.ts";
import { evidenceOfAbsence, journalEnd } from "../steward/gone.ts";
import { settledWithin } from "../waiting.ts";
import { listLive, type StoppedWorker } from "../worker/stopping.ts";
import { EndedBefore } from "./ended-before.ts";
import { showReceipt, signReceipt, type Receipt } from "./receipt.ts";
import { recordReceipt } from "./recording.ts";
import { KILLED, Sweep } from "./sweep.ts";
import { beginKill } from "./under-way.ts";
import { untilAllEnded, whileEnding } from "./until-all-ended.ts";

/** A kill, as it is ordered. */
export interface KillOrder {
  readonly reason: string;
  /** How long cooperative tasks are given to settle after their signal, ms. */
  readonly settleMs: number;
  /** The place of the kill's entry where it is on record already: then none is asked for. */
  readonly seq?: number;
}

/**
 * Kills a fleet for good and answers the signed receipt. Never throws for what could not be
 * stopped, swept or journaled: the receipt says so. It may be repeated, and then sweeps again.
 * A handle that is closed kills nobody: that throws `Fault` `closed`.
 */
export async function kill(member: Member, order: KillOrder, by: Actor): Promise<Receipt> {
  const { seat, hosting } = member;
  if (hosting.isLeaving) throw closedFault();
  const startedMs = seat.clock.monotonicMs();
  const troubles: string[] = [];
  const names = new Map(listLive(seat));
  const before = new EndedBefore(seat);
  const ends = new Ends(seat);
  const isOver = beginKill(seat);
  try {
    hosting.interruptAll("kill");
    const isOnRecord = (id: string): boolean => ends.isOnRecord(id);
    const sweep = new Sweep({ ...seat, sandboxes: member.sandboxes, isOnRecord });
    // Asked before it has the entry: from then on it is busy.
    const asking = isSupervised(member, sayMs);
    const said = await settledWithin(asking, sayFirstMs, seat.timers);
    const isAnswered = said.kind === "done" && said.value;
    // A journal whose disk hangs holds up all that comes after it in this process.
    const revokingFirst = isAnswered ? undefined : revokePermit(seat, troubles);
    const appending =
      order.seq === undefined
        ? appendKill(seat, { reason: order.reason, by, troubles })
        : Promise.resolve(order.seq);
    const sweeping = sweepFirst(member, sweep, { asking, appending });
    // A supervisor that sees it gone kills: among so many that die the entry would have to wait.
    if (isAnswered) await settledWithin(appending, appendFirstMs, seat.timers);
    const revoking = revokingFirst ?? revokePermit(seat, troubles);
    const [seq, isRevoked] = await Promise.all([appending, revoking]);
    for (const [id, name] of listLive(seat)) names.set(id, name);
    await sweeping;
    // Without a permit nothing more starts: what this finds is the last there is.
    const isSwept = await sweep.run();
    // From here on it is the journal that is waited for: what is alive is the steward's again.
    isOver();
    const { endings } = sweep;
    for (const [id, ending] of endings) ends.addFound(id, ending.evidence.grade);
    if (seq !== null) {
      await journalEnds(member, sweep, troubles);
      await untilAllEnded(seat, order.settleMs);
      if (isRevoked && isSwept) ends.addReservations(sweep.survivors);
    }
    // Who had ended by then, and had nothing alive any more, was not ended by this kill.
    // A canary is no worker; one that could not be ended is told of among the troubles.
    const met = [...new Set([...names.keys(), ...endings.keys()])].filter((id) => !isCanary(id));
    const over = seq === null ? NOBODY : await before.among(met, ends.after(seq));
    const workers = met
      .filter((id) => !over.has(id) || sweep.foundAlive.has(id))
      .map((id) => ends.describe(id, names.get(id) ?? id));
    const durationMs = seat.clock.monotonicMs() - startedMs;
    const { reason } = order;
    const receipt = signReceipt(seat.keys.signer, {
      order: "kill",
      fleet: seat.fleet,
      seq,
      reason,
      durationMs,
      workers,
      troubles: [...troubles, ...sweep.troubles],
    });
    if (seq !== null) await recordReceipt(seat, receipt, { by });
    return showReceipt(receipt);
  } finally {
    isOver();
    ends.close();
  }
}

const NOBODY: ReadonlySet<string> = new Set();

/** The grades of the ends that are heard of while the kill goes on. */
class Ends {
  readonly #grades = new Map<string, Grade | null>();
  /** Where those are on record that were heard of. */
  readonly #seqs = new Map<string, number>();
  readonly #seat: Seat;
  readonly #unsubscribe: () => void;

  constructor(seat: Seat) {
    this.#seat = seat;
    this.#unsubscribe = seat.loop.onEntry((entry) => {
      const { kind, data, seq } = entry;
      if (kind === "worker.stopped") this.add(data.worker, data.evidence.grade);
      if (kind === "worker.lapsed") this.#grades.set(data.worker, null);
      if (kind === "worker.stopped" || kind === "worker.lapsed") this.#seqs.set(data.worker, seq);
    });
  }

  /** Takes in what the journal says of an end: that is what is on record, whoever saw more. */
  add(id: string, grade: Grade): void {
    this.#grades.set(id, grade);
  }

  /** Those whose end was heard of and stands after an entry. */
  after(seq: number): ReadonlySet<string> {
    return new Set([...this.#seqs].flatMap(([id, endSeq]) => (endSeq > seq ? [id] : [])));
  }

  /** Whether an end was heard of, with its grade. */
  isOnRecord(id: string): boolean {
    return typeof this.#grades.get(id) === "string";
  }

  /** Takes in what this process itself has found, where the journal says nothing yet. */
  addFound(id: string, grade: Grade): void {
    if (!this.#grades.has(id)) this.#grades.set(id, grade);
  }

  /**
   * What was admitted and never registered: no right was ever taken up, and in a killed fleet none
   * can be. There is nothing to prove, unless its sandbox could not be ended.
   */
  addReservations(survivors: ReadonlySet<string>): void {
    for (const worker of this.#seat.loop.state().workers.values())
      if (isReservation(worker) && !survivors.has(worker.id) && !this.#grades.has(worker.id))
        this.#grades.set(worker.id, null);
  }

  describe(id: string, name: string): StoppedWorker {
    const grade = this.#grades.get(id);
    const proven = grade === null || (grade !== undefined && isProof(grade));
    return { id, name, grade: grade ?? null, proven };
  }

  close(): void {
    this.#unsubscribe();
  }
}

/** Journals the kill; answers its place, or null when that took too long or failed. */
async function appendKill(
  seat: Seat,
  so: { readonly reason: string; readonly by: Actor; readonly troubles: string[] },
): Promise<number | null> {
  const { reason, by, troubles } = so;
  const submitted = seat.loop.submit({ kind: "fleet.kill", data: { reason } }, by);
  const outcome = await settledWithin(submitted, LIMITS.killAppendMs, seat.timers);
  if (outcome.kind === "done" && outcome.value.ok) return outcome.value.seq;
  const why =
    outcome.kind === "late"
      ? `it took longer than ${LIMITS.killAppendMs} ms`
      : errorText(outcome.kind === "failed" ? outcome.error : outcome.value);
  troubles.push(`the kill is not in the journal yet: ${why}`);
  return null;
}

/** Without a permit nothing is started, and whoever opens the journal next journals the kill. */
async function revokePermit(seat: Seat, troubles: string[]): Promise<boolean> {
  try {
    await seat.store.permit.revoke(seat.fleet);
    return true;
  } catch (error) {
    troubles.push(`the permit could not be taken away: ${errorText(error)}`);
    return false;
  }
}

/** How long the permit is left for the entry to be on record first, ms. */
const appendFirstMs = 50;

/** How long the entry is held back for a supervisor to say first that it is there, ms. */
const sayFirstMs = 200;

/** How long a supervisor that listens may take to say that it is there, ms. */
const sayMs = 2_000;

/** How long it may take before all are killed from here, and only proven to be gone later, ms. */
const strikeAfterMs = 500;

/** How long the entry may take that tells a supervisor what to end, ms. */
const tellMs = 500;

/** How long it is left alone after the last end that it has journaled, ms. */
const quietMs = 1_000;

/** How long it is left alone when all were killed from here: hundreds are proven together, late. */
const patienceMs = 2_000;

/** Sweeps all there is, unless a supervisor that answers is seen to do so. Never throws. */
async function sweepFirst(
  { seat, sandboxes }: Member,
  sweep: Sweep,
  so: { readonly asking: Promise<boolean>; readonly appending: Promise<number | null> },
): Promise<void> {
  const said = await settledWithin(so.asking, strikeAfterMs, seat.timers);
  if (said.kind === "late") void sandboxes?.strike(KILLED);
  if (await so.asking) {
    const told = await settledWithin(so.appending, tellMs, seat.timers);
    // Its answer may wait for all that die; the entry is heard of at once.
    const isAnswered = told.kind === "done" && told.value !== null;
    if (isAnswered || seat.loop.state().status === "killed") return leaveToOther(seat, sandboxes);
  }
  await sweep.run();
}

/** Leaves all to a supervisor as long as it journals ends; when it rests, all are killed. */
async function leaveToOther(seat: Seat, sandboxes: Member["sandboxes"]): Promise<void> {
  const withinMs = LIMITS.killSweepMs;
  await whileEnding(seat, { quietMs, withinMs });
  if (listLive(seat).size === 0) return;
  void sandboxes?.strike(KILLED);
  await whileEnding(seat, { quietMs: patienceMs, withinMs });
}

/** Journals what is known to have ended; each by itself, so that none holds up another. */
async function journalEnds(
  { seat, hosting, sandboxes }: Member,
  { endings, survivors }: Sweep,
  troubles: string[],
): Promise<void> {
  const settling = [...endings].map(([id, ending]) => sandboxes?.settle(id, ending));
  const absent = [...seat.loop.state().workers.values()].flatMap((worker) => {
    const { id, status } = worker;
    const isSeenTo = hosting.get(id)?.kind === "here" || endings.has(id) || survivors.has(id);
    if (status !== "stopping" || isSeenTo) return [];
    const evidence = evidenceOfAbsence(seat, worker);
    return evidence === null ? [] : [journalEnd(seat, id, evidence)];
  });
  for (const outcome of await Promise.allSettled([...settling, ...absent]))
    if (outcome.status === "rejected")
      troubles.push(`an end could not be journaled: ${errorText(outcome.reason)}`);
}
