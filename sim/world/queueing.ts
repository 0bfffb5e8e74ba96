import type { Lease } from "../../src/kernel/lease/lease.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { makeHoarding } from "../commands/lease.ts";
import {
  drawGround,
  makeCrowding,
  makeEntangling,
  makeLining,
  makePlainHandOver,
  makePlainKeep,
  makePlainRelease,
} from "../commands/place.ts";
import type { Request, View } from "../commands/view.ts";
import type { Process } from "./process.ts";
import type { World } from "./world.ts";

/** How many get into each other's way, or stand in a line, at the least and at the most. */
const PARTIES_MIN = 2;
const PARTIES_MAX = 5;

/** For how many grounds they ask at the most. */
const GROUNDS_MAX = 3;

/** How often something moves on: so many give something back, keep their places up or come by. */
const MOVES_MAX = 10;

/** A few take ground, and then each waits for what another has: often in a circle. */
export async function entangle(world: World, process: Process): Promise<void> {
  const { random } = world;
  world.happen("entangling", process.name);
  const count = 2 + random.below(2);
  for (const waits of [false, true])
    for (let index = 0; index < count; index += 1)
      await carry(world, process, (view) => makeEntangling(view, { index, waits }));
}

/** Several ask for the same few grounds; what is given back passes on, while others come by. */
export async function lineUp(world: World, process: Process): Promise<void> {
  const { random } = world;
  world.happen("line", process.name);
  const view = world.viewFrom(process);
  const grounds = Array.from({ length: 1 + random.below(GROUNDS_MAX) }, () => drawGround(view));
  const count = PARTIES_MIN + random.below(PARTIES_MAX - PARTIES_MIN + 1);
  const waits = true;
  for (const ground of grounds)
    for (let index = 0; index < count; index += 1)
      if (grounds.length === 1 || random.chance(0.6))
        await carry(world, process, (now) => makeLining(now, { index, ground, waits }));
  for (let move = random.below(MOVES_MAX); move > 0; move -= 1) {
    if (random.chance(0.4)) world.clock.advance(random.pick([1_000, 5_000, 8_000, 16_000]));
    const ground = random.pick(grounds);
    const passing = { index: random.below(PARTIES_MAX + 1), ground, waits: random.chance(0.3) };
    await moveOn(world, process, passing);
  }
}

/** Somebody gives something back, or keeps a place up, or comes by. */
async function moveOn(
  world: World,
  process: Process,
  passing: Parameters<typeof makeLining>[1],
): Promise<void> {
  const { random } = world;
  const { book } = world.auditor.state;
  const [leases, places] = [[...book.leases.values()], [...book.queue.places.values()]];
  const draw = random.below(10);
  if (draw < 4 && leases.length > 0) {
    // Most often what was given last.
    const lease = random.chance(0.6) ? newestOf(leases) : random.pick(leases);
    await carry(world, process, (view) => makePlainRelease(view, lease));
    // Now somebody comes by who has not waited.
    if (random.chance(0.5))
      await carry(world, process, (view) => makeLining(view, { ...passing, waits: false }));
  } else if (draw < 9 && places.length > 0) {
    const [first = random.pick(places)] = places;
    const place = random.chance(0.4) ? first : random.pick(places);
    // Who is handed what it waits for has it by another way.
    if (leases.length > 0 && random.chance(0.15))
      await carry(world, process, (view) =>
        makePlainHandOver(view, newestOf(leases), place.holder),
      );
    await carry(world, process, (view) => makePlainKeep(view, place));
  } else await carry(world, process, (view) => makeLining(view, passing));
}

function newestOf(leases: readonly Lease[]): Lease {
  return leases.reduce((newest, one) => (one.fence > newest.fence ? one : newest));
}

async function carry(world: World, process: Process, make: (view: View) => Request): Promise<void> {
  if (process.status !== "open" || world.isBroken) return;
  world.submit(process, { ...make(world.viewFrom(process)), id: null });
  await world.comeToRest();
}

/** Somebody has ground, and another waits for it in more places than anybody may. */
export async function crowd(world: World, process: Process): Promise<void> {
  world.happen("crowd", process.name);
  world.submit(process, { ...makeHoarding(world.viewFrom(process), 0), id: null });
  await world.comeToRest();
  const from = world.auditor.state.seq;
  for (let index = 0; index <= LIMITS.placesPerHolderMax && !world.isBroken; index += 1) {
    if (process.status !== "open") return;
    const request = makeCrowding(world.viewFrom(process), from + index);
    world.submit(process, { ...request, id: null });
    // The first tells whether there is any use in more.
    if (index > 0) continue;
    await world.comeToRest();
    if (world.auditor.entries.at(-1)?.kind !== "place.queued") return;
  }
  await world.comeToRest();
}
