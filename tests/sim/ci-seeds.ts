import { EVENT_KINDS } from "../../src/kernel/event.ts";
import { COMMAND_KINDS, PROBLEMS } from "../../src/protocol/problem.ts";
import { describeViolation } from "../../sim/report.ts";
import { simulate } from "../../sim/simulation.ts";
import { Tally, type Group } from "../../sim/tally.ts";

/** How much is done to each world of the seeds that CI runs. */
export const CI_STEPS = 100;

/** Simulates one world after another; fails with the command that repeats the first bad one. */
export async function simulateSeeds(so: {
  readonly first: number;
  readonly count: number;
  readonly stepCount: number;
}): Promise<Tally> {
  const tally = new Tally();
  for (let seed = so.first; seed < so.first + so.count; seed += 1) {
    const result = await simulate({ seed, stepCount: so.stepCount });
    if (result.violations.length > 0) throw new Error(describeViolation(result, { fault: null }));
    tally.add(result.tally);
  }
  return tally;
}

/** What a world can answer, record or meet that has not happened in any of these. */
export function listMissing(tally: Tally): readonly string[] {
  // A thousand tokens in one world would be most of all its entries; AT3 plays them.
  const tooMany = "tokens_full";
  const refusals = Object.entries(PROBLEMS)
    .filter(([, { kind, by, reserved }]) => kind === "refusal" && by !== "edge" && !reserved)
    .map(([code]) => code)
    .filter((code) => code !== tooMany);
  const expected: Readonly<Partial<Record<Group, readonly string[]>>> = {
    refusals,
    events: EVENT_KINDS,
    commands: COMMAND_KINDS.filter((kind) => kind !== "refusals.suppress"),
    mishaps: ["busy", "full", "lost", "unknown", "stalled"],
    faults: ["clock_skew", "closed", "key_mismatch", "storage_busy", "storage_full"],
    happenings: [
      "loss",
      "clock accepted by a command",
      "crash",
      "close",
      "reboot",
      "suspend",
      "wall step",
      "clock accepted",
      "family",
      "lending",
      "hoard",
      "crowd",
      "entangling",
      "line",
      "serving",
      "vigil",
      "cut off",
      "dead reaped",
      "silent reaped",
      "pulse emptied",
      "compaction",
      "compaction cut off",
      "entries archived",
    ],
    checks: [
      "held_by_you",
      "free",
      "held_by_other",
      "fence_stale",
      "lapsed",
      "shared_only",
      "outside_rights",
    ],
    waits: ["served", "lease_condition"],
  };
  return Object.entries(expected).flatMap(([group, names]) =>
    names.filter((name) => tally.of(group as Group, name) === 0).map((name) => `${group}: ${name}`),
  );
}
