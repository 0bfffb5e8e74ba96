import type { Seat } from "../seat.ts";

/** How many kills each seat is carrying out. */
const counts = new WeakMap<Seat, number>();

/** Takes note that a kill is carried out from a seat; returns how to say that it is over. */
export function beginKill(seat: Seat): () => void {
  counts.set(seat, countOf(seat) + 1);
  return () => void counts.set(seat, countOf(seat) - 1);
}

/** Whether a kill is being carried out from a seat: then nobody else of it has to. */
export function isKilling(seat: Seat): boolean {
  return countOf(seat) > 0;
}

function countOf(seat: Seat): number {
  return counts.get(seat) ?? 0;
}
