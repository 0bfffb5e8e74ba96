import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State, Worker } from "../../kernel/state.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { GENESIS } from "../../ports/journal.ts";
import { isArchiveBroken, newestAbout } from "../readable.ts";
import type { Seat } from "../seat.ts";
import { hasEnded, untilWorker } from "./until.ts";
import {
  addToBiography,
  biographyOf,
  blankBiography,
  viewOf,
  viewOfEnded,
  type Biography,
  type WorkerView,
} from "./view.ts";

/** Entries about a worker that are asked for first: more than most ever have. */
const pageMax = 256;

/** Looks a worker up by its id, the dead included; undefined when the journal knows none. */
export async function findWorker(seat: Seat, id: string): Promise<WorkerView | undefined> {
  const worker = (await seat.loop.look()).workers.get(id);
  if (worker !== undefined && !hasEnded(worker)) return viewOf(worker);
  for (const limit of [pageMax, LIMITS.readEntriesMax]) {
    const entries = await seat.store.journal.about(id, limit);
    const life = blankBiography();
    for (const entry of entries.toReversed()) addToBiography(life, entry);
    const view = viewOfEnded(life);
    if (view !== undefined || entries.length < limit) return view;
  }
  // More was written about it than the index gives at once: its beginning is found by reading on.
  return (await readLives(seat, id)).map(viewOfEnded)[0];
}

/** The manifest among entries of an admission, or about a worker; undefined where it is not. */
export function manifestIn(entries: readonly Entry[]): Manifest | undefined {
  const admitted = entries.find(({ kind }) => kind === "worker.admitted");
  return admitted?.kind === "worker.admitted" ? admitted.data.manifest : undefined;
}

/**
 * Waits for the end of a worker and answers how it ended. Where its beginning is in a segment that
 * is missing, it is told by what was last seen of it here, `before` at the least, and what came
 * after that.
 *
 * Rejects with `Fault` `closed`, and `archive_broken` where that cannot be read either.
 */
export async function untilEnded(
  seat: Seat,
  id: string,
  before: State = seat.loop.state(),
): Promise<WorkerView | undefined> {
  let seen: Seen | undefined;
  const look = ({ workers, seq }: State): void => {
    const worker = workers.get(id);
    if (worker !== undefined && !hasEnded(worker)) seen = { worker, seq };
  };
  look(before);
  const unsubscribe = seat.loop.onEntry(() => look(seat.loop.state()));
  await untilWorker(seat, id, hasEnded).finally(unsubscribe);
  try {
    return await findWorker(seat, id);
  } catch (error) {
    const view = isArchiveBroken(error) && seen && (await viewSince(seat, seen));
    if (view) return view;
    throw error;
  }
}

/** A worker as it was when it lived, and the newest entry that was in it. */
interface Seen {
  readonly worker: Worker;
  readonly seq: number;
}

/** How a worker has ended, by what was seen of it; undefined where what came then is missing. */
async function viewSince(seat: Seat, { worker, seq }: Seen): Promise<WorkerView | undefined> {
  const { journal } = seat.store;
  const archivedSeq = (await journal.segments()).at(-1)?.last.seq ?? 0;
  const { entries, missing } = await newestAbout(journal, worker.id, pageMax);
  const isWhole = missing === null && entries.length < pageMax;
  const isSeen = entries.some((entry) => entry.seq <= seq);
  // The missing segment may also have come to be since, and hold what came after.
  if (!isWhole && !isSeen && (missing === null || archivedSeq > seq)) return undefined;
  const life = biographyOf(worker);
  for (const entry of entries.toReversed()) if (entry.seq > seq) addToBiography(life, entry);
  return viewOfEnded(life);
}

/** All workers of the fleet, the dead included, in the order of their admission. */
export async function listAll(seat: Seat): Promise<readonly WorkerView[]> {
  const lives = await readLives(seat);
  const { workers } = seat.loop.state();
  return lives.flatMap((life) => {
    const living = workers.get(life.admitted?.manifest.instance ?? "");
    if (living !== undefined && !hasEnded(living)) return [viewOf(living)];
    return viewOfEnded(life) ?? [];
  });
}

/** A worker, its parent, and so on up to its root; the dead included. */
export async function listLineage(seat: Seat, id: string): Promise<readonly WorkerView[]> {
  const line: WorkerView[] = [];
  for (let next: string | null = id; next !== null;) {
    const view: WorkerView | undefined = await findWorker(seat, next);
    if (view === undefined) return line;
    line.push(view);
    next = view.parent;
  }
  return line;
}

/** Reads the whole journal for the lives of all workers, or of one; its cost is the journal's. */
async function readLives(seat: Seat, only?: string): Promise<readonly Biography[]> {
  const lives = new Map<string, Biography>();
  let after: Parameters<typeof seat.store.journal.read>[0] = GENESIS;
  for (;;) {
    const entries = await seat.store.journal.read(after, LIMITS.readEntriesMax);
    const last = entries.at(-1);
    if (last === undefined) break;
    for (const entry of entries) addToLives(lives, entry, only);
    after = { seq: last.seq, hash: last.hash };
  }
  await seat.loop.look();
  return [...lives.values()];
}

function addToLives(lives: Map<string, Biography>, entry: Entry, only: string | undefined): void {
  const id = subjectOf(entry);
  if (id === null || (only !== undefined && id !== only)) return;
  const isBorn = entry.kind === "worker.admitted" || entry.kind === "worker.adopted";
  if (isBorn && !lives.has(id)) lives.set(id, blankBiography());
  const life = lives.get(id);
  if (life !== undefined) addToBiography(life, entry);
}
