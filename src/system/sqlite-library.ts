import { createRequire } from "node:module";
import type BetterSqlite3 from "better-sqlite3";
import { Fault } from "../ports/fault.ts";

/** The oldest Node whose binary interface better-sqlite3 is built for and Stint is tested on. */
const NODE_MIN: readonly number[] = [22, 18];

/** The oldest SQLite that does not lose a commit when a WAL is reset under a second writer. */
const SQLITE_MIN: readonly number[] = [3, 51, 3];

/** How to open a database: better-sqlite3's constructor. */
export type SqliteLibrary = typeof BetterSqlite3;

/** An open database of better-sqlite3. */
export type SqliteDatabase = BetterSqlite3.Database;

let loaded: SqliteLibrary | undefined;

/**
 * Loads better-sqlite3, once a process, and only when a store of SQLite is opened.
 *
 * It is not imported at the top of a file, because its native module does not load on an older
 * Node: a program that keeps everything in memory must run there, and one that does not must meet
 * a sentence. Throws `Fault` `sqlite_unsupported`.
 */
export function loadSqlite(): SqliteLibrary {
  if (loaded !== undefined) return loaded;
  demandNode(process.versions.node);
  const library = requireLibrary();
  demandSqlite(libraryVersion(library));
  loaded = library;
  return library;
}

/** Throws `Fault` `sqlite_unsupported` unless `version` ("24.21.0") is new enough. */
export function demandNode(version: string): void {
  demandVersion("Node", version, NODE_MIN);
}

/** Throws `Fault` `sqlite_unsupported` unless `version` ("3.54.1") is new enough. */
export function demandSqlite(version: string): void {
  demandVersion("SQLite", version, SQLITE_MIN);
}

function requireLibrary(): SqliteLibrary {
  const require = createRequire(import.meta.url);
  try {
    return require("better-sqlite3") as SqliteLibrary;
  } catch (error) {
    // A missing package, a platform without a prebuilt binary, or a libc it was not built for.
    const message = `better-sqlite3 must load, got: ${(error as Error).message}`;
    throw new Fault("sqlite_unsupported", message, { cause: error });
  }
}

function libraryVersion(library: SqliteLibrary): string {
  const db = new library(":memory:");
  try {
    return db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "0";
  } finally {
    db.close();
  }
}

function demandVersion(what: string, version: string, least: readonly number[]): void {
  if (isAtLeast(version.split(".").map(Number), least)) return;
  const message = `${what} must be ${least.join(".")} or newer, got ${version}`;
  throw new Fault("sqlite_unsupported", message);
}

function isAtLeast(version: readonly number[], least: readonly number[]): boolean {
  for (const [index, wanted] of least.entries()) {
    const part = version[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
