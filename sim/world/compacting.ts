import { SILENT } from "../../src/ports/log.ts";
import { planCompaction, type KeepRule } from "../../src/runtime/compaction/plan.ts";
import type { SeededRandom } from "../../src/testing/seeded-random.ts";
import type { Process } from "./process.ts";

/** How far a process compacts, and in which steps. */
export interface Compacting {
  readonly rule: KeepRule;
  readonly segmentEntriesMax: number;
  /** After how many segments the process dies; null: it does not. */
  readonly diesAfter: number | null;
  /** Journal time, ms. */
  readonly nowMs: number;
  /** Ends the process between two segments. */
  readonly die: () => void;
}

/** Draws how a process compacts: mostly much, in small segments, and sometimes it dies of it. */
export function drawCompacting(
  random: SeededRandom,
): Pick<Compacting, "rule" | "segmentEntriesMax" | "diesAfter"> {
  const keepEntries = random.pick([1, 1, 5, 20, null]);
  return {
    rule: { keepEntries, keepMs: random.pick([0, 1_000, 60_000, null]) },
    segmentEntriesMax: random.pick([1, 3, 10, 100]),
    diesAfter: random.chance(0.3) ? 1 + random.below(4) : null,
  };
}

/** Compacts the journal as a process does: what may go by the rule, as far as that is safe. */
export async function compactBy(
  { connection, signer }: Process,
  { rule, segmentEntriesMax, diesAfter, nowMs, die }: Compacting,
): Promise<number> {
  const plan = await planCompaction({ journal: connection, signer, log: SILENT }, rule, nowMs);
  const { untilSeq } = plan;
  let count = 0;
  const { movedCount } = await connection.compact({
    untilSeq,
    segmentEntriesMax,
    onProgress: () => {
      count += 1;
      if (count === diesAfter) die();
    },
  });
  return movedCount;
}
