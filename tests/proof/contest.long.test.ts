import { expect, test } from "vitest";
import { makeRig } from "../supervisor/rig.ts";
import { holdContest, LENIENT, makeSite, wrongsOf, type Outcome } from "./contest.ts";

const LONG = { forMs: 30_000, killsMin: 10, stopsMin: 8, fencedMin: 1 } as const;

/** What has to have happened in a contest, or nothing was tried by it. */
const HAPPENED = [
  "lease.granted",
  "lease.renewed",
  "lease.lapsed",
  "lease.released",
  "refused conflict",
  "refused lease_ended",
];

function missingIn({ audit }: Outcome): readonly string[] {
  return HAPPENED.filter((what) => (audit.counts[what] ?? 0) === 0);
}

test("[LP1] eight processes never hold the same ground, for 30 s (leases H03)", async () => {
  const outcome = await holdContest(await makeSite(), LONG);
  expect(wrongsOf(outcome)).toEqual([]);
  expect(missingIn(outcome)).toEqual([]);
}, 300_000);

test("[LP2] nor do they through a supervisor that is killed halfway", async () => {
  const rig = await makeRig(LENIENT);
  await rig.supervise();
  const outcome = await holdContest(rig.stateDir, {
    ...LONG,
    halfway: () => process.kill(rig.about.pid, "SIGKILL"),
  });
  expect(wrongsOf(outcome)).toEqual([]);
  expect(missingIn(outcome)).toEqual([]);
}, 300_000);
