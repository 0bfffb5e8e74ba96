import type { Entry } from "../../src/kernel/entry.ts";
import type { EventKind } from "../../src/kernel/event.ts";
import { liveRows, type Books, type Problem } from "./books.ts";
import type { Row } from "./row.ts";

/** In which states of its life something may be written about a worker. */
const ALLOWED: Partial<Readonly<Record<EventKind, readonly Row["status"][]>>> = {
  "worker.registered": ["admitted"],
  "worker.lapsed": ["admitted", "stopping"],
  "worker.checkpointed": ["running"],
  "worker.staled": ["running"],
  "worker.recovered": ["running"],
  "worker.flagged": ["running"],
  "worker.limit_hit": ["admitted", "running", "stopping"],
  "worker.quarantined": ["running"],
  "worker.unquarantined": ["running"],
  "worker.stopping": ["admitted", "running"],
  "worker.reparented": ["admitted", "running", "stopping"],
  "worker.stopped": ["admitted", "running", "stopping"],
  "budget.charged": ["admitted", "running", "stopping"],
};

/** Those that conclude something from silence, or let a frozen worker act. */
const NOT_IN_QUARANTINE: ReadonlySet<EventKind> = new Set<EventKind>([
  "worker.checkpointed",
  "worker.staled",
  "worker.recovered",
  "worker.flagged",
  "worker.quarantined",
]);

const GRADES = ["observed", "settled", "tethered", "swept", "declared"];

/** What is wrong with an entry by the life of the worker it is about, and by the time it is. */
export function lifeProblems(books: Books, entry: Entry): Problem[] {
  return [...deadlineProblems(books, entry), ...workerProblems(books, entry)];
}

/** An expired right ends at its instant: nothing is decided while one is still there (I8). */
function deadlineProblems(books: Books, entry: Entry): Problem[] {
  // A recovery comes first of all: what it takes over may have been taken up in time.
  if (isLapse(entry) || entry.command?.kind === "fleet.recover") return [];
  if (entry.kind === "worker.adopted") return [];
  return liveRows(books)
    .filter((row) => dueAtMs(row) <= entry.at_ms)
    .map((row) => {
      const message = `${entry.kind} at ${entry.at_ms}: ${row.id} ended at ${dueAtMs(row)}`;
      return { rule: "I8", message };
    });
}

function isLapse(entry: Entry): boolean {
  if (/^(worker|lease|place)\.lapsed$/.test(entry.kind)) return true;
  if (entry.kind !== "worker.stopping") return false;
  return entry.data.reason === "expired" || entry.data.reason === "quarantine_expired";
}

function dueAtMs(row: Row): number {
  if (!row.isRegistered) return row.registerByMs;
  if (row.status !== "running") return Infinity;
  return row.quarantinedUntilMs ?? row.expiresAtMs;
}

function workerProblems(books: Books, entry: Entry): Problem[] {
  const allowed = ALLOWED[entry.kind];
  if (allowed === undefined || !("worker" in entry.data)) return [];
  const row = books.rows.get(entry.data.worker);
  const said = `${entry.kind} about ${entry.data.worker}`;
  if (row === undefined) return [{ rule: "SM2", message: `${said}, which was never admitted` }];
  const rule = entry.kind === "worker.registered" ? "I3" : "I10";
  const problems: Problem[] = [];
  if (!allowed.includes(row.status)) problems.push({ rule, message: `${said}: ${row.status}` });
  if (row.quarantinedUntilMs !== null && NOT_IN_QUARANTINE.has(entry.kind))
    problems.push({ rule: "SM2", message: `${said}, which is in quarantine` });
  if (entry.kind === "worker.lapsed" && row.isRegistered)
    problems.push({
      rule: "I10",
      message: `${said}, which had registered: its end needs evidence`,
    });
  if (entry.kind === "worker.registered")
    problems.push(...registrationProblems(books, row, entry.at_ms));
  if (entry.kind === "worker.stopped" && !GRADES.includes(entry.data.evidence.grade))
    problems.push({ rule: "I10", message: `${said} without a grade of evidence` });
  return problems;
}

function registrationProblems(books: Books, row: Row, atMs: number): Problem[] {
  const problems: Problem[] = [];
  const broken = (message: string, rule = "SM2"): void =>
    void problems.push({ rule, message: `${row.id} registered: ${message}` });
  const parent = row.keeper === null ? null : books.rows.get(row.keeper);
  if (books.isPaused) broken("the fleet is paused");
  if (atMs >= row.registerByMs) broken(`it had to before ${row.registerByMs}`, "I8");
  if (parent === undefined) broken("its parent was never admitted", "I6");
  if (parent === undefined || parent === null) return problems;
  if (parent.status !== "running") broken(`its parent is ${parent.status}`);
  if (parent.quarantinedUntilMs !== null) broken("its parent is in quarantine");
  return problems;
}
