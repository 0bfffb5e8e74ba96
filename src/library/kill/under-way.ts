import type { Seat } from "../seat.ts";

/** How many kills each seat is carrying out. */
const counts = new WeakMap<Seat, number>();

/**
 * Takes note that a kill is carried out from a seat; returns how to say that it is over, which may
 * be said twice.
 */
export function beginKill(seat: Seat): () => void {
  counts.set(seat, countOf(seat) + 1);
  let isOver = false;
  return () => {
    if (!isOver) counts.set(seat, countOf(seat) - 1);
    isOver = true;
  };
}

/** Whether a kill is being carried out from a seat: then nobody else of it has to. */
export function isKilling(seat: Seat): boolean {
  return countOf(seat) > 0;
}

function countOf(seat: Seat): number {
  return counts.get(seat) ?? 0;
}
