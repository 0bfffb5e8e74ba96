import { isLive, type State } from "../../kernel/state.ts";
import { readable } from "../../library/readable.ts";
import { findRun } from "../../library/relay/run-id.ts";
import { ANNOUNCER } from "../../library/supervision/look.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Call } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";

/** Who has said to be about to work on a lane. */
export interface Announcement {
  readonly holder: string;
  readonly note: string | null;
  readonly run_id: string | null;
  /** The live worker that an announced start has come to; null where there is none yet. */
  readonly worker: string | null;
  readonly at_ms: number;
  readonly seq: number;
}

/** How many announcements of a lane are shown, of how many that are looked at: the newest. */
const announcementsMax = 3;
const lookedAtMax = 32;

/** For how long an announcement is shown, ms; the journal has it for ever. */
const shownMs = 86_400_000;

/**
 * The announcements of late, the newest first, by lane: of starts only those whose worker lives, or
 * may still come.
 */
export async function readAnnouncements(
  call: Call,
  state: State,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, readonly Announcement[]>> {
  if (lanes.length === 0) return new Map();
  const oldestAtMs = Date.now() - shownMs;
  return withJournal(call, async (journal) => {
    const found = new Map<string, readonly Announcement[]>();
    for (const lane of lanes) {
      const recent: Announcement[] = [];
      for (const entry of await journal.about(`lane:${lane}`, lookedAtMax)) {
        if (recent.length >= announcementsMax) break;
        if (entry.kind !== "lane.announced" || entry.at_ms < oldestAtMs) continue;
        const { holder, note = null, run_id = null } = entry.data;
        const told = { holder, note, run_id, worker: null, at_ms: entry.at_ms, seq: entry.seq };
        const started = holder === ANNOUNCER ? await withWorker(journal, state, told) : told;
        if (started !== undefined) recent.push(started);
      }
      found.set(lane, recent);
    }
    return found;
  });
}

/** A start with its worker; undefined where that has ended, or comes no more. */
async function withWorker(
  journal: Journal,
  { fleet, workers, contract }: State,
  start: Announcement,
): Promise<Announcement | undefined> {
  const { run_id: runId, at_ms: atMs } = start;
  if (runId === null || fleet === null) return start;
  const id = (await readable(findRun({ fleet, store: { journal } }, runId))) ?? null;
  if (id === null) return Date.now() - atMs < contract.register_within_ms ? start : undefined;
  const worker = workers.get(id);
  return worker !== undefined && isLive(worker) ? { ...start, worker: id } : undefined;
}
