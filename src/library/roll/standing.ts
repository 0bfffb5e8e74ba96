import { rollStaleAfterMs, type RollStatus } from "../../kernel/roster/sighting.ts";

/** What of an instance matters to how its name stands. */
export interface Standing {
  readonly instance: string;
  readonly status: RollStatus;
  /** Since when it has that status, ms; null where that is not known. */
  readonly sinceMs: number | null;
  /** When it was first heard, ms; null where that is not known. */
  readonly firstMs: number | null;
  readonly everyMs: number;
}

/** How a name stands, and why in words. */
export interface NameStanding {
  readonly status: RollStatus;
  readonly why: string;
}

/**
 * How a name stands by its instances, of which `wanted` are to be ok.
 *
 * An instance that went silent weighs until another took its place: one that is ok and was first
 * heard after it was last heard itself, one for one. So one dead of two is seen though the other
 * is well, and a restart under another instance mends the name.
 */
export function nameStanding(instances: readonly Standing[], wanted: number): NameStanding {
  const heard = instances.filter(({ status }) => status !== "unknown");
  if (heard.length === 0) return { status: "unknown", why: "no instance was heard yet" };
  const ok = heard.filter(({ status }) => status === "ok");
  const missed = unreplaced(heard, ok);
  const [first] = missed;
  if (first !== undefined) {
    const more = missed.length > 1 ? ` and ${missed.length - 1} more` : "";
    const why = `${first.instance}${more} went silent, and nobody came in its place`;
    return { status: "stale", why };
  }
  const [count, sum] = [`${ok.length} of ${wanted}`, `must be ok`];
  if (ok.length >= wanted) return { status: "ok", why: `${ok.length} ok, ${wanted} ${sum}` };
  const isGone = heard.every(({ status }) => status === "stopped");
  if (isGone) return { status: "stopped", why: "every instance said that it has stopped" };
  const isGoing = heard.every(({ status }) => status === "stopped" || status === "stopping");
  if (isGoing) return { status: "stopping", why: "every instance is stopping or has stopped" };
  return { status: "stale", why: `${count} that ${sum}` };
}

/** The silent ones in whose place nobody came, in the order in which they went. */
function unreplaced(heard: readonly Standing[], ok: readonly Standing[]): readonly Standing[] {
  const silent = heard
    .filter(({ status }) => status === "stale")
    .toSorted((one, other) => lastHeardMs(one) - lastHeardMs(other));
  const fresh = ok.map(({ firstMs }) => firstMs ?? -Infinity).toSorted((one, other) => one - other);
  // Each newcomer stands for the earliest that it can: so as many as can be have a successor.
  let replacedCount = 0;
  for (const firstMs of fresh) {
    const next = silent[replacedCount];
    if (next !== undefined && firstMs > lastHeardMs(next)) replacedCount += 1;
  }
  return silent.slice(replacedCount);
}

/** When a silent one was heard last, at the latest, ms. */
function lastHeardMs({ sinceMs, everyMs }: Standing): number {
  return sinceMs === null ? Infinity : sinceMs - rollStaleAfterMs(everyMs);
}
