import type { World } from "../world/world.ts";

/** How many gates may be opened in one stretch of time. */
const OPENINGS_MAX = 50_000;

/**
 * Lets simulated time pass, with all that comes due in it; no time passes while anything else can
 * go on. `atRest` is called each time when nothing but time can help.
 */
export async function live(
  world: World,
  ms: number,
  atRest: () => void = () => undefined,
): Promise<void> {
  const { clock, scheduler } = world;
  const untilMs = clock.monotonicMs() + ms;
  await scheduler.settle();
  for (let count = 0; count < OPENINGS_MAX; count += 1) {
    if (world.isBroken) return;
    if (scheduler.wake()) {
      await world.openOne();
      continue;
    }
    atRest();
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) return;
    clock.advance(Math.min(leftMs, Math.max(1, scheduler.nextTimerMs() ?? leftMs)));
  }
  world.auditor.report("SM5", `after ${OPENINGS_MAX} openings there is no rest`);
}
