const units = [
  { name: "d", ms: 86_400_000 },
  { name: "h", ms: 3_600_000 },
  { name: "m", ms: 60_000 },
  { name: "s", ms: 1_000 },
] as const;

/**
 * Writes a duration for people in at most two units, rounded down: `3d 4h`, `2m 5s`, `12s`,
 * `850ms`. Parts of a millisecond are dropped; a negative one is written with its sign.
 */
export function durationText(durationMs: number): string {
  if (durationMs < 0) return `-${durationText(-durationMs)}`;
  const first = units.findIndex(({ ms }) => durationMs >= ms);
  const unit = units[first];
  if (unit === undefined) return `${Math.floor(durationMs)}ms`;
  const count = Math.floor(durationMs / unit.ms);
  const next = units[first + 1];
  if (next === undefined) return `${count}${unit.name}`;
  const rest = Math.floor((durationMs % unit.ms) / next.ms);
  return rest === 0 ? `${count}${unit.name}` : `${count}${unit.name} ${rest}${next.name}`;
}

/** How long ago an instant was: `12s ago`, `just now` within a second, `in 5m` if it is to come. */
export function agoText(atMs: number, nowMs: number): string {
  const agoMs = nowMs - atMs;
  if (Math.abs(agoMs) < 1_000) return "just now";
  return agoMs > 0 ? `${durationText(agoMs)} ago` : `in ${durationText(-agoMs)}`;
}

/** The most that a Date can hold, ms since 1970. */
const instantMsMax = 8.64e15;

/** Writes an instant in UTC to the second: `2026-05-04 03:02:01Z`; as a number beyond all dates. */
export function instantText(atMs: number): string {
  if (!(Math.abs(atMs) <= instantMsMax)) return `${atMs} ms`;
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
