import { Fault } from "../../ports/fault.ts";
import type { SqliteDatabase } from "../../system/sqlite-library.ts";
import { encodeAnchor } from "./anchor.ts";

/** The version of the tables below, kept as `user_version`. */
const SCHEMA = 2;

/** Marks a database as a journal of Stint: "Stnt", kept as `application_id`. */
const APPLICATION = 0x53746e74;

const COLUMNS = `(
  seq INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  hash TEXT NOT NULL,
  command_id TEXT,
  subject TEXT
) STRICT`;

/**
 * The entries, and their indices, in a table of a name as SQLite writes that.
 *
 * `command_id` stands on the first entry of a decision only. `text` is the entry's, or says where
 * in the archive that stands.
 */
function entriesIn(table: string): readonly string[] {
  return [
    `CREATE TABLE ${table} ${COLUMNS}`,
    `CREATE UNIQUE INDEX entries_command ON ${table} (command_id) WHERE command_id IS NOT NULL`,
    `CREATE INDEX entries_subject ON ${table} (subject) WHERE subject IS NOT NULL`,
  ];
}

/** `clock` holds what journal time is tied to; it changes once a boot. */
const BESIDE = [
  `CREATE TABLE clock (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  text TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT`,
  `CREATE TABLE snapshots (
  seq INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  rules INTEGER NOT NULL,
  state TEXT NOT NULL,
  state_hash TEXT NOT NULL
) STRICT`,
] as const;

/** The archive: what each segment is, with a hash over that, and up to where rows were moved. */
const SEGMENTS = `CREATE TABLE segments (
  first_seq INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  hash TEXT NOT NULL,
  moved_seq INTEGER NOT NULL
) STRICT`;

/** The tables of version 1, which had no archive. */
const FIRST_STATEMENTS: readonly string[] = [...entriesIn("entries"), ...BESIDE];

/**
 * The tables, by the exact text that SQLite keeps of them, which is what a rename leaves: a
 * database whose text differs is broken.
 */
const STATEMENTS: readonly string[] = [...entriesIn('"entry_rows"'), ...BESIDE, SEGMENTS];

/**
 * Makes sure that a database is a journal of this version, creating the tables in an empty one.
 *
 * `isKnown` says that a head is remembered outside: then an empty database has lost its entries.
 * A journal of an older version is brought to this one, in one transaction. Throws `Fault`
 * `journal_newer`, `journal_corrupt`, `journal_truncated`.
 */
export function ensureSchema(db: SqliteDatabase, options: { readonly isKnown: boolean }): void {
  if (!isBlank(db)) {
    // Before anything is written: it may be somebody else's database.
    if (isOfFirstForm(db)) db.transaction(migrate).immediate(db);
    mustBeOurs(db);
    useWriteAheadLog(db);
    return;
  }
  if (options.isKnown) {
    const message = "the journal must hold the entries its head file names, its database is empty";
    throw new Fault("journal_truncated", message);
  }
  useWriteAheadLog(db);
  db.transaction(create).immediate(db);
  // The tables must not live in the write-ahead log alone, where one broken byte ends them.
  db.pragma("wal_checkpoint(TRUNCATE)");
  mustBeOurs(db);
}

function useWriteAheadLog(db: SqliteDatabase): void {
  const mode = db.pragma("journal_mode = WAL", { simple: true });
  if (mode === "wal") return;
  throw new Fault(
    "storage_failed",
    `the journal must keep a write-ahead log, it is in ${String(mode)} mode`,
  );
}

function isBlank(db: SqliteDatabase): boolean {
  return versionOf(db) === 0 && applicationOf(db) === 0 && readStatements(db).length === 0;
}

function create(db: SqliteDatabase): void {
  // Another process may have been first.
  if (!isBlank(db)) return;
  for (const statement of STATEMENTS) db.exec(statement);
  const { text, hash } = encodeAnchor(null);
  db.prepare("INSERT INTO clock VALUES (1, ?, ?)").run(text, hash);
  db.pragma(`application_id = ${APPLICATION}`);
  db.pragma(`user_version = ${SCHEMA}`);
}

/** Whether it is a whole journal of version 1, which had no archive. */
function isOfFirstForm(db: SqliteDatabase): boolean {
  const found = readStatements(db);
  return (
    versionOf(db) === 1 &&
    applicationOf(db) === APPLICATION &&
    found.length === FIRST_STATEMENTS.length &&
    FIRST_STATEMENTS.every((statement, index) => found[index] === statement)
  );
}

/**
 * Brings a journal of version 1 to this one: an older Stint refuses it from then on. One that has
 * it open would take a place in the archive for a text, and export that: the entries get another
 * name, so that each of its statements fails.
 */
function migrate(db: SqliteDatabase): void {
  // Another process may have been first.
  if (!isOfFirstForm(db)) return;
  db.exec("ALTER TABLE entries RENAME TO entry_rows");
  db.exec(SEGMENTS);
  db.pragma(`user_version = ${SCHEMA}`);
}

function mustBeOurs(db: SqliteDatabase): void {
  const version = versionOf(db);
  const application = applicationOf(db);
  if (application === APPLICATION && version > SCHEMA) {
    throw new Fault(
      "journal_newer",
      `the journal must be of version ${SCHEMA} or older, it is ${version}: use a newer Stint`,
    );
  }
  const found = readStatements(db);
  const isWhole = STATEMENTS.every((statement, index) => found[index] === statement);
  if (application === APPLICATION && version === SCHEMA && isWhole) {
    if (found.length === STATEMENTS.length) return;
  }
  throw new Fault(
    "journal_corrupt",
    `the database must be a journal of version ${SCHEMA}, it has application id ${application}, ` +
      `version ${version} and ${found.length} tables and indices`,
  );
}

function versionOf(db: SqliteDatabase): number {
  return Number(db.pragma("user_version", { simple: true }));
}

function applicationOf(db: SqliteDatabase): number {
  return Number(db.pragma("application_id", { simple: true }));
}

function readStatements(db: SqliteDatabase): string[] {
  return db.prepare<[], string>("SELECT coalesce(sql, '') FROM sqlite_schema").pluck().all();
}
