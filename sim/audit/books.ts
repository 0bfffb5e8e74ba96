import type { Contract } from "../../src/kernel/fleet/contract.ts";
import type { LeaseBooks } from "./lease/books.ts";
import type { QueueBooks } from "./queue/books.ts";
import type { Row } from "./row.ts";
import type { ServiceBooks } from "./roster/books.ts";

/** What is wrong with an entry: the rule that it breaks, and how. */
export interface Problem {
  readonly rule: string;
  readonly message: string;
}

/** The fleet as the ledger has it before an entry. */
export interface Books {
  /** Every worker that was ever admitted. */
  readonly rows: ReadonlyMap<string, Row>;
  /** The contract in force; null before the fleet was created. */
  readonly contract: Contract | null;
  readonly isPaused: boolean;
  /** The entry of the kill, once there was one. */
  readonly killedSeq: number | null;
  readonly keyId: string;
  /** Leases and lanes. */
  readonly ground: LeaseBooks;
  /** Who waits for ground. */
  readonly queue: QueueBooks;
  /** The roster, the roll and access tokens. */
  readonly services: ServiceBooks;
}

/** The rows of workers that have not ended. */
export function liveRows({ rows }: Books): readonly Row[] {
  return [...rows.values()].filter((row) => row.status !== "stopped");
}

/**
 * The rows that draw on a worker's grant directly: those that it answers for, and those of its
 * dead, down to the first that lives on each branch.
 */
export function rowsDrawingOn({ rows }: Books, id: string): readonly Row[] {
  const found: Row[] = [];
  const drawnOn = [id];
  for (let next = drawnOn.pop(); next !== undefined; next = drawnOn.pop()) {
    for (const row of rows.values()) {
      if (row.keeper !== next) continue;
      found.push(row);
      if (row.status === "stopped") drawnOn.push(row.id);
    }
  }
  return found;
}
