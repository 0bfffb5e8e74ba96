import { LIMITS } from "../../kernel/limits.ts";
import type { Ending, SandboxRecord } from "../../ports/sandbox.ts";
import { errorText } from "../error-text.ts";
import type { Member } from "../member.ts";
import type { Sandboxes } from "../process/sandboxes.ts";

/** Listings in a row that must find nothing alive: one start may be on its way at the first. */
const emptyListings = 2;

/** How often one sandbox is tried; a driver that cannot end it will not learn to. */
const attemptsMax = 2;

/** The pause before a listing is repeated, ms. */
const pauseMs = 10;

/** What a sweep found and did. */
export interface Sweep {
  readonly endings: ReadonlyMap<string, Ending>;
  /** The sandboxes that could not be ended: of those nothing else may say that they have. */
  readonly survivors: ReadonlySet<string>;
}

/**
 * Ends every sandbox of the fleet on this host, all at once, until two listings in a row find
 * nothing alive. One that fails is told in `troubles` and holds up no other. Never throws.
 */
export async function sweepAll({ seat, sandboxes }: Member, troubles: string[]): Promise<Sweep> {
  const endings = new Map<string, Ending>();
  const failures = new Map<string, { count: number; why: string }>();
  if (sandboxes === undefined) return { endings, survivors: new Set() };
  const deadlineMs = seat.clock.monotonicMs() + 2 * LIMITS.killSweepMs;
  let emptyCount = 0;
  while (emptyCount < emptyListings && seat.clock.monotonicMs() < deadlineMs) {
    const listed = await list(sandboxes);
    if (typeof listed === "string") {
      troubles.push(`the sandboxes could not be listed: ${listed}`);
      break;
    }
    const left = listed.filter(({ instance, seen }) => {
      const isGivenUp = (failures.get(instance)?.count ?? 0) >= attemptsMax;
      return !isGivenUp && (seen === "alive" || !endings.has(instance));
    });
    emptyCount = left.length === 0 ? emptyCount + 1 : 0;
    await Promise.all(
      left.map(({ instance }) => endOne(sandboxes, instance, { endings, failures })),
    );
    if (emptyCount === 1) await seat.timers.wait(pauseMs);
  }
  const survivors = new Set([...failures.keys()].filter((id) => !endings.has(id)));
  for (const id of survivors)
    troubles.push(`the sandbox of ${id} could not be ended: ${failures.get(id)?.why}`);
  return { endings, survivors };
}

async function list(sandboxes: Sandboxes): Promise<readonly SandboxRecord[] | string> {
  try {
    return await sandboxes.list();
  } catch (error) {
    return errorText(error);
  }
}

async function endOne(
  sandboxes: Sandboxes,
  id: string,
  so: {
    readonly endings: Map<string, Ending>;
    readonly failures: Map<string, { count: number; why: string }>;
  },
): Promise<void> {
  const { endings, failures } = so;
  let why = "something of it was alive at the deadline";
  try {
    const ending = await sandboxes.end(id, { graceMs: 0, by: "killed" });
    if (ending !== undefined) {
      endings.set(id, ending);
      return;
    }
  } catch (error) {
    why = errorText(error);
  }
  failures.set(id, { count: (failures.get(id)?.count ?? 0) + 1, why });
}
