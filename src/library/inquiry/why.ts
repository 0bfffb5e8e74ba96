import type { Journal } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { namesIn, type Named } from "../explain/words.ts";
import { demandOptions } from "../given-options.ts";
import { findMeant, groundOf, lookNow, type CheckSeat } from "../lease/checking.ts";
import type { Camel } from "../names.ts";
import { historyOf, type PathHistory } from "./path-history.ts";
import { standingOf, type StandingDocument } from "./standing.ts";

/** Who may write a path now, and what happened on it, as a document. */
export interface WhyDocument extends StandingDocument, PathHistory {
  /** As it was given. */
  readonly path: string;
  /** The newest entry, and the journal time, that it is true at. */
  readonly seq: number;
  readonly at_ms: number;
}

/** Who may write a path now, and what happened on it: a deep-frozen copy. */
export type PathInquiry = Camel<WhyDocument>;

/** How a program asks about a path. */
export interface WhyOptions {
  /** How many refusals and how many events, the newest of each; default 10. */
  readonly count?: number;
  /** Only what happened from this entry on; default: all there is. */
  readonly sinceSeq?: number;
  /** Where paths begin that are not absolute; default the current folder. */
  readonly cwd?: string;
  /**
   * The folder whose files the fleet is about, for a fleet that is kept neither in a repository nor
   * in a folder's `.stint`.
   */
  readonly root?: string;
}

/** What is asked about a path, whole. */
export interface WhyOrder {
  readonly path: string;
  readonly cwd: string;
  readonly root: string | undefined;
  readonly countMax: number;
  readonly sinceSeq: number;
  readonly onProgress?: ((seq: number) => void) | undefined;
}

/** What a path is asked about with. */
export interface WhySeat extends CheckSeat {
  readonly store: CheckSeat["store"] & { readonly journal: Journal };
}

/** How many refusals, and how many events, are told where nothing is said about it. */
export const WHY_COUNT = 10;

/**
 * Says who may write a path now, by the state, and what happened on it, by the journal from its end
 * back as far as it takes and a missing segment lets it. The path is resolved as a check resolves
 * it. Nothing is written.
 *
 * Throws an InputError where nobody says which files the fleet is about, and `Fault`s.
 */
export async function whyPath(seat: WhySeat, order: WhyOrder): Promise<WhyDocument> {
  const { path, cwd, root, countMax, sinceSeq, onProgress } = order;
  const file = findMeant(groundOf(seat, cwd, root === undefined ? {} : { root }), path);
  const { state, atMs } = await lookNow(seat);
  const standing = standingOf(state, { file, atMs });
  const named: Named = namesIn(state);
  const { timers, store } = seat;
  const history: PathHistory =
    file === null
      ? { refusals: [], events: [], searched_from_seq: state.seq + 1, missing: null }
      : await historyOf(
          { journal: store.journal, state, file, named },
          { countMax, sinceSeq, onProgress, turn: () => timers.turn() },
        );
  return { path, seq: state.seq, at_ms: atMs, ...standing, ...history };
}

/** Reads what a program asks. Throws an InputError. */
export function readWhy(path: unknown, options: unknown = {}): WhyOrder {
  demandOptions(options, ["count", "sinceSeq", "cwd", "root"]);
  const { count, sinceSeq, cwd, root } = options as WhyOptions;
  return {
    path: demandPath(path, "path"),
    cwd: cwd === undefined ? process.cwd() : demandPath(cwd, "options.cwd"),
    root: root === undefined ? undefined : demandPath(root, "options.root"),
    countMax: demandInteger(count ?? WHY_COUNT, "options.count", 0),
    sinceSeq: demandInteger(sinceSeq ?? 1, "options.sinceSeq", 1),
  };
}

function demandPath(value: unknown, path: string): string {
  if (typeof value === "string" && value !== "" && !value.includes("\0")) return value;
  throw wrong(path, "a path, of at least one character and without NUL", value);
}

function demandInteger(value: unknown, path: string, min: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= min) return Number(value);
  throw wrong(path, `an integer from ${min} on`, value);
}

function wrong(path: string, expected: string, got: unknown): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
