import { decideAlone } from "../../runtime/alone.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { replay } from "../../runtime/replay.ts";
import { actorOf, type Surroundings } from "../seat.ts";
import { UNSEEN } from "./unseen.ts";
import type { OpenStore } from "../fleet/store.ts";

/** What is known of the fleet that a journal is taken from, beyond what is taken. */
export interface KnownBeyond {
  /** The newest entry of that fleet, newer than what is taken. */
  readonly seq: number;
  readonly hash: string;
  /** The highest epoch that it has had. */
  readonly epoch: number;
}

const REASON = "the journal was imported: resume it when the fleet it was exported from has ended";

/**
 * Makes an imported journal a fleet that can be opened: one that was not killed gets its permit
 * and is paused, for the fleet it was exported from may still be at work. A killed one stays so.
 *
 * It goes on in a new epoch, as after a loss: whatever that fleet has granted since its export is
 * not known here, and ranks below all that is granted from here on. Where only a part of what it
 * has is taken, `beyond` says how far it has come.
 */
export async function settleImported(
  { journal, permit }: OpenStore,
  { random, host }: Pick<Surroundings, "random" | "host">,
  beyond?: KnownBeyond,
): Promise<void> {
  const place = await replay(journal);
  const { fleet, status } = place.state;
  if (fleet === null || status === "killed") return;
  const actor = actorOf(host, { kind: "operator", via: "library" });
  const { seq, hash } = place.head;
  const unseen =
    beyond === undefined
      ? { remembered_seq: seq + 1, remembered_hash: UNSEEN }
      : {
          remembered_seq: beyond.seq,
          remembered_hash: beyond.hash,
          remembered_epoch: beyond.epoch,
        };
  const data = { reason: REASON, kept_hash: hash, ...unseen, workers: [] };
  const command = { kind: "fleet.recover", data } as const;
  const submission = { id: freshCommandId(random), actor, command };
  await decideAlone(journal, place, { submission });
  // Last: whoever dies before it leaves a fleet that nothing can be started in, not one that is
  // open while the fleet it was exported from still works.
  await permit.grant(fleet);
}
