import { RULES, type Entry } from "../kernel/entry.ts";
import { EVENT_KINDS, type EventKind } from "../kernel/event.ts";
import type { JsonObject } from "../kernel/json.ts";
import { Fault } from "../ports/fault.ts";
import type { StoredEntry } from "../ports/journal.ts";

/** Brings the data of an event as older rules wrote it into today's form. */
export interface Upcast {
  readonly kind: EventKind;
  /** The last version of the rules that wrote the older form. */
  readonly untilRules: number;
  readonly up: (data: JsonObject) => JsonObject;
}

/** What a build reads: entries of its own rules and older ones, brought up in this order. */
export interface Edition {
  readonly rules: number;
  readonly upcasts: readonly Upcast[];
}

/** This build. Upcasts are only ever added: every form that was released stays readable. */
const EDITION: Edition = { rules: RULES, upcasts: [] };

const KINDS: ReadonlySet<string> = new Set(EVENT_KINDS);

/** An entry's fields before they are known to be any. */
type Fields = { readonly [K in keyof Entry]?: unknown };

/**
 * Decodes a stored entry into today's form; its hash must have been verified.
 *
 * Throws `Fault` `journal_newer` on an unknown kind or newer rules, `journal_corrupt` on a text
 * that is no entry at all.
 */
export function decode(stored: StoredEntry, edition: Edition = EDITION): Entry {
  const fields = parse(stored);
  const { rules, kind } = fields;
  if (typeof rules !== "number" || typeof kind !== "string" || !hasForm(fields)) {
    const start = stored.text.slice(0, 40);
    throw new Fault("journal_corrupt", `a stored entry must have all its fields, got ${start}`);
  }
  if (rules > edition.rules || !KINDS.has(kind)) {
    throw new Fault(
      "journal_newer",
      `entry ${Number(fields.seq)} must be of a known kind and of rules ${edition.rules} or ` +
        `older, it is "${kind}" of rules ${rules}: use a newer Stint`,
    );
  }
  // The form was checked above; the data was written by the rules that the entry names.
  const entry = fields as { data: JsonObject; hash: string };
  entry.hash = stored.hash;
  if (rules < edition.rules) entry.data = bringUp(kind, rules, edition.upcasts)(entry.data);
  return entry as unknown as Entry;
}

function parse(stored: StoredEntry): Fields {
  try {
    const value: unknown = JSON.parse(stored.text);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Not JSON: the same fault as JSON that is no object.
  }
  const start = stored.text.slice(0, 40);
  throw new Fault("journal_corrupt", `a stored entry must be a JSON object, got ${start}`);
}

function hasForm(fields: Fields): boolean {
  return (
    Number.isSafeInteger(fields.seq) &&
    Number.isSafeInteger(fields.at_ms) &&
    typeof fields.id === "string" &&
    typeof fields.fleet === "string" &&
    typeof fields.prev === "string" &&
    typeof fields.actor === "object" &&
    typeof fields.data === "object" &&
    typeof fields.command === "object" &&
    fields.hash === undefined &&
    fields.data !== null &&
    fields.actor !== null
  );
}

function bringUp(
  kind: string,
  rules: number,
  upcasts: readonly Upcast[],
): (data: JsonObject) => JsonObject {
  const due = upcasts.filter((one) => one.kind === kind && rules <= one.untilRules);
  return (data) => due.reduce((older, one) => one.up(older), data);
}
