import type { Actor } from "../../kernel/actor.ts";
import type { Member } from "../member.ts";
import { settledWithin } from "../waiting.ts";

/** How long closing waits for cooperative tasks to settle, ms. */
const closeSettleMs = 2_000;

/** How long closing waits for a driver that is starting a process, ms. */
const closeStartMs = 2_000;

/**
 * Tells the cooperative workers of this process to stop, for nobody beats for them from now on,
 * and gives their tasks a moment to settle. Those that do not settle stay `stopping`. Starts under
 * way are waited for, so that nothing is left of them that nobody has in hand.
 */
export async function endTasks(
  { seat, hosting }: Member,
  byOf: (id: string) => Actor,
): Promise<void> {
  await settledWithin(hosting.leave("here"), closeSettleMs, seat.timers);
  const ending = hosting.listHere().map(async (hosted) => {
    const { id: worker } = hosted;
    const data = {
      worker,
      reason: "requested",
      tree: false,
      detail: "its fleet was closed",
    } as const;
    await seat.loop.submit({ kind: "worker.stop", data }, byOf(worker));
    await hosting.finish(hosted);
  });
  const outcome = await settledWithin(Promise.allSettled(ending), closeSettleMs, seat.timers);
  if (outcome.kind === "late")
    seat.log.warn("tasks were still running when their fleet was closed");
}

/** Waits, once the handle's signal has fired, until no start of a process is under way. */
export async function endStarts({ seat, hosting }: Member): Promise<void> {
  await settledWithin(hosting.leave("all"), closeStartMs, seat.timers);
}
