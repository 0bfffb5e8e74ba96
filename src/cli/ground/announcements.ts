import type { Call } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";

/** Who has said to be about to work on a lane. */
export interface Announcement {
  readonly holder: string;
  readonly note: string | null;
  readonly run_id: string | null;
  readonly at_ms: number;
  readonly seq: number;
}

/** How many announcements of a lane are shown: the newest. */
const announcementsMax = 3;

/** For how long an announcement is shown, ms; the journal has it for ever. */
const shownMs = 86_400_000;

/** The announcements of late, the newest first, by lane. */
export async function readAnnouncements(
  call: Call,
  lanes: readonly string[],
): Promise<ReadonlyMap<string, readonly Announcement[]>> {
  if (lanes.length === 0) return new Map();
  const oldestAtMs = Date.now() - shownMs;
  return withJournal(call, async (journal) => {
    const found = new Map<string, readonly Announcement[]>();
    for (const lane of lanes) {
      const entries = await journal.about(`lane:${lane}`, announcementsMax);
      const recent = entries.flatMap((entry): readonly Announcement[] => {
        if (entry.kind !== "lane.announced" || entry.at_ms < oldestAtMs) return [];
        const { holder, note = null, run_id = null } = entry.data;
        return [{ holder, note, run_id, at_ms: entry.at_ms, seq: entry.seq }];
      });
      found.set(lane, recent);
    }
    return found;
  });
}
