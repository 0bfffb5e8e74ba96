import type { Leaving } from "../../compose/record/archive.ts";
import { durationOption } from "../../config/amount.ts";
import type { KeepRule } from "../../runtime/compaction/plan.ts";
import { Fault } from "../../ports/fault.ts";
import type { Call, Said } from "../call.ts";
import { segmentDocument } from "../record/segment.ts";
import { integerText } from "../text/integer.ts";
import { instantText } from "../text/duration.ts";
import { countText, sizeText } from "../text/size.ts";
import type { Given, Verb } from "../verb.ts";

const dayMs = 86_400_000;

/** How long an entry stays in the store when nothing is said about it, ms. */
const keepMsDefault = 30 * dayMs;

/** How often progress is told, ms. */
const progressEveryMs = 1_000;

const compact: Verb = {
  name: "journal compact",
  summary: "Move old entries out of the store into the archive",
  details:
    "Writes entries that are older than --keep into segments, files of JSON lines in the folder " +
    "`segments` of the state folder, and has the store give up their texts. Nothing is lost: " +
    "explain, tail, verify, export and all else reach into the archive, as long as its files " +
    "stay where they are. Others work on meanwhile. Interrupted, it may be called again and goes " +
    "on.\n\n" +
    "The space is used again by new entries; the file of the store does not get smaller. The " +
    "newest entry stays, and so does what comes after the newest signed snapshot, which is made " +
    "first where it is needed: so opening the fleet needs no segment. What is old is so by " +
    "journal time.",
  options: [
    {
      flags: "--keep <duration>",
      description: "what is younger stays (default: 30d)",
      parse: durationOption("--keep"),
    },
    {
      flags: "--keep-entries <count>",
      description: "of what is younger only so many of the newest stay",
      parse: integerText("--keep-entries", 1),
    },
    { flags: "--dry-run", description: "only say what would be moved" },
  ],
  examples: ["stint journal compact --dry-run", "stint journal compact --keep 90d"],
  run,
};

async function run(call: Call, { options }: Given): Promise<Said> {
  // As their parsers have made them.
  const { keep, keepEntries } = options as {
    readonly keep?: number;
    readonly keepEntries?: number;
  };
  const isDry = options["dryRun"] === true;
  const { stateDir } = await call.place();
  const { compactStore, countLeaving } = await import("../../compose/record/archive.ts");
  let toldAtMs = performance.now();
  const rule = { keepMs: keep ?? keepMsDefault, keepEntries: keepEntries ?? null };
  const done = await compactStore(stateDir, {
    keep: rule,
    isDry,
    signal: call.signal,
    onProgress(doing, seq) {
      if (!call.isTerminal || performance.now() - toldAtMs < progressEveryMs) return;
      toldAtMs = performance.now();
      call.note(`${doing}: entry ${seq}`);
    },
  });
  const { plan, segments, movedCount } = done;
  if (!isDry && plan.untilSeq < plan.wantedSeq && segments.length === 0 && movedCount === 0) {
    const must = `the journal's head must be signed beyond entry ${plan.untilSeq}`;
    throw new Fault("storage_busy", `${must} to compact it, others kept it from being so`, {
      retryable: true,
    });
  }
  const isNothing = segments.length === 0 && movedCount === 0;
  const leaving = isDry || isNothing ? await countLeaving(stateDir, plan) : null;
  const sizeBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  return {
    data: {
      dry_run: isDry,
      until_seq: plan.untilSeq,
      wanted_seq: plan.wantedSeq,
      archived_before_seq: plan.archivedSeq,
      moved_count: movedCount,
      would_move_count: isDry ? (leaving?.count ?? 0) : null,
      archived_bytes: sizeBytes,
      segments: segments.map(segmentDocument),
    },
    text:
      leaving === null
        ? said({ segments, movedCount, sizeBytes })
        : leavingSaid(leaving, { isDry, rule, firstSeq: plan.archivedSeq + 1 }),
    seq: plan.head.seq,
  };
}

/** What a dry run says, and one that had nothing to move. */
function leavingSaid(
  { count, newestAtMs, storeCount }: Leaving,
  so: { readonly isDry: boolean; readonly rule: KeepRule; readonly firstSeq: number },
): string {
  const { isDry, rule, firstSeq } = so;
  if (count > 0 && newestAtMs !== null)
    return (
      `${countText(count, "entry", "entries")}, from ${firstSeq} on, would be moved into the ` +
      `archive, the newest of ${instantText(newestAtMs)}.`
    );
  const nothing = isDry ? "Nothing would be moved" : "Nothing was moved";
  if (storeCount <= 1) return `${nothing}: the store has its newest entry alone, which stays.`;
  const { keepEntries } = rule;
  if (keepEntries === null) return `${nothing}: all that is kept is younger.`;
  const has = countText(storeCount, "entry", "entries");
  return `${nothing}: the store has ${has}, ${keepEntries} stay, and none is older than --keep.`;
}

function said(done: {
  readonly segments: readonly { readonly name: string; readonly lastAtMs: number }[];
  readonly movedCount: number;
  readonly sizeBytes: number;
}): string {
  const { segments, movedCount, sizeBytes } = done;
  const last = segments.at(-1);
  const entries = countText(movedCount, "entry", "entries");
  if (last === undefined) return `${entries} moved: what another had left halfway is done.`;
  return (
    `${entries} moved into ${countText(segments.length, "segment")} (${sizeText(sizeBytes)}), ` +
    `the newest of ${instantText(last.lastAtMs)}.`
  );
}

/** The verb `journal compact`. */
export const VERBS: readonly Verb[] = [compact];
