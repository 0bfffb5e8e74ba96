import { rollKey } from "../../kernel/roster/roll.ts";
import type { State } from "../../kernel/state.ts";
import type { InstanceSight } from "../../library/roll/document.ts";
import type { InstanceRow } from "../../ports/bus.ts";
import type { Heard } from "./heard.ts";
import type { Roll } from "./roll.ts";

/** For how many intervals progress may stand still before that is told, and for how long, ms. */
const STUCK_BEATS = 30;
const STUCK_MS = 60_000;

/** What of all instances together is shown, so that an answer stays below 16 MiB. */
const HISTORY_MAX = 20_000;
const EXTRA_BYTES_MAX = 4 * 2 ** 20;

/** The supervisor itself, as the roll hears it. */
export function ownSights(roll: Roll, state: State, atMs: number): readonly InstanceSight[] {
  if (roll.own === undefined) return [];
  return [...sightsOf([roll.own], { roll, state, atMs })].map((sight) => ({
    ...sight,
    row: { ...sight.row, kind: "supervisor", since_ms: roll.sinceMs },
  }));
}

/** The instances of services, or of the one that is named, as the roll has them now. */
export function serviceSights(
  roll: Roll,
  state: State,
  { atMs, name }: { readonly atMs: number; readonly name: string | undefined },
): Iterable<InstanceSight> {
  return sightsOf(roll.instances(name), { roll, state, atMs });
}

function* sightsOf(
  instances: Iterable<Heard>,
  so: { readonly roll: Roll; readonly state: State; readonly atMs: number },
): Generator<InstanceSight> {
  const { roll, state, atMs } = so;
  const nowMs = roll.nowMs();
  let historyLeft = HISTORY_MAX;
  let extraBytesLeft = EXTRA_BYTES_MAX;
  for (const heard of instances) {
    const row = state.roll.get(rollKey(heard));
    const everyMs = roll.intervals.of(state.roster, heard.name, heard.declaredMs);
    const judged = heard.judged(nowMs, everyMs);
    const status = judged?.status ?? row?.status ?? "unknown";
    const history = roll.history.of(heard.key, atMs).slice(0, historyLeft);
    historyLeft -= history.length;
    const { extra, ...about } = heard.about;
    extraBytesLeft -= extra === undefined ? 0 : JSON.stringify(extra).length;
    const shown = extra === undefined || extraBytesLeft < 0 ? about : { ...about, extra };
    const why = judged?.why ?? "on record; not heard since this supervisor began";
    yield {
      name: heard.name,
      firstMs: row?.first_ms ?? heard.receivedAtMs,
      row: {
        instance: heard.instance,
        kind: "service",
        status,
        why,
        // What is not on record yet is so in a second.
        since_ms: row?.status === status ? row.since_ms : atMs,
        last_heard_at_ms: heard.receivedAtMs,
        age_ms: ageOf(heard, { nowMs, atMs }),
        count: heard.count,
        every_ms: everyMs,
        ...progressOf(heard, { nowMs, everyMs }),
        ...(heard.skewMs === undefined ? {} : { skew_ms: heard.skewMs }),
        ...shown,
        history,
      },
    };
  }
}

/** How long ago it was heard: by the own clock where it was heard here, else by the wall's. */
function ageOf(heard: Heard, so: { readonly nowMs: number; readonly atMs: number }): number | null {
  if (heard.receivedAtMs === null) return null;
  const age = heard.isHeard ? so.nowMs - heard.silentSinceMs : so.atMs - heard.receivedAtMs;
  return Math.max(0, Math.floor(age));
}

function progressOf(
  heard: Heard,
  { nowMs, everyMs }: { readonly nowMs: number; readonly everyMs: number },
): Pick<InstanceRow, "progress" | "progress_age_ms" | "stuck"> {
  const { progress, progressSinceMs } = heard;
  if (progress === undefined) return {};
  const progress_age_ms = Math.max(0, Math.floor(nowMs - progressSinceMs));
  const isStuck =
    heard.isHeard &&
    heard.said === "up" &&
    progress_age_ms >= Math.max(STUCK_MS, STUCK_BEATS * everyMs);
  return { progress, progress_age_ms, ...(isStuck ? { stuck: true as const } : {}) };
}
