// Rounds in which a supervisor, or a command line that runs a worker in the foreground, is killed
// on the spot while workers are being started.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { expect } from "vitest";
import { awaitGone } from "../support/process-table.ts";
import { makeField, spin, type Field, type Rung } from "./field.ts";

/** Workers that are spawned in a round, besides the one in the foreground. */
const spawnsPerRound = 2;

/** How long after the calls of a round have begun the kill comes, at most, ms. */
const killWithinMs = 2_500;

/** How long a busy machine may take until workers run, ms. */
const startWithinMs = 60_000;

/** How long workers may take to die with their supervisor, ms. */
const dieWithinMs = 10_000;

/** What rounds came to. */
export interface Tally {
  /** Workers whose start was acknowledged. */
  readonly acknowledged: number;
  /** Calls whose supervisor was killed under them. */
  readonly broken: number;
}

/**
 * Kills a supervisor and a command line in turn, so many times, and demands after each kill that
 * whatever runs is a live worker by the journal, and after all of them that nobody was started
 * twice and nothing that was acknowledged is lost.
 */
export async function killInTurn(rung: Rung, rounds: number): Promise<Tally> {
  const field = await makeField(rung);
  const acknowledged = new Set<string>();
  let broken = 0;
  for (let round = 0; round < rounds; round += 1) {
    await field.supervise();
    await noOrphanLives(field);
    const runner = await field.begin(["run", "--json", "--", ...field.command()]);
    runner.stdout.resume();
    runner.stderr.resume();
    const runIds = Array.from({ length: spawnsPerRound }, (_, index) => `run-${round}-${index}`);
    const spawning = runIds.map((runId) => spawnOnce(field, runId));
    await awaitMoment(field);
    if (round % 2 === 0) await killSupervisor(field);
    else runner.kill("SIGKILL");
    for (const [index, spawned] of (await Promise.all(spawning)).entries()) {
      // Whoever heard nothing asks again, and gets the same worker.
      const id = spawned ?? (await spawnOnce(field, runIds[index] ?? ""));
      if (spawned === undefined) broken += 1;
      if (id !== undefined) acknowledged.add(id);
    }
    runner.kill("SIGKILL");
    if (runner.exitCode === null && runner.signalCode === null) await once(runner, "exit");
    mustBeStartedOnce(field);
  }
  await field.supervise();
  await noOrphanLives(field);
  await mustHoldAll(field, acknowledged);
  await endAll(field);
  return { acknowledged: acknowledged.size, broken };
}

/** Spawns a worker under the name of its start; undefined when that was not acknowledged. */
async function spawnOnce(field: Field, runId: string): Promise<string | undefined> {
  const args = ["spawn", "--json", "--name", runId, "--run-id", runId, "--", ...field.command()];
  const spawned = await field.call(args);
  return spawned.exit === 0 ? spawned.json().data.worker_id : undefined;
}

/** A moment in the middle of the starts: at any time, or as soon as so many have come to run. */
async function awaitMoment(field: Field): Promise<void> {
  if (randomInt(2) === 0) return spin(killWithinMs);
  const enough = field.starts().length + randomInt(1, spawnsPerRound + 1);
  const how = { interval: 5, timeout: startWithinMs };
  await expect.poll(() => field.starts().length, how).toBeGreaterThanOrEqual(enough);
}

/** On the upper rungs its workers die with it, whatever else happens or does not. */
async function killSupervisor(field: Field): Promise<void> {
  const running = field.living();
  field.killSupervisor();
  if (field.rung !== "process-group") expect(await awaitGone(running, dieWithinMs)).toEqual([]);
}

/** Whatever runs belongs to a live worker, and every worker that is to run does. */
async function noOrphanLives(field: Field): Promise<void> {
  const orphans = async (): Promise<readonly string[]> => {
    const running = field.living().map(({ instance }) => instance);
    const live = new Set(await field.liveIds());
    return running.filter((instance) => !live.has(instance));
  };
  await expect.poll(orphans).toEqual([]);
}

function mustBeStartedOnce(field: Field): void {
  const starts = field.starts();
  expect(starts.toSorted()).toEqual([...new Set(starts)].toSorted());
}

async function mustHoldAll(field: Field, acknowledged: ReadonlySet<string>): Promise<void> {
  const listed = await field.done(["workers", "--all", "--json"]);
  const held: ReadonlySet<string> = new Set(
    listed.json().data.workers.map((one: { readonly id: string }) => one.id),
  );
  expect([...acknowledged].filter((id) => !held.has(id))).toEqual([]);
  // And nobody ran of whom the journal knows nothing.
  expect(field.starts().filter((id) => !held.has(id))).toEqual([]);
  await field.done(["journal", "verify", "--json"]);
}

async function endAll(field: Field): Promise<void> {
  const killed = await field.call(["kill", "--reason", "end of rounds", "--yes", "--json"]);
  expect(killed.json().data.receipt).toMatchObject({ survivor_count: 0 });
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
}
