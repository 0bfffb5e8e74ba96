import { expectedOf, SUPERVISOR_NAME, type Roster } from "../../kernel/roster/roster.ts";
import type { RollStatus } from "../../kernel/roster/sighting.ts";
import type { BusHealth, InstanceRow, NameRow, RollDocument } from "../../ports/bus.ts";
import { nameStanding } from "./standing.ts";

/** An instance as it is seen, and what of it is not shown. */
export interface InstanceSight {
  readonly name: string;
  readonly row: InstanceRow;
  /** When it was first heard, ms; null where that is not known. */
  readonly firstMs: number | null;
}

/** What a roll is made of. */
export interface RollSight {
  readonly atMs: number;
  readonly bus: BusHealth;
  readonly watchingSinceMs: number | null;
  readonly roster: Roster;
  /** The supervisor itself; none where none runs. */
  readonly own: readonly InstanceSight[];
  readonly services: Iterable<InstanceSight>;
  /** Live workers. */
  readonly workers: Iterable<InstanceSight>;
  /** How often a name is to beat that nobody has heard, ms. */
  readonly everyMs: (name: string) => number;
}

/** Workers whose names nobody expects, as far as they are listed. */
const WORKERS_MAX = 1_000;

/** Makes the document. Whoever is expected has a row, heard or not; nobody else ever gets one. */
export function rollDocument(sight: RollSight): RollDocument {
  const { atMs, bus, watchingSinceMs, roster } = sight;
  const expected = new Map<string, InstanceSight[]>([[SUPERVISOR_NAME, [...sight.own]]]);
  for (const { name } of roster.expected) expected.set(name, []);
  const unexpected = new Map<string, InstanceSight[]>();
  for (const one of sight.services) into(expected.has(one.name) ? expected : unexpected, one);
  const workers = new Map<string, InstanceSight[]>();
  let listed = 0;
  let truncated = 0;
  for (const one of sight.workers) {
    if (one.name !== SUPERVISOR_NAME && expected.has(one.name)) into(expected, one);
    else if (listed < WORKERS_MAX) {
      listed += 1;
      into(workers, one);
    } else truncated += 1;
  }
  const rowsOf = (names: ReadonlyMap<string, readonly InstanceSight[]>): readonly NameRow[] =>
    [...names].map(([name, instances]) => nameRow(sight, name, instances));
  const sections = {
    expected: rowsOf(expected),
    unexpected: rowsOf(unexpected).toSorted(byName),
    workers: rowsOf(workers).toSorted(byName),
  };
  const counts: Record<RollStatus, number> = {
    ok: 0,
    stale: 0,
    unknown: 0,
    stopping: 0,
    stopped: 0,
  };
  for (const { status } of [...sections.expected, ...sections.unexpected]) counts[status] += 1;
  return {
    at_ms: atMs,
    bus,
    watching_since_ms: watchingSinceMs,
    sections,
    counts: { ...counts, truncated },
  };
}

function into(names: Map<string, InstanceSight[]>, one: InstanceSight): void {
  const before = names.get(one.name);
  if (before === undefined) names.set(one.name, [one]);
  else before.push(one);
}

function nameRow(sight: RollSight, name: string, given: readonly InstanceSight[]): NameRow {
  const { bus, roster } = sight;
  const declared = expectedOf(roster, name);
  const wanted = declared?.instances ?? 1;
  const standing = bus.up
    ? nameStanding(
        given.map(({ row, firstMs }) => ({
          instance: row.instance,
          status: row.status,
          sinceMs: row.since_ms,
          firstMs,
          everyMs: row.every_ms,
        })),
        wanted,
      )
    : { status: "unknown" as const, why: bus.why };
  const instances = given
    .map(({ row }) => (bus.up ? row : { ...row, status: "unknown" as const, why: bus.why }))
    .toSorted((one, other) => compare(one.instance, other.instance));
  const [first] = instances;
  const every_ms = declared?.every_ms ?? first?.every_ms ?? sight.everyMs(name);
  const isExpected = declared !== undefined || name === SUPERVISOR_NAME;
  return { name, ...standing, expected: isExpected, every_ms, wanted, instances };
}

function byName(one: NameRow, other: NameRow): number {
  return compare(one.name, other.name);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
