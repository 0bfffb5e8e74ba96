import { afterEach, expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import type { Entry } from "../../src/kernel/entry.ts";
import { evolve } from "../../src/kernel/evolve.ts";
import { findViolations } from "../../src/kernel/invariants/invariants.ts";
import { INITIAL_STATE } from "../../src/kernel/state.ts";
import { GENESIS, type Head, type Journal } from "../../src/ports/journal.ts";
import { openLoop } from "../../src/runtime/open-loop.ts";
import { compareWithReplay } from "../../src/runtime/replay.ts";
import { redecide } from "../../src/runtime/replaying/redeciding.ts";
import { systemClock } from "../../src/system/clock.ts";
import { systemRandom } from "../../src/system/random.ts";
import { Child } from "../journal/fixtures/child.ts";
import { freshFolder } from "../journal/fixtures/folder.ts";
import { create, granted, OPERATOR, SIGNER } from "./rig.ts";

const children: Child[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.signal("SIGKILL");
    await child.end();
  }
});

function start(name: string, ...args: string[]): Child {
  const child = new Child(new URL(name, import.meta.url), args);
  children.push(child);
  return child;
}

async function readAll(journal: Journal): Promise<readonly Entry[]> {
  const all: Entry[] = [];
  let after: Head = GENESIS;
  for (;;) {
    const entries = await journal.read(after, 1_000);
    const last = entries.at(-1);
    if (last === undefined) return all;
    all.push(...entries);
    after = last;
  }
}

test("[RT24] eight processes at once never exceed a limit (replication A1, A2)", async () => {
  const folder = freshFolder();
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  const loop = await openLoop({ journal, signer: SIGNER, random: systemRandom() });
  await granted(loop.submit(create({ max_replicas: 4, refusals_per_minute: 10_000 }), OPERATOR));
  const names = "abcdefgh";
  const admitters = names.split("").map((name) => start("admitter.case.ts", folder, name, "6"));
  for (const admitter of admitters) expect(await admitter.end()).toBe(0);

  let state = INITIAL_STATE;
  const counts = new Set<number>();
  for (const entry of await readAll(journal)) {
    const next = evolve(state, entry);
    expect(findViolations(state, entry, next)).toEqual([]);
    counts.add(next.live_count);
    state = next;
  }
  // Full, and never fuller.
  expect(Math.max(...counts)).toBe(4);
  expect(state.live_count).toBe(0);

  const reports = (await Promise.all(admitters.map(({ output }) => output))).map(
    (text) => JSON.parse(text) as { codes: Record<string, number>; shared: unknown },
  );
  const codes = new Set(reports.flatMap((report) => Object.keys(report.codes)));
  expect([...codes]).toEqual(["max_replicas"]);
  // Whatever all of them asked under one id was done once, and each was answered with it.
  for (const { shared } of reports) expect(shared).toEqual(reports[0]?.shared);
  expect(Object.keys(reports[0]?.shared ?? {})).toHaveLength(6);

  expect(await compareWithReplay(journal, loop)).toMatchObject({ isSame: true });
  expect(await redecide(journal)).toEqual([]);
  await loop.close();
  await journal.close();
}, 60_000);

test("[RT25] a new process forgets nothing (replication A3, B8, C5)", async () => {
  const folder = freshFolder();
  expect(await start("newcomer.case.ts", folder, "leave").end()).toBe("SIGKILL");

  const killer = start("newcomer.case.ts", folder, "kill");
  expect(await killer.end()).toBe(0);
  // A place that was reserved when its process died is still taken.
  expect(JSON.parse(await killer.output)).toEqual({ status: "open", live: 2, total: 2 });

  for (let count = 0; count < 2; count += 1) {
    const newcomer = start("newcomer.case.ts", folder, "try");
    expect(await newcomer.end()).toBe(0);
    expect(JSON.parse(await newcomer.output)).toEqual({
      status: "killed",
      live: 2,
      total: 2,
      codes: ["fleet_killed", "fleet_killed", "fleet_killed"],
    });
  }
}, 60_000);
