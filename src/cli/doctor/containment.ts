import type { Containment } from "../../compose/record/inspection.ts";
import { listWords } from "../../library/explain/words.ts";
import { good, skipped, type Check } from "./check.ts";

/** Looks at how well this host can contain workers, by starting something on every rung. */
export async function lookAtContainment(): Promise<Containment> {
  const { examineContainment } = await import("../../compose/record/inspection.ts");
  return examineContainment();
}

/** Says what was found of this host's containment, what is missing, and what that costs. */
export function describeContainment(found: Containment): readonly Check[] {
  return [...checkRungs(found), checkGroups(found), checkEngine(found)];
}

function checkRungs({ rungs }: Containment): readonly Check[] {
  return rungs.map(({ rung, works, hasNetworks, why, remedy, costs }): Check => {
    const name = `rung ${rung}`;
    // The lowest is no aim: it is what is left when the others do not work.
    if (rung === "process-group") return good(name, `works; ${costs}`);
    const helped = remedy === undefined ? {} : { remedy };
    if (!works) return { name, status: "weaker", detail: why ?? "does not work", costs, ...helped };
    if (hasNetworks) return good(name, "works: something was started on it and ended");
    const so = why === undefined ? "" : ` (${why})`;
    const detail = `works${so}, but gives nobody a network of its own`;
    const lost = "no network can be kept from workers";
    return { name, status: "weaker", detail, costs: lost, ...helped };
  });
}

/** An engine is needed by those alone who want one. */
function checkEngine({ engine: { socket, words, why = "no engine answers" } }: Containment): Check {
  const name = "containers";
  if (words === undefined) return skipped(name, `${why}; workers run as processes`);
  return good(name, `${words} at ${socket ?? ""}: stint supervise --driver container --image …`);
}

/** What it costs when control groups cannot do something. */
const COSTS = {
  memory: "memory_bytes of a budget binds nobody",
  cpu: "cpu_milli of a budget binds nobody",
  processes: "processes of a budget binds nobody",
  freeze: "workers are frozen one process after the other",
  kill: "a stop kills one process after the other",
} as const;

function checkGroups({ missing }: Containment): Check {
  const name = "control groups";
  if (missing.length === 0) return good(name, "memory, cpu, processes, freezing and killing hold");
  const once = (texts: readonly string[]): string => [...new Set(texts)].join("; ");
  return {
    name,
    status: "weaker",
    detail: `${listWords(missing.map(({ what }) => what))}: ${once(missing.map(({ why }) => why))}`,
    costs: once(missing.map(({ what }) => COSTS[what])),
    remedy: once(missing.map(({ remedy }) => remedy)),
  };
}
