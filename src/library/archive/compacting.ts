import type { Compaction, CompactOptions, Journal } from "../../ports/journal.ts";
import {
  planCompaction,
  type CompactionPlan,
  type KeepRule,
} from "../../runtime/compaction/plan.ts";
import { openLoop } from "../../runtime/open-loop.ts";
import { openSigner } from "../fleet/opening.ts";
import type { Secret, Surroundings } from "../seat.ts";

/** How a fleet's journal is compacted. */
export interface CompactFleetOptions extends Pick<CompactOptions, "onProgress" | "signal"> {
  readonly keep: KeepRule;
  /** Only finds out how far it would go; nothing is written. */
  readonly isDry?: boolean;
}

/** What compacting a fleet's journal has come to. */
export interface CompactedFleet extends Compaction {
  readonly plan: CompactionPlan;
}

/**
 * Compacts the journal of a fleet, which others may have open: signs its head and keeps a snapshot
 * first, where what is to go lies beyond the newest that is signed.
 *
 * Throws `Fault` `storage_busy` (retryable) while another compacts, and those of the store.
 */
export async function compactFleet(
  world: Surroundings,
  { journal, secret }: { readonly journal: Journal; readonly secret: Secret },
  { keep, isDry = false, ...options }: CompactFleetOptions,
): Promise<CompactedFleet> {
  const signer = openSigner(world, secret);
  const opening = { journal, signer, log: world.log };
  const nowMs = world.clock.read().wallMs;
  let plan = await planCompaction(opening, keep, nowMs);
  if (isDry) return { plan, segments: [], movedCount: 0 };
  if (plan.untilSeq < plan.wantedSeq) {
    const { random, timers, log } = world;
    // A loop that is closed leaves a signed head, and the snapshot that it vouches for.
    await (await openLoop({ journal, signer, random, timers, log })).close();
    plan = await planCompaction(opening, keep, nowMs);
  }
  return { plan, ...(await compactBy(journal, plan, options)) };
}

/** Compacts a journal as far as a plan says; also goes on with what another has left halfway. */
export async function compactBy(
  journal: Journal,
  { untilSeq }: CompactionPlan,
  options: Omit<CompactOptions, "untilSeq"> = {},
): Promise<Compaction> {
  if (untilSeq === 0) return { segments: [], movedCount: 0 };
  return journal.compact({ ...options, untilSeq });
}
