import { decideAlone } from "../../runtime/alone.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { replay } from "../../runtime/replay.ts";
import { actorOf, type Surroundings } from "../seat.ts";
import type { OpenStore } from "../fleet/store.ts";

const REASON = "the journal was imported: resume it when the fleet it was exported from has ended";

/**
 * Makes an imported journal a fleet that can be opened: one that was not killed gets its permit
 * and is paused, for the fleet it was exported from may still be at work. A killed one stays so.
 */
export async function settleImported(
  { journal, permit }: OpenStore,
  { random, host }: Pick<Surroundings, "random" | "host">,
): Promise<void> {
  const place = await replay(journal);
  const { fleet, status } = place.state;
  if (fleet === null || status === "killed") return;
  const actor = actorOf(host, { kind: "operator", via: "library" });
  const command = { kind: "fleet.pause", data: { reason: REASON } } as const;
  await decideAlone(journal, place, {
    submission: { id: freshCommandId(random), actor, command },
  });
  // Last: whoever dies before it leaves a fleet that nothing can be started in, not one that is
  // open while the fleet it was exported from still works.
  await permit.grant(fleet);
}
