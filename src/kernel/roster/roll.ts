import type { OrderedMap } from "../ordered-map.ts";
import type { InstanceName } from "./command.ts";
import type { JudgedStatus } from "./sighting.ts";

/** How one instance of a service stands, by the journal. */
export interface RollRow {
  readonly name: string;
  readonly instance: string;
  readonly status: JudgedStatus;
  /** Journal time of its newest change, ms. */
  readonly since_ms: number;
  /** Journal time of its first change, ms: since when it is known. */
  readonly first_ms: number;
  /** The interval that it was judged by at its newest change, ms. */
  readonly every_ms: number;
}

/** The key of a row; neither part can have a slash. */
export function rollKey({ name, instance }: InstanceName): string {
  return `${name}/${instance}`;
}

/** The rows of one name, in the order of their instances. */
export function rowsOf(roll: OrderedMap<RollRow>, name: string): readonly RollRow[] {
  const rows: RollRow[] = [];
  for (const [, row] of roll.entriesFrom(`${name}/`)) {
    if (row.name !== name) break;
    rows.push(row);
  }
  return rows;
}

/** Whether an instance still lives by its row: stale is silent, not known to have ended. */
export function isOnCall({ status }: RollRow): boolean {
  return status !== "stopped";
}

/** Whether a row may be forgotten: its instance has said goodbye, or is not heard any more. */
export function isForgettable({ status }: RollRow): boolean {
  return status === "stopped" || status === "stale";
}
