import type { AccessToken } from "../kernel/access/token.ts";
import type { GroundRules } from "../kernel/lane/lane.ts";
import { bookOf, putMount } from "../kernel/lease/book.ts";
import type { Lease } from "../kernel/lease/lease.ts";
import type { Mount } from "../kernel/mount/mount.ts";
import { OrderedMap } from "../kernel/ordered-map.ts";
import type { Place } from "../kernel/queue/place.ts";
import { putPlace } from "../kernel/queue/queue.ts";
import { rollKey, type RollRow } from "../kernel/roster/roll.ts";
import type { RefusalWindow, State, Worker } from "../kernel/state.ts";
import { canonicalText } from "./canonical.ts";
import type { Timers } from "./timers.ts";

/** The version of this form of a state; another is not read. */
const FORM = 8;

/** How many members of a map are written between two turns of the event loop. */
const membersPerTurn = 512;

/** The maps of a state. */
type ListField =
  | "workers"
  | "children"
  | "deadlines"
  | "refusals"
  | "leases"
  | "mounts"
  | "places"
  | "roll"
  | "access";

/** A state as JSON: maps as lists in key order, a worker under its own id. */
interface StateJson extends Omit<State, ListField | "book"> {
  readonly form: typeof FORM;
  readonly workers: readonly Worker[];
  readonly children: readonly string[];
  readonly deadlines: readonly string[];
  readonly refusals: readonly (readonly [string, RefusalWindow])[];
  readonly leases: readonly Lease[];
  readonly mounts: readonly Mount[];
  readonly places: readonly Place[];
  readonly roll: readonly RollRow[];
  readonly access: readonly AccessToken[];
  readonly stirred_seq: number;
  readonly folds_case: boolean;
  readonly ground_rules: GroundRules;
}

/** Writes a state as canonical JSON (RFC 8785): equal states give equal bytes. */
export function encodeState(state: State): string {
  return [...pieces(state)].join("");
}

/** Writes the same as {@link encodeState}, letting others run every now and then. */
export async function encodeStateInTurns(state: State, timers: Timers): Promise<string> {
  const texts: string[] = [];
  for (const piece of pieces(state)) {
    texts.push(piece);
    if (texts.length % membersPerTurn === 0) await timers.turn();
  }
  return texts.join("");
}

/**
 * Reads a state back; undefined when the text is not of this form. What is of this form is trusted
 * whole, so its hash must have been verified.
 */
export function decodeState(text: string): State | undefined {
  const json = parse(text);
  if (json === undefined) return undefined;
  const { form: _, children, deadlines, refusals, workers, ...others } = json;
  const { leases, mounts, places, roll, access, ...fields } = others;
  const { stirred_seq, folds_case, ground_rules, ...plain } = fields;
  const book = mounts.reduce(putMount, bookOf(folds_case, ground_rules, leases));
  return {
    ...plain,
    book: { ...book, queue: places.reduce(putPlace, { ...book.queue, stirred_seq }) },
    workers: OrderedMap.fromEntries(workers.map((worker) => [worker.id, worker])),
    children: OrderedMap.fromEntries(children.map((key) => [key, true])),
    deadlines: OrderedMap.fromEntries(deadlines.map((key) => [key, true])),
    refusals: OrderedMap.fromEntries(refusals),
    roll: OrderedMap.fromEntries(roll.map((row) => [rollKey(row), row])),
    access: OrderedMap.fromEntries(access.map((token) => [token.token, token])),
  };
}

function parse(text: string): StateJson | undefined {
  try {
    const json: unknown = JSON.parse(text);
    const isOfForm =
      typeof json === "object" && json !== null && "form" in json && json.form === FORM;
    // Written by `pieces`: the form and the verified hash say so.
    return isOfForm ? (json as StateJson) : undefined;
  } catch {
    // Not JSON, so no state.
    return undefined;
  }
}

/** The canonical text in pieces, each of them small: fields in the order of their names. */
function* pieces(state: State): Generator<string, void, undefined> {
  const { workers, children, deadlines, refusals, book, roll, access, ...plain } = state;
  const lists: Readonly<Record<ListField, Iterable<unknown>>> = {
    workers: workers.values(),
    children: children.keys(),
    deadlines: deadlines.keys(),
    refusals,
    leases: book.leases.values(),
    mounts: book.mounts.values(),
    places: book.queue.places.values(),
    roll: roll.values(),
    access: access.values(),
  };
  const { foldsCase: folds_case, rules: ground_rules } = book;
  const fields: Readonly<Record<string, unknown>> = {
    ...plain,
    form: FORM,
    folds_case,
    ground_rules,
    stirred_seq: book.queue.stirred_seq,
  };
  let before = "{";
  for (const name of [...Object.keys(fields), ...Object.keys(lists)].toSorted()) {
    yield `${before}"${name}":`;
    if (Object.hasOwn(lists, name)) yield* list(lists[name as ListField]);
    else yield canonicalText(fields[name]);
    before = ",";
  }
  yield "}";
}

function* list(items: Iterable<unknown>): Generator<string, void, undefined> {
  let before = "[";
  for (const item of items) {
    yield before + canonicalText(item);
    before = ",";
  }
  yield before === "[" ? "[]" : "]";
}
