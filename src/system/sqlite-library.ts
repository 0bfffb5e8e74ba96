import { createRequire } from "node:module";
import type BetterSqlite3 from "better-sqlite3";
import { Fault } from "../ports/fault.ts";
import { demandNode, demandVersion } from "./node-version.ts";

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
 * It is not imported at the top of a file, because its native module may not load here: a program
 * that keeps everything in memory needs none, and one that does must meet a sentence. Throws
 * `Fault` `sqlite_unsupported`, which says what to do where the module is missing or another
 * system's.
 */
export function loadSqlite(): SqliteLibrary {
  if (loaded !== undefined) return loaded;
  demandNode(process.versions.node);
  const { library, version } = requireLibrary();
  demandSqlite(version);
  loaded = library;
  return library;
}

/** Throws `Fault` `sqlite_unsupported` unless `version` ("3.54.1") is new enough. */
export function demandSqlite(version: string): void {
  demandVersion("SQLite", version, SQLITE_MIN);
}

/** How much is told of why the module does not load, characters; paths are in it. */
const reasonCharsMax = 600;

function requireLibrary(): { readonly library: SqliteLibrary; readonly version: string } {
  const require = createRequire(import.meta.url);
  try {
    const library = require("better-sqlite3") as SqliteLibrary;
    // The native module is loaded by the first database, not by the package.
    return { library, version: libraryVersion(library) };
  } catch (error) {
    // No package, no binary, another system's binary, or a libc older than it was built for.
    const here = `${process.platform} ${process.arch} with Node ${process.versions.node}`;
    const reason = reasonOf(error);
    // Another installation would bring the same binary.
    const remedy = isOldLibc(reason)
      ? "use a system with a newer C library"
      : "install Stint again on this very system, with its dependencies";
    const message = `better-sqlite3 must load on ${here}, got: ${reason}; ${remedy}`;
    throw new Fault("sqlite_unsupported", message, { cause: error });
  }
}

/** An error of loading as one line: Node adds stacks of files, and SQLite's loader breaks lines. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [why = ""] = text.split("\nRequire stack:");
  return why.replaceAll(/\s+/g, " ").trim().slice(0, reasonCharsMax);
}

/** What glibc's loader says of a binary that was built for a newer one. */
function isOldLibc(reason: string): boolean {
  return /version `GLIBC(XX)?_\S+' not found/.test(reason);
}

function libraryVersion(library: SqliteLibrary): string {
  const db = new library(":memory:");
  try {
    return db.prepare<[], string>("SELECT sqlite_version()").pluck().get() ?? "0";
  } finally {
    db.close();
  }
}
