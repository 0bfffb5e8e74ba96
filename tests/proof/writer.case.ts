// Begins to write into a journal and never commits: until it is killed it has the lock.
// Argument: the state folder.
import { join } from "node:path";
import Database from "better-sqlite3";

const [dir = ""] = process.argv.slice(2);
const db = new Database(join(dir, "journal.db"));
// So little is kept in memory that what is not committed is written to the disk before it is.
db.pragma("cache_size = 2");
db.exec("BEGIN IMMEDIATE");
const insert = db.prepare("INSERT INTO entry_rows (seq, text, hash) VALUES (?, ?, ?)");
for (let seq = 1_000; seq < 1_200; seq += 1) insert.run(seq, "x".repeat(4_096), "y");
process.send?.("begun");
// Nothing to do but to be killed.
process.on("message", () => undefined);
