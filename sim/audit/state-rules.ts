import type { State, Worker } from "../../src/kernel/state.ts";
import { liveRows, rowsDrawingOn, type Books, type Problem } from "./books.ts";
import { leaseStateProblems } from "./lease/state.ts";
import { placeStateProblems } from "./queue/state.ts";
import { CAPACITY, type Row } from "./row.ts";

/** Where the true state and the ledger, which was kept from events alone, do not agree. */
export function stateProblems(books: Books, state: State): Problem[] {
  const live = liveRows(books);
  const problems: Problem[] = [
    ...leaseStateProblems(books.ground, state),
    ...placeStateProblems(books.queue, state),
    ...books.services.differences(state).map((message) => ({ rule: "SM2", message })),
  ];
  if (live.length !== state.live_count)
    problems.push({
      rule: "I4",
      message: `${live.length} live, the state has ${state.live_count}`,
    });
  if (books.rows.size !== state.total_count) {
    const message = `${books.rows.size} admitted, the state has ${state.total_count}`;
    problems.push({ rule: "I4", message });
  }
  for (const row of live) {
    const worker = state.workers.get(row.id);
    if (worker === undefined)
      problems.push({ rule: "I10", message: `${row.id} lives, the state does not have it` });
    else problems.push(...workerProblems(books, row, worker));
  }
  return problems;
}

function workerProblems(books: Books, row: Row, worker: Worker): Problem[] {
  const problems: Problem[] = [];
  const said = { parent: worker.parent, depth: worker.depth, status: worker.status };
  const known = { parent: row.keeper, depth: row.depth, status: row.status };
  for (const key of ["parent", "depth", "status"] as const) {
    if (said[key] === known[key]) continue;
    const message = `${row.id}: ${key} is ${known[key]}, the state has ${said[key]}`;
    problems.push({ rule: "SM2", message });
  }
  // Capacity comes back whole: what is held of it is exactly what those alive below hold (I5).
  for (const key of CAPACITY) {
    if (row.granted[key] === undefined) continue;
    const held = rowsDrawingOn(books, row.id)
      .filter((other) => other.status !== "stopped")
      .reduce((sum, other) => sum + (other.granted[key] ?? 0), 0);
    const reserved = worker.reserved[key] ?? 0;
    if (held === reserved) continue;
    const message = `${row.id}: ${held} of its ${key} is held, the state has ${reserved}`;
    problems.push({ rule: "I5", message });
  }
  return problems;
}
