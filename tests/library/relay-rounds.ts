// Rounds in which a supervisor is killed on the spot with commands on their way to it.

import { randomInt } from "node:crypto";
import type { Fleet } from "stint";
import { expect } from "vitest";
import { foundFleet, killOnTheSpot, openAt, supervised } from "../client/rig.ts";
import { entriesOf } from "./rig.ts";

/** Commands of each handle in a round: several group commits of them. */
const commandsPerRound = 60;

/** How long after the first answer the kill comes, at most, ms. */
const killWithinMs = 40;

/** What the rounds came to. */
export interface Tally {
  /** Commands that were granted. */
  readonly granted: number;
  /** How many commands were on their way when the kills came. */
  readonly underWay: number;
}

/**
 * Kills a supervisor so many times while three handles give commands through it, and checks that
 * each of those commands was granted, and stands in the journal once.
 */
export async function killRounds(rounds: number): Promise<Tally> {
  const { dir, fleet } = await foundFleet();
  const handles = [fleet, await openAt(dir), await openAt(dir)];
  const handed: string[] = [];
  let underWay = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { row } = await supervised(dir);
    for (const handle of handles) expect(await handle.supervisor()).not.toBeNull();
    let answered = 0;
    const first = Promise.withResolvers<void>();
    const given = handles.flatMap((handle, one) =>
      Array.from({ length: commandsPerRound }, async (_, index) => {
        const name = `round ${round} handle ${one} command ${index}`;
        await handle.requestHalt({ handle: name, reason: "to be there once" });
        answered += 1;
        first.resolve();
        return name;
      }),
    );
    await first.promise;
    await spin(randomInt(killWithinMs));
    underWay += given.length - answered;
    await killOnTheSpot(row);
    handed.push(...(await Promise.all(given)));
  }
  await mustHoldEachOnce(fleet, handed);
  return { granted: handed.length, underWay };
}

async function mustHoldEachOnce(fleet: Fleet, handed: readonly string[]): Promise<void> {
  const entries = await entriesOf(fleet);
  const halts = entries.flatMap((entry) =>
    entry.kind === "halt.requested" ? [entry.data.handle] : [],
  );
  expect(halts.toSorted()).toEqual([...handed].toSorted());
  const { ok, problems } = await fleet.audit();
  expect({ ok, problems }).toEqual({ ok: true, problems: [] });
}

/** Lets others run until so many milliseconds have passed. */
async function spin(forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) await new Promise((resolve) => setImmediate(resolve));
}
