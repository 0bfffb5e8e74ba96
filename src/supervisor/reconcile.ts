// What a supervisor finds that came after another one. On the upper rungs the sandboxes of the dead
// have died with it; on the lowest they may still run. Nobody reads their output or hears their
// sockets any more, so they are ended, and that is on record, before anything new is begun.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../kernel/worker/evidence.ts";
import { errorText } from "../library/error-text.ts";
import type { Sandboxes } from "../library/process/sandboxes.ts";
import type { Seat } from "../library/seat.ts";
import type { Ending } from "../ports/sandbox.ts";

/** Lies in the folder of a sandbox whose parent is a supervisor, from before its start. */
export const SUPERVISED_FILE = "supervised.json";

/** Who ended what died with its supervisor, or was swept after it. */
const LOST = "supervisor lost";

/** How many leftovers are ended at the same time. */
const atOnceMax = 16;

/**
 * Ends the sandboxes that another supervisor has left, and journals their ends. What cannot be
 * ended yet is answered, and is the caller's to try again; one that fails holds up no other.
 */
export async function endLeftovers(seat: Seat, sandboxes: Sandboxes): Promise<readonly string[]> {
  const records = await sandboxes.list();
  const left = records
    .map(({ instance }) => instance)
    .filter((id) => !sandboxes.isOwn(id) && isSupervised(sandboxes, id));
  const unended: string[] = [];
  const queue = left.values();
  const work = async (): Promise<void> => {
    for (const id of queue) if (!(await endLeftover(seat, sandboxes, id))) unended.push(id);
  };
  await Promise.all(Array.from({ length: atOnceMax }, work));
  if (left.length > 0) {
    const facts = { count: left.length, unended_count: unended.length };
    seat.log.info("sandboxes of a lost supervisor were ended", facts);
  }
  return unended;
}

function isSupervised(sandboxes: Sandboxes, id: string): boolean {
  return existsSync(join(sandboxes.folder(id), SUPERVISED_FILE));
}

/** Ends one of them; false where that is to be tried again. Never rejects. */
export async function endLeftover(seat: Seat, sandboxes: Sandboxes, id: string): Promise<boolean> {
  try {
    const ending = await sandboxes.end(id, { graceMs: 0, by: LOST });
    if (ending !== undefined) {
      await sandboxes.settle(id, asLost(ending));
      return true;
    }
    seat.log.warn("a lost supervisor's sandbox is still alive", { worker: id });
  } catch (error) {
    const facts = { worker: id, error: errorText(error) };
    seat.log.warn("a lost supervisor's sandbox could not be ended yet", facts);
  }
  return false;
}

/** What exited by itself before its supervisor was lost has an exit code; nothing else has. */
function asLost(ending: Ending): Ending {
  const { outcome } = ending;
  if (outcome.exit_code !== undefined || outcome.killed_by !== undefined) return ending;
  const lost: Outcome = { ...outcome, killed_by: LOST };
  return { ...ending, outcome: lost };
}
