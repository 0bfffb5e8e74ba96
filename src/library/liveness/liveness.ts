import type { Entry } from "../../kernel/entry.ts";
import type { Evidence } from "../../kernel/progress/evidence.ts";
import { judge } from "../../kernel/progress/verdict.ts";
import type { State } from "../../kernel/state.ts";
import type { CommitsRead } from "../../ports/ground/commits.ts";
import { Fault } from "../../ports/fault.ts";
import { Refused } from "../refused.ts";
import type { Seat } from "../seat.ts";
import { resolveWorker } from "../worker/reference.ts";
import { commitsSinceMs, readCommitMarks } from "./commit-marks.ts";
import { ownMarks, readMarks } from "./marks.ts";
import { Gathered } from "./record.ts";
import { beganAtMs, findSubject, listSubjects, standingOf, type Subject } from "./subject.ts";
import { viewOfJudgement, type LivenessView } from "./view.ts";

/** Everybody who can be judged at one moment, and the state that they were judged on. */
export interface Judged {
  readonly state: State;
  readonly subjects: readonly Subject[];
  /** In the order of the subjects. */
  readonly views: readonly LivenessView[];
}

/**
 * Judges all live workers, and the outside parties that hold leases; or one, by what names a worker
 * or by the party's name. Nothing is written. Throws `Refused` `worker_unknown` or `worker_ended`
 * for who is none of these.
 */
export async function judgeNow(seat: Seat, reference?: string): Promise<Judged> {
  const state = await seat.loop.look();
  const subjects = choose(seat, state, reference);
  const since = commitsSinceMs(state, subjects);
  const [beats, record, read] = await Promise.all([
    readBeats(seat),
    gather(seat, state, subjects),
    since === undefined ? undefined : readCommits(seat, since),
  ]);
  // What was written while all this was read is no more in the future than what was before.
  const nowMs = Math.max(instantOf(seat, state), record.newestMs);
  const found = readMarks(record.entries);
  const views = subjects.map((subject) => {
    const commits = readCommitMarks(state, subject, { read, nowMs });
    const { progress_within_ms: withinMs } = state.contract.liveness;
    const { worker } = subject;
    const evidence: Evidence = {
      now_ms: nowMs,
      since_ms: beganAtMs(subject),
      standing: standingOf(subject),
      marks: [...ownMarks(subject, found.get(subject.key), withinMs), ...commits.marks],
      commits_known: commits.known,
      beat_at_ms: worker === null ? null : (beats.get(worker.id) ?? null),
      seen: worker === null || worker.process === null ? "unknown" : seat.host.look(worker.process),
      stale: worker?.stale ?? false,
    };
    const judgement = judge(evidence, state.contract);
    return viewOfJudgement(subject, { evidence, judgement, commits });
  });
  return { state, subjects, views };
}

/** The instant that things are judged at: as the clock shows it, never before what is on record. */
export function instantOf({ clock }: Pick<Seat, "clock">, { at_ms }: Pick<State, "at_ms">): number {
  return Math.max(at_ms, clock.read().wallMs);
}

function choose(seat: Seat, state: State, reference: string | undefined): readonly Subject[] {
  const atMs = instantOf(seat, state);
  if (reference === undefined) return listSubjects(state, atMs);
  const found =
    findSubject(state, resolveWorker(state, reference), atMs) ??
    findSubject(state, reference, atMs);
  if (found !== undefined) return [found];
  const message = `a live worker or a holder of a live lease must be named, none is "${reference}"`;
  throw new Refused({ code: "worker_unknown", message, facts: { worker: reference } });
}

/** When beats were last received; whoever is missing, and all when they are lost, is unknown. */
async function readBeats({ store }: Seat): Promise<ReadonlyMap<string, number>> {
  try {
    const { rows } = await store.pulse.read();
    return new Map(rows.map(({ worker, receivedAtMs }) => [worker, receivedAtMs]));
  } catch (error) {
    if (error instanceof Fault && error.code !== "closed") return new Map();
    throw error;
  }
}

/** What the journal says of holders, and its newest instant. */
interface Record {
  readonly entries: readonly Entry[];
  readonly newestMs: number;
}

async function gather(seat: Seat, state: State, subjects: readonly Subject[]): Promise<Record> {
  const { journal } = seat.store;
  const gathered = new Gathered(journal);
  const { progress_within_ms: withinMs } = state.contract.liveness;
  await gathered.addSince(instantOf(seat, state) - withinMs);
  const ids = subjects.flatMap(({ worker, leases }) => [
    ...(worker === null ? [] : [worker.id]),
    ...leases.map(({ id }) => id),
  ]);
  await gathered.addAbout(ids);
  await gathered.addGrants();
  const entries = gathered.inOrder();
  return { entries, newestMs: entries.at(-1)?.at_ms ?? 0 };
}

async function readCommits(seat: Seat, sinceMs: number): Promise<CommitsRead> {
  const stateDir = seat.store.address?.dir;
  return seat.readCommits({ sinceMs, ...(stateDir === undefined ? {} : { stateDir }) });
}
