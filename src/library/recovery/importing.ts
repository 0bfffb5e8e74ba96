import { decideAlone } from "../../runtime/alone.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { replay } from "../../runtime/replay.ts";
import { actorOf, type Surroundings } from "../seat.ts";
import { UNSEEN } from "./unseen.ts";
import type { OpenStore } from "../fleet/store.ts";

const REASON = "the journal was imported: resume it when the fleet it was exported from has ended";

/**
 * Makes an imported journal a fleet that can be opened: one that was not killed gets its permit
 * and is paused, for the fleet it was exported from may still be at work. A killed one stays so.
 *
 * It goes on in a new epoch, as after a loss: whatever that fleet has granted since its export is
 * not known here, and ranks below all that is granted from here on.
 */
export async function settleImported(
  { journal, permit }: OpenStore,
  { random, host }: Pick<Surroundings, "random" | "host">,
): Promise<void> {
  const place = await replay(journal);
  const { fleet, status } = place.state;
  if (fleet === null || status === "killed") return;
  const actor = actorOf(host, { kind: "operator", via: "library" });
  const { seq, hash } = place.head;
  const unseen = { remembered_seq: seq + 1, remembered_hash: UNSEEN };
  const data = { reason: REASON, kept_hash: hash, ...unseen, workers: [] };
  const command = { kind: "fleet.recover", data } as const;
  const submission = { id: freshCommandId(random), actor, command };
  await decideAlone(journal, place, { submission });
  // Last: whoever dies before it leaves a fleet that nothing can be started in, not one that is
  // open while the fleet it was exported from still works.
  await permit.grant(fleet);
}
