// Rounds in which a fleet is killed while spawns are on their way. In some of them launchers and
// whatever else is about to become a worker are stopped, by SIGSTOP, at the step where they are.
import { randomInt } from "node:crypto";
import { expect } from "vitest";
import { commandOf, environmentOf, listProcesses } from "../support/process-table.ts";
import type { Called } from "../support/cli.ts";
import { makeField, spin, type Field, type Rung } from "./field.ts";

/** Spawns on their way in a round. */
const spawnsPerRound = 3;

/** How far apart the calls of a round are made, at most, ms: about what one takes. */
const withinMs = 2_000;

/** How often it is looked for starts to stop, ms: one takes longer. */
const haltEveryMs = 5;

/** What rounds came to. */
export interface Tally {
  /** Spawns that a kill came after. */
  readonly started: number;
  /** Spawns that a kill came before. */
  readonly refused: number;
  /** Processes that were stopped on their way. */
  readonly halted: number;
}

/** Kills a fleet so many times while workers start in it, and counts each time what is left. */
export async function raceKills(rung: Rung, rounds: number): Promise<Tally> {
  const field = await makeField(rung);
  const tally: Counts = { started: 0, refused: 0, halted: 0 };
  for (let round = 0; round < rounds; round += 1) {
    if (round > 0) await beginAnew(field);
    await field.supervise();
    const spawns = await race(field, round % 2 === 1, tally);
    for (const spawned of spawns) {
      if (spawned.exit === 0) tally.started += 1;
      else tally.refused += Number(mustBeRefused(spawned));
    }
    await mustBeOver(field);
  }
  return tally;
}

type Counts = { -readonly [Name in keyof Tally]: Tally[Name] };

/** Spawns and kills at the same time; nothing lives when the kill has answered, nor after. */
async function race(field: Field, isHalting: boolean, tally: Counts): Promise<readonly Called[]> {
  const halter = isHalting ? haltStarts(field) : undefined;
  try {
    const spawning = Array.from({ length: spawnsPerRound }, async (_, index) => {
      await spin(withinMs);
      const program = ["--", ...field.command()];
      return field.call(["spawn", "--json", "--name", `racer-${index}`, ...program]);
    });
    await spin(withinMs);
    await kill(field);
    const spawns = await Promise.all(spawning);
    mustHaveNoSurvivor(field);
    return spawns;
  } finally {
    tally.halted += halter?.stop() ?? 0;
  }
}

async function kill(field: Field): Promise<void> {
  const killed = await field.call(["kill", "--reason", "a race", "--yes", "--json"]);
  mustHaveNoSurvivor(field);
  const { receipt } = killed.json().data;
  expect(receipt).toMatchObject({ survivor_count: 0 });
  expect(killed.exit).toBe(receipt.proven ? 0 : 6);
}

function mustHaveNoSurvivor(field: Field): void {
  expect(field.living()).toEqual([]);
  expect(field.isHeld()).toBe(false);
}

function mustBeRefused(spawned: Called): boolean {
  const { refusal, error } = spawned.json();
  // A supervisor that has left, a start that was cut short, or one whose worker the kill had told
  // to stop before it was registered: then nothing runs either.
  expect(["fleet_killed", "manifest_used", "sandbox_failed", "supervisor_unreachable"]).toContain(
    refusal?.code ?? error?.code,
  );
  return refusal !== undefined;
}

/** The supervisor of a killed fleet leaves by itself; another fleet begins in its place. */
async function beginAnew(field: Field): Promise<void> {
  await field.done(["init", "--new-fleet", "--json"]);
}

/** By the journal nobody is left, and it is whole. */
async function mustBeOver(field: Field): Promise<void> {
  await expect.poll(() => field.liveIds()).toEqual([]);
  await field.done(["journal", "verify", "--json"]);
}

/** Stops each process of the fleet that is not a worker yet, when it is first seen, or not. */
function haltStarts(field: Field): { stop(): number } {
  let halted = 0;
  const seen = new Set<number>();
  const look = (): void => {
    for (const { pid } of listProcesses()) {
      if (seen.has(pid) || !isOnItsWay(field, pid)) continue;
      seen.add(pid);
      if (randomInt(2) === 0) continue;
      halted += Number(stopProcess(pid));
    }
  };
  const looking = setInterval(look, haltEveryMs);
  return {
    stop: () => {
      clearInterval(looking);
      return halted;
    },
  };
}

/** A launcher, what sets namespaces up, or a keeper: it bears the instance and no worker's mark. */
function isOnItsWay(field: Field, pid: number): boolean {
  const command = commandOf(pid);
  return (
    command.includes(field.mark) &&
    !command.includes(`${field.mark}:`) &&
    environmentOf(pid).some((line) => line.startsWith("STINT_INSTANCE="))
  );
}

function stopProcess(pid: number): boolean {
  try {
    process.kill(pid, "SIGSTOP");
    return true;
  } catch {
    // It ended meanwhile.
    return false;
  }
}
