import { Auditor } from "../../sim/audit/auditor.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { GENESIS } from "../../src/ports/journal.ts";

/** The rules that an auditor finds broken in these entries, their places and links set right. */
export function rulesBrokenBy(entries: readonly Entry[]): readonly string[] {
  const auditor = new Auditor();
  let last = { seq: 0, hash: GENESIS.hash };
  const linked = entries.map((entry) => {
    const seq = last.seq + 1;
    const moved = { ...entry, seq, prev: last.hash, hash: `${entry.hash} ${seq}` };
    last = moved;
    return moved;
  });
  auditor.see(linked);
  return auditor.violations.map(({ rule }) => rule);
}
