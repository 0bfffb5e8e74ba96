import type { Containment } from "../../compose/record/inspection.ts";
import type { KillCondition } from "../../kernel/fleet/contract.ts";
import type { Check } from "./check.ts";

/** What of this host measures a name of the kill conditions. */
const MEASURED_BY = {
  cpu_milli: "cpu",
  cpu_ms: "cpu",
  memory_bytes: "memory",
  processes: "processes",
} as const;

const MEASURE = /\b(?:worker|fleet)\.(cpu_milli|cpu_ms|memory_bytes|processes)\b/g;

/**
 * Looks whether the kill conditions of a contract are about what nothing measures here: such a one
 * never trips, and one that asks `has(…)` first is not on record as failing either.
 */
export function checkMeasures(
  conditions: readonly KillCondition[],
  { missing }: Pick<Containment, "missing">,
): readonly Check[] {
  return conditions.flatMap(({ name, when }): readonly Check[] => {
    const texts = new Set<string>();
    const remedies = new Set<string>();
    // `worker.budget.processes` is not of them: what was granted is known without being measured.
    for (const [text, field] of when.matchAll(MEASURE)) {
      const power = MEASURED_BY[field as keyof typeof MEASURED_BY];
      const lack = missing.find(({ what }) => what === power);
      if (lack === undefined) continue;
      texts.add(text);
      remedies.add(lack.remedy);
    }
    if (texts.size === 0) return [];
    return [
      {
        name: "kill_when",
        status: "weaker",
        detail: `${JSON.stringify(name)} asks for ${[...texts].join(", ")}, not measured here`,
        costs: "of workers that run as processes it sees nothing there: what needs it never trips",
        remedy: [...remedies].join("; "),
      },
    ];
  });
}
