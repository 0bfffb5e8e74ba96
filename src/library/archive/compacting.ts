import type { Compaction, CompactOptions, Journal } from "../../ports/journal.ts";
import {
  journalTimeNow,
  planCompaction,
  type CompactionPlan,
  type KeepRule,
} from "../../runtime/compaction/plan.ts";
import { openLoop } from "../../runtime/open-loop.ts";
import { keepPlace } from "../../runtime/signing/head-signing.ts";
import { findPlace } from "../../runtime/signing/opening.ts";
import type { Signer } from "../../ports/signer.ts";
import { openSigner } from "../fleet/opening.ts";
import { Refused, refusedAnswer } from "../refused.ts";
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
 * Throws `Fault` `storage_busy` (retryable) while another compacts, `clock_skew` where age decides
 * and the host's clock is not to be believed, and those of the store; `Refused` where the head may
 * not be signed with this key.
 */
export async function compactFleet(
  world: Surroundings,
  { journal, secret }: { readonly journal: Journal; readonly secret: Secret },
  { keep, isDry = false, ...options }: CompactFleetOptions,
): Promise<CompactedFleet> {
  const signer = openSigner(world, secret);
  const opening = { journal, signer, log: world.log };
  const { state } = await findPlace(opening);
  journal.setClockTolerance(state.contract.clock_tolerance_ms);
  const nowMs = keep.keepMs === null ? 0 : await journalTimeNow(journal);
  let plan = await planCompaction(opening, keep, nowMs);
  if (isDry) return { plan, segments: [], movedCount: 0 };
  if (plan.untilSeq < plan.wantedSeq) {
    await signAnew(world, journal, signer);
    plan = await planCompaction(opening, keep, nowMs);
  }
  return { plan, ...(await compactBy(journal, plan, options)) };
}

/**
 * Keeps a snapshot of the newest entry and signs it, also where that is signed already: the
 * snapshot of that signature may be of an older form, or gone, as after an import.
 */
async function signAnew(
  { random, timers, log }: Surroundings,
  journal: Journal,
  signer: Signer,
): Promise<void> {
  const loop = await openLoop({ journal, signer, random, timers, log, signsOnClose: false });
  try {
    const state = await loop.look();
    const command = await keepPlace({ head: loop.head(), state }, { journal, timers, signer });
    const answer = await loop.submit(command, { kind: "system", via: "runtime" });
    if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
  } finally {
    await loop.close();
  }
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
