// The journal as it lies on the disk, read and folded by code that shares nothing with the rules.
import { join } from "node:path";
import Database from "better-sqlite3";
import { has, pathsIn } from "./small-ground.ts";

/** An entry as it is stored, as far as it is looked at here. */
export interface StoredEntry {
  readonly seq: number;
  readonly at_ms: number;
  readonly kind: string;
  /** The same for all entries of one decision; the command stands on the first. */
  readonly id: string;
  readonly command: { readonly data: { readonly region?: readonly string[] } } | null;
  readonly data: StoredData;
}

/** What is in the data of the kinds that are looked at. */
interface StoredData {
  readonly mode: SeenLease["mode"];
  readonly region: readonly string[];
  readonly lane?: string;
  readonly alone?: true;
  readonly holder: { readonly name: string };
  readonly expires_at_ms: number;
  /** Whose end or change it is. */
  readonly lease: string;
  readonly lanes: readonly { readonly name: string; readonly slots?: number }[];
  readonly code: string;
  readonly facts: {
    readonly lease_id: string;
    readonly witness: string;
    readonly alone?: boolean;
  };
}

/** A lease as far as the outside has to know it. */
export interface SeenLease {
  readonly id: string;
  readonly fence: number;
  readonly mode: "exclusive" | "shared" | "slot";
  readonly patterns: readonly string[];
  readonly paths: readonly string[];
  readonly lane: string | undefined;
  readonly isAlone: boolean;
  readonly holder: string;
  readonly endsAtMs: number;
}

/** Reads all entries of a state folder's journal. */
export function readEntries(stateDir: string): readonly StoredEntry[] {
  const db = new Database(join(stateDir, "journal.db"), { readonly: true });
  try {
    const rows = db.prepare<[], string>("SELECT text FROM entry_rows ORDER BY seq").pluck().all();
    return rows.map((text) => JSON.parse(text) as StoredEntry);
  } finally {
    db.close();
  }
}

/** Walks through a journal, entry by entry; answers what is wrong in any prefix of it. */
export function auditLeases(entries: readonly StoredEntry[]): Audit {
  const audit = new Audit();
  for (const entry of entries) audit.take(entry);
  return audit;
}

/** What a walk through a journal has seen. */
export class Audit {
  /** What is wrong, in words. */
  readonly wrongs: string[] = [];
  /** Every lease that was ever granted, by its id, as it was last. */
  readonly leases = new Map<string, SeenLease>();
  /** Leases that have ended by an entry, and by which kind. */
  readonly ended = new Map<string, string>();
  /** How often each kind was written, and each code refused with. */
  readonly counts: Record<string, number> = {};
  #slots = new Map<string, number>();
  #lastFence = 0;
  #decided: Pick<StoredEntry, "id" | "command"> | undefined;

  /** Takes one more entry, and looks at all that is live then. */
  take(entry: StoredEntry): void {
    const { kind, data, at_ms: atMs } = entry;
    this.#count(kind);
    if (this.#decided?.id !== entry.id) this.#decided = entry;
    if (kind === "command.refused") this.#takeRefusal(entry);
    if (kind === "lanes.enacted")
      this.#slots = new Map(
        data.lanes.flatMap((lane) =>
          lane.slots === undefined ? [] : [[lane.name, lane.slots] as const],
        ),
      );
    if (kind === "lease.granted") this.#takeGrant(entry);
    if (kind === "lease.renewed") {
      this.#mustBeLive(entry);
      this.#change(data.lease, { endsAtMs: data.expires_at_ms });
    }
    if (kind === "lease.lapsed" && this.#endOf(data.lease) > atMs)
      this.#wrong(entry, `${data.lease} lapses before its end`);
    if (kind === "lease.released") this.#mustBeLive(entry);
    if (["lease.released", "lease.revoked", "lease.lapsed"].includes(kind))
      this.ended.set(data.lease, kind);
    this.#lookAround(entry);
  }

  /** The leases that give a right at an instant. */
  liveAt(atMs: number): readonly SeenLease[] {
    return [...this.leases.values()].filter(
      ({ id, endsAtMs }) => atMs < endsAtMs && !this.ended.has(id),
    );
  }

  #takeGrant(entry: StoredEntry): void {
    const { data, seq } = entry;
    if (seq <= this.#lastFence) this.#wrong(entry, "its fence is not above all before it");
    this.#lastFence = seq;
    const id = `l-${seq}`;
    this.leases.set(id, {
      id,
      fence: seq,
      mode: data.mode,
      patterns: data.region,
      paths: pathsIn(data.region),
      lane: data.lane,
      isAlone: data.alone === true,
      holder: data.holder.name,
      endsAtMs: data.expires_at_ms,
    });
  }

  /** A conflict that is told is one: both have the witness, and the other lease is live. */
  #takeRefusal(entry: StoredEntry): void {
    const { code, facts } = entry.data;
    this.#count(`refused ${code}`);
    if (code !== "conflict") return;
    const other = this.leases.get(facts.lease_id);
    if (other === undefined || !this.liveAt(entry.at_ms).includes(other))
      this.#wrong(entry, `${facts.lease_id} is in the way and is not live`);
    else if (facts.alone !== true && !has(other.patterns, facts.witness))
      this.#wrong(entry, `${facts.witness} is no path of ${facts.lease_id}`);
    const asked = this.#decided?.command?.data.region;
    if (asked !== undefined && facts.alone !== true && !has(asked, facts.witness))
      this.#wrong(entry, `${facts.witness} was not asked for`);
  }

  #lookAround(entry: StoredEntry): void {
    const live = this.liveAt(entry.at_ms);
    for (const [index, one] of live.entries())
      for (const other of live.slice(index + 1))
        if (areInTheWay(one, other))
          this.#wrong(entry, `${one.id} and ${other.id} are live at once`);
    for (const [lane, slots] of this.#slots)
      if (live.filter((lease) => lease.mode === "slot" && lease.lane === lane).length > slots)
        this.#wrong(entry, `lane ${lane} has more than ${slots} slots taken`);
  }

  #mustBeLive(entry: StoredEntry): void {
    const { lease } = entry.data;
    if (!this.liveAt(entry.at_ms).some(({ id }) => id === lease))
      this.#wrong(entry, `${lease} is not live`);
  }

  #endOf(id: string): number {
    return this.leases.get(id)?.endsAtMs ?? Number.POSITIVE_INFINITY;
  }

  #change(id: string, fields: Partial<SeenLease>): void {
    const lease = this.leases.get(id);
    if (lease !== undefined) this.leases.set(id, { ...lease, ...fields });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #wrong({ seq, kind }: StoredEntry, what: string): void {
    this.wrongs.push(`entry ${seq} (${kind}): ${what}`);
  }
}

function areInTheWay(one: SeenLease, other: SeenLease): boolean {
  if (one.isAlone || other.isAlone) return true;
  if (one.mode === "shared" && other.mode === "shared") return false;
  if (one.mode === "slot" && other.mode === "slot" && one.lane === other.lane) return false;
  return one.paths.some((path) => other.paths.includes(path));
}
