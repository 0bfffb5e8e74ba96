// Beats in a small database of their own, so that their writes never wait for the journal's lock
// nor make it wait for theirs.
//
// Nothing here is worth waiting for: a beat is one upsert, tried for `busyMs`, and lost after that.
// The file is a cache of what was heard. It may be deleted or replaced under a running fleet, and
// a broken one is set aside and begun anew: a new file is a new generation, and watchers begin
// their windows again.

import { renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ok } from "../kernel/assert.ts";
import type { Clock } from "../ports/clock.ts";
import { Fault } from "../ports/fault.ts";
import type { InstancePulse, PulseReading, PulseRow, ServicePulse } from "../ports/pulse.ts";
import type { Random } from "../ports/random.ts";
import { loadSqlite, type SqliteDatabase, type SqliteLibrary } from "../system/sqlite-library.ts";
import { asStorageFault, isBrokenDatabase } from "../system/storage-fault.ts";
import { isProgress, newGeneration } from "./generation.ts";
import { dropInstances, INSTANCE_SCHEMA, keepInstances, listInstances } from "./instances.ts";

/** Where a pulse store lies and what it reads instants and ids from. */
export interface SqlitePulseOptions {
  /** The database file, by custom `pulse.db` in the state folder; created when missing. */
  readonly file: string;
  readonly clock: Clock;
  readonly random: Random;
}

/** How long a beat may block this process for another's write, ms. */
const busyMs = 50;

/** How long opening may take while others create the file, ms. */
const openMs = 500;
const reopenPauseMs = 10;

const schema = `
  CREATE TABLE IF NOT EXISTS pulse_store (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS pulse_beat (
    worker TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    progress INTEGER
  ) STRICT, WITHOUT ROWID;${INSTANCE_SCHEMA}`;

const upsert = `
  INSERT INTO pulse_beat (worker, count, received_at_ms, progress) VALUES (?, 1, ?, ?)
  ON CONFLICT (worker) DO UPDATE SET count = count + 1,
    received_at_ms = excluded.received_at_ms,
    progress = coalesce(excluded.progress, progress)`;

/**
 * Opens a pulse store in a SQLite file, which several processes may share.
 *
 * A file that cannot be opened now is no fault here: a fleet must not wait for its beats. Each call
 * tries it again, and throws `Fault` `storage_busy` (retryable) when others hold it longer than a
 * beat is worth, `storage_full` or `storage_failed`. Over a broken file there is one such fault,
 * then a new file. Throws `Fault` `sqlite_unsupported` where SQLite does not load.
 */
export async function openSqlitePulse(options: SqlitePulseOptions): Promise<ServicePulse> {
  const store = new SqlitePulse(loadSqlite(), options);
  const deadline = performance.now() + openMs;
  while (store.tryOpen() === "again" && performance.now() < deadline) await sleep(reopenPauseMs);
  return store;
}

interface Row {
  readonly worker: string;
  readonly count: number;
  readonly received_at_ms: number;
  readonly progress: number | null;
}

/** A file as the file system knows it, whatever its name. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

class SqlitePulse implements ServicePulse {
  readonly #sqlite: SqliteLibrary;
  readonly #options: SqlitePulseOptions;
  #db: SqliteDatabase | undefined;
  #file: FileIdentity | undefined;
  #isClosed = false;

  constructor(sqlite: SqliteLibrary, options: SqlitePulseOptions) {
    this.#sqlite = sqlite;
    this.#options = options;
  }

  async beat(worker: string, progress?: number): Promise<void> {
    ok(isProgress(progress), "progress must be a safe integer from 0 on");
    const atMs = this.#options.clock.read().wallMs;
    this.#using("counting a beat", (db) => {
      db.prepare(upsert).run(worker, atMs, progress ?? null);
    });
  }

  async read(): Promise<PulseReading> {
    return this.#using("reading beats", (db) => db.transaction(() => readAll(db)).deferred());
  }

  async forget(worker: string): Promise<void> {
    this.#using("forgetting a worker's beats", (db) => {
      db.prepare("DELETE FROM pulse_beat WHERE worker = ?").run(worker);
    });
  }

  async keepInstances(rows: readonly InstancePulse[]): Promise<void> {
    this.#using("keeping beats of services", (db) => keepInstances(db, rows));
  }

  async readInstances(): Promise<readonly InstancePulse[]> {
    return this.#using("reading beats of services", listInstances);
  }

  async forgetInstances(instances: Parameters<ServicePulse["forgetInstances"]>[0]): Promise<void> {
    this.#using("forgetting beats of services", (db) => dropInstances(db, instances));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#release();
  }

  /** Opens the file if it can be; `again` when another try may soon find it good. */
  tryOpen(): "open" | "again" | "later" {
    try {
      this.#open();
      return "open";
    } catch (error) {
      // Kept from nobody: whoever uses the store meets the same fault, as long as it lasts.
      if (!(error instanceof Fault)) throw error;
      return error.retryable ? "again" : "later";
    }
  }

  #using<T>(doing: string, act: (db: SqliteDatabase) => T): T {
    if (this.#isClosed) throw new Fault("closed", "the pulse store must be open, it was closed");
    const db = this.#open();
    try {
      return act(db);
    } catch (error) {
      throw this.#fail(error, doing);
    }
  }

  /** The open database; another one if the file by this name is not the one that was opened. */
  #open(): SqliteDatabase {
    const { file, random } = this.#options;
    const before = identityOf(file);
    if (this.#db !== undefined && isSameFile(this.#file, before)) return this.#db;
    this.#release();
    this.#file = before;
    try {
      statSync(dirname(file));
      const db = new this.#sqlite(file, { timeout: busyMs });
      this.#db = db;
      prepareStore(db, newGeneration(random));
      // If it was replaced while it was opened, the next call finds it unlike what is noted here.
      this.#file = before ?? identityOf(file);
      return db;
    } catch (error) {
      throw this.#fail(error, `opening ${file}`);
    }
  }

  /**
   * The fault for an error. The next call opens the file anew, which mends one that was emptied;
   * a broken one is set aside first.
   */
  #fail(error: unknown, doing: string): unknown {
    const broken = this.#file;
    this.#release();
    if (!isBrokenDatabase(error)) return asStorageFault(error, doing);
    const { file } = this.#options;
    setAside(file, broken);
    const message = `${file} must be a whole database while ${doing}; it was set aside`;
    return new Fault("storage_failed", message, { retryable: true, cause: error });
  }

  #release(): void {
    this.#file = undefined;
    this.#db?.close();
    this.#db = undefined;
  }
}

function prepareStore(db: SqliteDatabase, generation: string): void {
  db.pragma("journal_mode = WAL");
  // Commits are not synced; a power cut loses the newest beats and damages nothing.
  db.pragma("synchronous = NORMAL");
  if (isWhole(db)) return;
  db.transaction(() => {
    // Again, under the lock: of several processes one makes the store.
    if (isWhole(db)) return;
    const hadBeats = hasTables(db, ["pulse_store", "pulse_beat"]) && isBegun(db);
    db.exec(schema);
    // A store from before there were services goes on as it is.
    if (hadBeats) return;
    db.prepare("DELETE FROM pulse_beat").run();
    db.prepare("DELETE FROM pulse_instance").run();
    db.prepare("INSERT OR REPLACE INTO pulse_store VALUES (1, ?)").run(generation);
  }).immediate();
}

/** Whether all tables are there and a generation is; reading the schema finds a broken file. */
function isWhole(db: SqliteDatabase): boolean {
  return hasTables(db, ["pulse_store", "pulse_beat", "pulse_instance"]) && isBegun(db);
}

function hasTables(db: SqliteDatabase, names: readonly string[]): boolean {
  const known = "SELECT count(*) FROM sqlite_schema WHERE name IN (SELECT value FROM json_each(?))";
  const tableCount = db.prepare<[string], number>(known).pluck().get(JSON.stringify(names));
  return tableCount === names.length;
}

function isBegun(db: SqliteDatabase): boolean {
  return readGeneration(db) !== undefined;
}

function readAll(db: SqliteDatabase): PulseReading {
  const stored = db.prepare<[], Row>("SELECT * FROM pulse_beat").all();
  const rows: PulseRow[] = stored.map((row) => ({
    worker: row.worker,
    count: row.count,
    receivedAtMs: row.received_at_ms,
    ...(row.progress === null ? {} : { progress: row.progress }),
  }));
  const generation = readGeneration(db);
  if (generation === undefined) {
    const message = "a pulse store must have a generation, somebody deleted it";
    throw new Fault("storage_failed", message, { retryable: true });
  }
  return { generation, rows };
}

function readGeneration(db: SqliteDatabase): string | undefined {
  return db.prepare<[], string>("SELECT generation FROM pulse_store").pluck().get();
}

/**
 * Renames a broken database out of the way, if it is still the one that was found broken.
 * The one set aside before it is overwritten, so they never pile up.
 */
function setAside(file: string, broken: FileIdentity | undefined): void {
  if (!isSameFile(broken, identityOf(file))) return;
  try {
    renameSync(file, `${file}.broken`);
    for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
  } catch (error) {
    throw asStorageFault(error, `setting aside ${file}`);
  }
}

function identityOf(file: string): FileIdentity | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

function isSameFile(one: FileIdentity | undefined, other: FileIdentity | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.ino === other.ino && one.dev === other.dev;
}
