import { statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { PATIENCE_MS, type Scene, type Stage } from "../stage/stage.ts";
import { hasMoved, isSame, type Work } from "../verdicts/trouble.ts";

/** A child is put in quarantine and computes nothing, until that is lifted. */
export const quarantine: Scene = { checks: ["frozen", "thawed"], play };

/** How long nothing of it may move while it is frozen, ms. */
const STILL_MS = 1_200;

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
  checklist.judge("frozen", { still, later, stillMs: STILL_MS });
  await fleet.unquarantine(id, { resolution: "it is meant to" });
  const now = await untilMoved(stage, look, { since: later, what: "the ticker works again" });
  checklist.judge("thawed", { since: later, now });
}

async function untilMoved(
  { patience }: Stage,
  look: () => Work,
  { since, what }: { readonly since: Work; readonly what: string },
): Promise<Work> {
  return patience.poll({ what, withinMs: PATIENCE_MS }, () => {
    const now = look();
    return hasMoved(since, now) ? now : undefined;
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
