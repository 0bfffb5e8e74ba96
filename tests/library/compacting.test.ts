import { expect, test } from "vitest";
import { compactFleet } from "../../src/library/archive/compacting.ts";
import { codeOf } from "../../src/ports/error-code.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import type { Surroundings } from "../../src/library/seat.ts";
import { begin, granted, note, OPERATOR, Rig, SIGNER } from "../runtime/rig.ts";

const DAY_MS = 86_400_000;

/** What compacting asks of the world, with the clock of a rig. */
function worldOf({ clock, timers, log }: Rig): Surroundings {
  const needed = { clock, timers, log, random: seededRandom(7), openSigner: () => SIGNER };
  return needed as unknown as Surroundings;
}

test("[AX9] age is by journal time: with a wrong wall clock nothing goes", async () => {
  const rig = new Rig();
  const loop = await rig.found({ clock_tolerance_ms: 60_000 });
  await begin(loop, "a");
  const compact = async (keepMs: number | null): Promise<number> => {
    const keep = { keepMs, keepEntries: 3 };
    const from = { journal: rig.journal, secret: "" };
    return (await compactFleet(worldOf(rig), from, { keep })).movedCount;
  };
  await rig.timers.advance(DAY_MS);
  for (let count = 0; count < 3; count += 1) await granted(loop.submit(note("a"), OPERATOR));
  await loop.close();
  const from = { journal: rig.journal, secret: "" };
  const keep = { keepMs: 30 * DAY_MS, keepEntries: null };
  rig.clock.stepWall(31 * DAY_MS);
  const skewed = compactFleet(worldOf(rig), from, { keep });
  expect(await skewed.then(() => "", codeOf)).toBe("clock_skew");
  expect(await rig.journal.segments()).toEqual([]);
  // Where age does not decide nobody asks for the time.
  expect(await compact(null)).toBeGreaterThan(0);
  // What the contract tolerates is tolerated here, too.
  rig.clock.stepWall(-31 * DAY_MS + 50_000);
  expect(await compact(0)).toBeGreaterThan(0);
});
