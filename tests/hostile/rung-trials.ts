// The trials of one rung: a file for each, so that they run side by side.
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { findCgroups } from "../../src/sandbox/cgroup/find.ts";
import { probeRungs } from "../../src/sandbox/process/rung/probe.ts";
import { needs, needsProgram } from "../support/require-all.ts";
import { type Arena, openArena } from "./arena.ts";
import { CASES, type HostileCase, isTold, type RungCase, RUNGS, verdictOf } from "./cases.ts";
import { killAll, type Seen, tryIn } from "./trial.ts";
import { NOBODY } from "./traces.ts";

/** Tries every case on a rung, all of a kind in one fleet. */
export function tryRung(name: RungCase["name"]): void {
  // A machine that is busy is slow.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  const rung = RUNGS.find((one) => one.name === name);
  if (rung === undefined) throw new Error(`a rung must be one of the table, got "${name}"`);
  const arenas = new Map<boolean, Promise<Arena>>();
  const arenaOf = ({ isFenced = false }: Pick<HostileCase, "isFenced">): Promise<Arena> => {
    const opened = arenas.get(isFenced) ?? openArena(rung, isFenced);
    arenas.set(isFenced, opened);
    return opened;
  };
  const lacking = whatIsMissing(rung);
  beforeEach(async () => {
    for (const program of ["perl", "flock", "mkfifo"]) needsProgram(program);
    const missing = await lacking;
    needs(missing === undefined, missing ?? "");
  });
  afterAll(async () => {
    for (const opened of arenas.values()) await (await opened).close();
  });

  describe(`hostile workers on the rung "${name}"`, () => {
    for (const one of CASES)
      test(`[HF1] ${one.name}: ${verdictOf(one, rung)}`, async () => {
        const arena = await arenaOf(one);
        const seen = await tryIn(arena, one);
        const { verdict, reasons } = seen;
        const declared = verdictOf(one, rung, arena.host);
        expect({ verdict, reasons }).toEqual({ verdict: declared, reasons });
        expect(faultsOf(one, arena, seen)).toEqual([]);
      });

    test("[HF3] a kill of the fleet leaves nothing of all that would run on", async () => {
      const cases = CASES.filter((one) => wouldRunOn(one, rung));
      const survivors = await killAll(await arenaOf({ isFenced: false }), cases);
      expect(survivors).toEqual(Array(survivors.length).fill(NOBODY));
      expect(survivors.length).toBeGreaterThan(5);
    });

    test("[HF2] the driver says of itself here what the table says of it", async () => {
      needs(process.getuid?.() === 0, "the table says what holds for root");
      for (const opened of arenas.values()) {
        const { host } = await opened;
        expect(host.degraded).toEqual(rung.degraded);
      }
    });
  });
}

/** Whether a case is about running on until it is ended, and is held there. */
function wouldRunOn(one: HostileCase, rung: RungCase): boolean {
  const { outlives = false, ends = "stop" } = one;
  return outlives && ["stop", "grace"].includes(ends) && verdictOf(one, rung) === "held";
}

/** What a verdict stands for besides its word, and does not hold here. */
function faultsOf(one: HostileCase, { rung, host }: Arena, seen: Seen): readonly string[] {
  const isRefused = seen.verdict.startsWith("refused");
  // Who gets through with something else is ended all the same.
  const isLeft = one.outlives === true && seen.verdict.startsWith("degraded");
  const left = isLeft ? { named: 1, locked: 1, heard: 1, inside: 0 } : NOBODY;
  const isSeen = one.ends !== "late" && !isRefused;
  const { before, after, limits, grade, verdict, reasons } = seen;
  const isLimited = verdict === "held" && isTold(one, rung, host);
  const faults: Readonly<Record<string, boolean>> = {
    "held is without a reason": verdict === "held" && reasons.length > 0,
    [`it must leave ${JSON.stringify(left)}`]: JSON.stringify(after) !== JSON.stringify(left),
    [`its end must be ${rung.grade}`]: !isRefused && grade !== rung.grade,
    [`it must be on record at ${one.limit}`]: isLimited && !limits.includes(one.limit),
    // The counts are worth something: what they do not find at the end they found before.
    "its lock must be seen": isSeen && before.locked !== 1,
    "its pipe must be seen": isSeen && before.heard !== 1,
    "its name must be seen": isSeen && one.isUnnamed !== true && before.named === 0,
    "it must be seen inside": isSeen && rung.rung !== "process-group" && before.inside === 0,
  };
  return Object.keys(faults).filter((fault) => faults[fault]);
}

async function whatIsMissing({ rung, isBare }: RungCase): Promise<string | undefined> {
  const probed = (await probeRungs()).find((one) => one.rung === rung);
  if (probed?.works !== true) return `the rung "${rung}": ${probed?.why}`;
  if (rung !== "cgroup") return undefined;
  const hasGroups = (await findCgroups("test-needs")) !== undefined;
  if (!isBare) return hasGroups ? undefined : "no control group can be made here";
  const canHide = process.getuid?.() === 0;
  return hasGroups && !canHide ? "only root can hide control groups" : undefined;
}
