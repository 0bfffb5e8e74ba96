// Who held what and when, by the lines of an exported journal, without any other code of Stint: it
// knows no patterns, no rules and no state, and so can contradict them.

/** What a journal shows of leases. */
export interface Holdings {
  readonly entryCount: number;
  readonly grantCount: number;
  /** The things that were ever held: files, branches. */
  readonly things: readonly string[];
  /** Things that two leases had after one entry, with both. */
  readonly clashes: readonly string[];
  /** Patterns that are more than the name of one thing: what they clash with is not known here. */
  readonly unread: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

interface Held {
  readonly things: readonly string[];
  readonly untilMs: number;
}

/** How entries that end a lease are called. */
const ENDS: readonly unknown[] = ["lease.released", "lease.revoked", "lease.lapsed"];

/** A pattern that names just one thing. */
const NAME = /^[^*?[\]{}!\\]+$/;

/** Goes through a journal entry by entry, and looks after each whether anything is held twice. */
export function readHoldings(lines: readonly string[]): Holdings {
  const entries = lines.map((line) => fieldsIn(fieldsIn(JSON.parse(line))["entry"]));
  const held = new Map<string, Held>();
  const clashes: string[] = [];
  for (const entry of entries) {
    follow(held, entry);
    if (entry["kind"] === "lease.granted") clashes.push(...heldTwice(held));
  }
  const grants = entries.filter(({ kind }) => kind === "lease.granted");
  const things = new Set(grants.flatMap(({ data }) => textsIn(fieldsIn(data)["region"])));
  return {
    entryCount: entries.length,
    grantCount: grants.length,
    things: [...things],
    clashes,
    unread: [...things].filter((thing) => !NAME.test(thing)),
  };
}

/** Has what is held follow one entry; what its time has ended is held no more. */
function follow(held: Map<string, Held>, { kind, seq, at_ms, data: given }: Fields): void {
  for (const [id, { untilMs }] of held) if (untilMs <= Number(at_ms)) held.delete(id);
  const data = fieldsIn(given);
  const untilMs = Number(data["expires_at_ms"]);
  const id = kind === "lease.granted" ? `l-${String(seq)}` : String(data["lease"]);
  if (ENDS.includes(kind)) held.delete(id);
  if (kind === "lease.granted") held.set(id, { things: textsIn(data["region"]), untilMs });
  const before = held.get(id);
  if (kind === "lease.renewed" && before !== undefined) held.set(id, { ...before, untilMs });
}

function heldTwice(held: ReadonlyMap<string, Held>): readonly string[] {
  const holders = new Map<string, string>();
  const found: string[] = [];
  for (const [id, { things }] of held)
    for (const thing of things) {
      const other = holders.get(thing);
      if (other !== undefined) found.push(`${thing} by ${other} and ${id}`);
      holders.set(thing, id);
    }
  return found;
}

function fieldsIn(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
