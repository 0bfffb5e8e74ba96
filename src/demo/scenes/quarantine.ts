import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { PATIENCE_MS, type Scene, type Stage } from "../stage/stage.ts";

/** A child is put in quarantine and computes nothing, until that is lifted. */
export const quarantine: Scene = { checks: ["frozen", "thawed"], play };

/** How long nothing of it may move while it is frozen, ms. */
const STILL_MS = 1_200;

/** How much it must move to be seen to run. */
const TICKS_MIN = 2;

/** What can be seen of a worker's work from outside. */
interface Work {
  /** CPU time of all its processes, clock ticks. */
  readonly ticks: number;
  /** What it has written that is in its file, bytes. */
  readonly bytes: number;
}

async function play(stage: Stage): Promise<void> {
  const { chronicle, fleet, checklist, patience, signal } = stage;
  const id = await chronicle.registered("ticker", PATIENCE_MS);
  const look = (): Work => workOf(stage, id);
  const began = look();
  await untilMoved(stage, look, { since: began, what: "the ticker is seen to work" });
  await fleet.quarantine(id, { reason: "writes too much", severity: "low" });
  let still = look();
  await patience.poll({ what: "the ticker is frozen", withinMs: PATIENCE_MS }, async () => {
    const before = still;
    await after(STILL_MS / 2, undefined, { signal });
    still = look();
    return isSame(before, still);
  });
  await after(STILL_MS, undefined, { signal });
  const later = look();
  checklist.note("frozen", isSame(still, later) && still.ticks > 0, [
    `for ${STILL_MS} ms ${tell(still, later)}`,
  ]);
  await fleet.unquarantine(id, { resolution: "it is meant to" });
  const moved = await untilMoved(stage, look, { since: later, what: "the ticker works again" });
  checklist.note("thawed", true, [tell(later, moved)]);
}

async function untilMoved(
  { patience }: Stage,
  look: () => Work,
  { since, what }: { readonly since: Work; readonly what: string },
): Promise<Work> {
  return patience.poll({ what, withinMs: PATIENCE_MS }, () => {
    const now = look();
    const hasMoved = now.ticks >= since.ticks + TICKS_MIN && now.bytes > since.bytes;
    return hasMoved ? now : undefined;
  });
}

function workOf({ census, premises }: Stage, id: string): Work {
  const ticks = census.of(id).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0);
  const bytes = ["jsonl", "1.jsonl"].reduce((sum, ending) => {
    const file = join(premises.stateDir, "output", `${id}.${ending}`);
    return sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
  return { ticks, bytes };
}

function isSame(one: Work, other: Work): boolean {
  return one.ticks === other.ticks && one.bytes === other.bytes;
}

function tell(from: Work, to: Work): string {
  const ticks = `its CPU time went from ${from.ticks} to ${to.ticks} ticks`;
  return `${ticks} and its output from ${from.bytes} to ${to.bytes} bytes`;
}
