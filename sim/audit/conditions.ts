import type { Measures } from "../../src/kernel/condition/context/measure.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import type { EventKind } from "../../src/kernel/event.ts";
import type { KillAction, KillCondition } from "../../src/kernel/fleet/contract.ts";
import type { Books, Problem } from "./books.ts";

/** Kill conditions that simulated contracts have, and what they mean. */
export const KILL_CONDITIONS: readonly (KillCondition & {
  readonly isAboutWorkers: boolean;
  readonly holds: (measures: Measures) => boolean;
})[] = [
  {
    name: "hog",
    when: "worker.memory_bytes > 100",
    for_ms: 1_000,
    action: "quarantine",
    isAboutWorkers: true,
    holds: ({ worker }) => (worker?.memory_bytes ?? 0) > 100,
  },
  {
    name: "errors",
    when: "has(worker.units.errors) && worker.units.errors >= 3",
    for_ms: 0,
    action: "stop",
    isAboutWorkers: true,
    holds: ({ worker }) => (worker?.units["errors"] ?? 0) >= 3,
  },
  {
    name: "storm",
    when: "fleet.refusals_per_minute >= 9",
    for_ms: 500,
    action: "pause",
    isAboutWorkers: false,
    holds: ({ fleet }) => fleet.refusals_per_minute >= 9,
  },
  {
    name: "crowd",
    when: "fleet.active_count > 90",
    for_ms: 0,
    action: "kill",
    isAboutWorkers: false,
    holds: ({ fleet }) => fleet.active_count > 90,
  },
];

const FOLLOWS: Readonly<Record<KillAction, EventKind>> = {
  pause: "fleet.paused",
  quarantine: "worker.quarantined",
  stop: "worker.stopping",
  kill: "fleet.killed",
};

/** What is wrong with a trip: its grounds, and that what its action does follows in one piece. */
export function tripProblems(entries: readonly Entry[], { contract }: Books): Problem[] {
  const problems: Problem[] = [];
  for (const [index, { kind, data }] of entries.entries()) {
    if (kind !== "condition.tripped") continue;
    const broken = (message: string): void =>
      void problems.push({ rule: "SM2", message: `${data.condition} tripped: ${message}` });
    const known = KILL_CONDITIONS.find(({ name }) => name === data.condition);
    if (!contract?.kill_when.some(({ name }) => name === data.condition))
      broken("it is not in force");
    if (known?.holds(data.measures) !== true) broken("it does not hold");
    if (known?.isAboutWorkers !== (data.worker !== undefined)) broken("it is about another");
    if (data.held_ms < (known?.for_ms ?? Infinity)) broken("its time was not over");
    const next = entries[index + 1];
    if (next?.kind !== FOLLOWS[data.action]) broken(`${next?.kind ?? "nothing"} followed`);
    if (data.worker !== undefined && next !== undefined && "worker" in next.data)
      if (next.data.worker !== data.worker) broken(`it befell ${next.data.worker}`);
  }
  return problems;
}
