// The rows of services in the pulse store: one supervisor hears them all and writes them together,
// some thousands in one transaction, so that a beat by itself costs no write.

import type { JsonObject } from "../kernel/json.ts";
import type { SaidByBeat } from "../kernel/roster/sighting.ts";
import type { InstancePulse } from "../ports/pulse.ts";
import type { SqliteDatabase } from "../system/sqlite-library.ts";

/** The table of instances. */
export const INSTANCE_SCHEMA = `
  CREATE TABLE IF NOT EXISTS pulse_instance (
    name TEXT NOT NULL,
    instance TEXT NOT NULL,
    count INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    every_ms INTEGER NOT NULL,
    said TEXT NOT NULL,
    progress INTEGER,
    about TEXT NOT NULL,
    PRIMARY KEY (name, instance)
  ) STRICT, WITHOUT ROWID;`;

const upsert = `INSERT OR REPLACE INTO pulse_instance VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

interface Row {
  readonly name: string;
  readonly instance: string;
  readonly count: number;
  readonly received_at_ms: number;
  readonly every_ms: number;
  readonly said: string;
  readonly progress: number | null;
  readonly about: string;
}

/** Writes rows, all or none. */
export function keepInstances(db: SqliteDatabase, rows: readonly InstancePulse[]): void {
  const statement = db.prepare(upsert);
  db.transaction(() => {
    for (const { name, instance, count, receivedAtMs, everyMs, said, progress, about } of rows)
      statement.run(
        name,
        instance,
        count,
        receivedAtMs,
        everyMs,
        said,
        progress ?? null,
        isEmpty(about) ? "{}" : JSON.stringify(about),
      );
  }).immediate();
}

/** Reads all rows; one that says nothing that can be understood is left out. */
export function listInstances(db: SqliteDatabase): readonly InstancePulse[] {
  const stored = db.prepare<[], Row>("SELECT * FROM pulse_instance").all();
  return stored.flatMap((row) => {
    const about = aboutOf(row.about);
    if (about === undefined || !isSaid(row.said)) return [];
    const { name, instance, count, said, progress } = row;
    const times = { receivedAtMs: row.received_at_ms, everyMs: row.every_ms };
    const read = { name, instance, count, ...times, said, about };
    return [progress === null ? read : { ...read, progress }];
  });
}

/** Drops rows, all or none. */
export function dropInstances(
  db: SqliteDatabase,
  instances: readonly { readonly name: string; readonly instance: string }[],
): void {
  const statement = db.prepare("DELETE FROM pulse_instance WHERE name = ? AND instance = ?");
  db.transaction(() => {
    for (const { name, instance } of instances) statement.run(name, instance);
  }).immediate();
}

function isEmpty(about: JsonObject): boolean {
  for (const _ in about) return false;
  return true;
}

function isSaid(text: string): text is SaidByBeat {
  return text === "up" || text === "stopping" || text === "stopped";
}

function aboutOf(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    // JSON that is an object is a JsonObject.
    return isObject ? (value as JsonObject) : undefined;
  } catch {
    // Only for display: what somebody wrote into the file ends nothing.
    return undefined;
  }
}
