import type { Command } from "../../src/kernel/command.ts";
import type { Lease } from "../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import type { Asked } from "../audit/answers.ts";
import { makePlainAdmission, makePlainRegistration } from "../commands/admission.ts";
import {
  makeHoarding,
  makePlainAcquisition,
  makePlainRenewal,
  makePlainSplit,
} from "../commands/lease.ts";
import { makeQuestion } from "../commands/question.ts";
import { makeEnd, makeRequest } from "../commands/source.ts";
import type { Request } from "../commands/view.ts";
import type { Clockwork } from "./clockwork.ts";
import type { Process } from "./process.ts";
import { crowd, entangle, lineUp } from "./queueing.ts";
import type { World } from "./world.ts";

/** How many processes share the store at most. */
const PROCESSES_MAX = 4;

/** After so many answers of a clock that nobody believes, somebody looks at it. */
const SKEWS_MAX = 3;

/** How often somebody hoards leases in a world where he may, once. */
const HOARD_SHARE = 0.03;

/** How often a few wait for each other or in a line, in a world that is all about leases. */
const LINE_SHARE = 0.05;

/** How often somebody asks whether he may write, in a world that is all about leases. */
const QUESTION_SHARE = 0.4;

/** How many workers a family has at most. */
const FAMILY_MAX = 6;

/** Does the next thing to a world: mostly asks something, sometimes breaks something. */
export async function stimulate(world: World, clockwork: Clockwork): Promise<void> {
  const { random, open, living } = world;
  if (world.skewCount >= SKEWS_MAX && random.chance(0.5)) return clockwork.mend();
  if (living.length === 0 || (living.length < PROCESSES_MAX && random.chance(0.08))) {
    startOne(world);
    return;
  }
  const process = open.length === 0 ? undefined : random.pick(open);
  if (process === undefined) return clockwork.move();
  await strike(world, clockwork, process);
}

/** Has somebody kill the fleet, through any process. */
export function killFleet(world: World): void {
  const { random, open } = world;
  if (open.length === 0) return;
  const process = random.pick(open);
  const id = random.chance(0.5) ? world.freshId() : null;
  world.submit(process, { ...makeEnd(world.viewFrom(process)), id });
}

async function strike(world: World, clockwork: Clockwork, process: Process): Promise<void> {
  const { random, asked, temper } = world;
  if (random.chance(temper.leaseShare * QUESTION_SHARE))
    world.ask(process, makeQuestion(world.viewFrom(process), world.store.nowMs()));
  const mayHoard = temper.hoards && world.tally.of("happenings", "hoard") === 0;
  if (mayHoard && random.chance(HOARD_SHARE)) return hoard(world, process);
  const mayCrowd = temper.crowds && world.tally.of("happenings", "crowd") === 0;
  if (mayCrowd && random.chance(HOARD_SHARE)) return crowd(world, process);
  if (random.chance(temper.leaseShare * LINE_SHARE))
    return random.chance(0.5) ? entangle(world, process) : lineUp(world, process);
  if (!random.chance(temper.disturbanceShare)) return ask(world, process);
  const draw = random.below(126);
  if (draw >= 120) return world.compact(process);
  if (draw >= 100) return raiseFamily(world, process);
  if (draw < 25 && asked.length > 0) return repeat(world, process, random.pick(recent(asked)));
  if (draw < 65) return clockwork.move();
  if (draw < 75) return world.crash(process);
  if (draw < 80) return leave(world, process);
  if (draw < 82) return clockwork.reboot();
  if (draw < 83) return lose(world);
  if (draw < 88) return learnKey(world, process);
  world.look(process);
}

/** Those that were asked last, with a few old ones. */
function recent(asked: readonly Asked[]): readonly Asked[] {
  return [...asked.slice(0, 3), ...asked.slice(-12)];
}

function ask(world: World, process: Process): void {
  const { random } = world;
  if (process.signer !== world.fleetSigner() && random.chance(0.3)) learnKey(world, process);
  const id = random.chance(0.5) ? world.freshId() : null;
  world.submit(process, { ...makeRequest(world.viewFrom(process)), id });
}

/** The same id again: most often with the same body, sometimes with another, or by another. */
function repeat(world: World, process: Process, asked: Asked): void {
  const { random } = world;
  const draw = random.below(10);
  world.happen("duplicate", asked.id ?? "");
  if (draw === 0) {
    const other = makeRequest(world.viewFrom(process));
    world.submit(process, { ...other, id: asked.id });
  } else {
    const command = draw === 1 ? alter(asked.command) : asked.command;
    world.submit(process, { ...asked, command });
  }
}

/** A few generations come into being undisturbed, so that there is a lineage to disturb. */
async function raiseFamily(world: World, process: Process): Promise<void> {
  const { random, temper } = world;
  world.happen("family", process.name);
  const lineage: string[] = [];
  for (let count = 0; count < FAMILY_MAX && process.status === "open"; count += 1) {
    const parent = random.chance(0.7) ? lineage.at(-1) : lineage.at(-2);
    const child = await bear(world, process, parent ?? lineage[0] ?? null);
    if (child === null) break;
    lineage.push(child);
  }
  if (lineage.length > 1 && random.chance(temper.leaseShare))
    await lendDown(world, process, lineage);
}

/** A worker is admitted and registers; answers its id, or null when it was refused. */
export async function bear(
  world: World,
  process: Process,
  parent: string | null,
): Promise<string | null> {
  const view = world.viewFrom(process);
  world.submit(process, { ...makePlainAdmission(view, parent), id: null });
  await world.comeToRest();
  const admitted = world.auditor.entries.at(-1);
  if (admitted?.kind !== "worker.admitted") return null;
  const { manifest } = admitted.data;
  world.submit(process, { ...makePlainRegistration(view, manifest), id: null });
  await world.comeToRest();
  return manifest.instance;
}

/**
 * The first of a lineage gets ground, each lends all or a part of it to the next, and the last one
 * renews what it has.
 */
async function lendDown(world: World, process: Process, lineage: readonly string[]): Promise<void> {
  world.happen("lending", process.name);
  const newest = (): Lease | undefined => {
    const { book, seq } = world.auditor.state;
    return book.leases.get(`l-${seq}`);
  };
  const carry = (request: Request): Promise<void> => {
    world.submit(process, { ...request, id: null });
    return world.comeToRest();
  };
  for (const [index, worker] of lineage.entries()) {
    const view = world.viewFrom(process);
    const lease = newest();
    if (index === 0) await carry(makePlainAcquisition(view, worker));
    else if (lease !== undefined) await carry(makePlainSplit(view, lease, worker));
    if (newest() === undefined || process.status !== "open") return;
  }
  const last = newest();
  if (last !== undefined) await carry(makePlainRenewal(world.viewFrom(process), last));
}

/** Somebody takes as many leases as he may, and one more; later they are all over at once. */
async function hoard(world: World, process: Process): Promise<void> {
  world.happen("hoard", process.name);
  const from = world.auditor.state.seq;
  for (let index = 0; index <= LIMITS.leasesPerHolderMax && !world.isBroken; index += 1) {
    if (process.status !== "open") return;
    const request = makeHoarding(world.viewFrom(process), from + index);
    world.submit(process, { ...request, id: null });
    // The first tells whether there is any use in more.
    if (index > 0) continue;
    await world.comeToRest();
    if (world.auditor.entries.at(-1)?.kind !== "lease.granted") return;
  }
  await world.comeToRest();
}

function alter(command: Command): Command {
  if (!("reason" in command.data)) return { kind: "clock.tick", data: {} };
  return { ...command, data: { ...command.data, reason: "failed" } } as Command;
}

/** A process leaves, and somebody asks it once more all the same. */
function leave(world: World, process: Process): void {
  world.close(process);
  if (world.random.chance(0.3)) ask(world, process);
}

/** A backup from not long ago is restored; what it lacks of the fleet is lost. */
async function lose(world: World): Promise<void> {
  const { entries } = world.auditor;
  const index = entries.length - 2 - world.random.below(30);
  const [kept, next] = [entries[index], entries[index + 1]];
  // The first entry makes the fleet: without it there is nothing to go on with. And a decision is
  // appended whole, so no backup has a part of one.
  if (kept !== undefined && next !== undefined && kept.id !== next.id) await world.lose(kept.seq);
}

/** Most often with the fleet's key, sometimes with one that was replaced or never its own. */
function startOne(world: World): void {
  if (world.random.chance(0.05)) world.start(world.random.pick(world.signers));
  else world.start();
}

/** A process is told of the fleet's key after a rotation. */
function learnKey(world: World, process: Process): void {
  const signer = world.fleetSigner();
  if (signer === process.signer) return world.look(process);
  process.signer = signer;
  process.loop?.useSigner(signer);
  world.happen("key learned", process.name);
}
