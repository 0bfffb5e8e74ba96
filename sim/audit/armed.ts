import type { Entry } from "../../src/kernel/entry.ts";
import type { Books, Problem } from "./books.ts";

const PROOFS: readonly unknown[] = ["observed", "settled", "tethered"];

/** What is wrong with an armed check: what it was judged to be, and whether a pause followed. */
export function armedProblems(entries: readonly Entry[], { contract, isPaused }: Books): Problem[] {
  const problems: Problem[] = [];
  const broken = (message: string): void => void problems.push({ rule: "SM2", message });
  const command = entries[0]?.command;
  for (const [index, { kind, data }] of entries.entries()) {
    if (kind !== "armed.checked") continue;
    const told = command?.kind === "armed.check" ? command.data : undefined;
    const isRight = told?.problem === undefined && PROOFS.includes(told?.grade);
    if (data.ok !== isRight)
      broken(`an armed check of ${data.grade} was judged ${String(data.ok)}`);
    if (!data.ok && data.problem === undefined) broken("an armed check failed without a reason");
    const isDue = !data.ok && contract?.armed_action === "pause" && contract.armed_every_ms > 0;
    const hasPaused = entries[index + 1]?.kind === "fleet.paused";
    if (hasPaused !== (isDue && !isPaused))
      broken(`after an armed check it paused: ${String(hasPaused)}`);
  }
  return problems;
}
