import { refuse, type Refusal } from "../refusal.ts";
import type { LeaseBook } from "../lease/book.ts";
import type { Lane } from "./lane.ts";
import { nearest } from "./nearest.ts";

/** How many lanes are named where none is like the one that was meant. */
const namedMax = 8;

/** Lanes by their names, or the refusal that says which name is none. */
export type Resolved =
  | { readonly ok: true; readonly lanes: readonly Lane[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** Finds lanes by names or aliases, each once; never another lane instead of an unknown one. */
export function resolveLanes(book: LeaseBook, names: readonly string[]): Resolved {
  const found = new Set<Lane>();
  for (const name of names) {
    const lane = book.lanes.get(name);
    if (lane === undefined) return { ok: false, refusal: unknown(book, name) };
    found.add(lane);
  }
  return { ok: true, lanes: [...found] };
}

function unknown(book: LeaseBook, name: string): Refusal {
  const like = nearest(name, [...book.lanes.keys()]);
  const hint = like === undefined ? "" : `; did you mean "${like}"?`;
  const there = like === undefined ? lanesThere(book) : "";
  return refuse("lane_unknown", `a lane must be enacted, none is "${name}"${hint}${there}`, {
    lane: name,
    ...(like === undefined ? {} : { nearest: like }),
  });
}

function lanesThere({ rules: { lanes } }: LeaseBook): string {
  if (lanes.length === 0) return "; no lanes are enacted";
  const named = lanes.slice(0, namedMax).map(({ name }) => `"${name}"`);
  const more = lanes.length - named.length;
  return `; there are ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
