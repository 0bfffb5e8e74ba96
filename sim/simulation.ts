import type { Signer } from "../src/ports/signer.ts";
import { openSigner } from "../src/signing/signer.ts";
import { checkLoopState, checkReplay } from "./audit/replay.ts";
import type { Violation } from "./audit/violation.ts";
import type { DeliberateFault } from "./deliberate-fault.ts";
import { watchOver } from "./liveness/reaping.ts";
import { serve } from "./liveness/serving.ts";
import type { Tally } from "./tally.ts";
import { Clockwork } from "./world/clockwork.ts";
import { killFleet, stimulate } from "./world/stimulus.ts";
import { World } from "./world/world.ts";

/** What is simulated. */
export interface SimulationOptions {
  readonly seed: number;
  /** How often something is done to the world. */
  readonly stepCount: number;
  /** A fault that is put in on purpose; null for none. */
  readonly fault?: DeliberateFault | null;
  /** Called after every step with the world as it is then; it may do something to its store. */
  readonly afterStep?: (world: World) => Promise<void>;
}

/** What a simulation found. */
export interface Result {
  readonly seed: number;
  readonly stepCount: number;
  /** What was wrong, in the order in which it was found; the run ends with the first. */
  readonly violations: readonly Violation[];
  readonly tally: Tally;
  readonly trace: readonly string[];
  /** SHA-256 over the trace: equal seeds give equal digests. */
  readonly digest: string;
  readonly entryCount: number;
}

/** How many loops are compared with the true state at the end. */
const RESTARTS_AT_END = 2;

/** How often a clock is mended at the end: set right once, then taken as it is. */
const MENDS_MAX = 2;

/** The share of worlds whose fleet is killed. */
const KILL_SHARE = 0.4;

/** The share of worlds in which several wait at the end, until all are served. */
const SERVED_SHARE = 0.4;

/** The share of worlds in which workers are watched at the end, and some die. */
const WATCHED_SHARE = 0.3;

let signers: readonly Signer[] | undefined;

/** The keys of every simulated world: a few, known to all, because deriving them takes time. */
function keysOfWorlds(): readonly Signer[] {
  signers ??= ["first", "second", "third"].map((name) =>
    openSigner(`simulated secret, the ${name}`),
  );
  return signers;
}

/**
 * Simulates one world: real rules, real loops, a real journal in memory, and everything that can
 * happen to them drawn from a seed. Ends with the first violation, or after all steps when the
 * world has come to rest and its journal was replayed.
 */
export async function simulate(options: SimulationOptions): Promise<Result> {
  const { seed, stepCount, fault = null } = options;
  const world = new World({ seed, fault, signers: keysOfWorlds() });
  const clockwork = new Clockwork(world);
  const { random } = world;
  const isKilled = random.chance(KILL_SHARE);
  const killStep = isKilled ? Math.floor(stepCount * (0.5 + random.below(45) / 100)) : -1;
  for (let step = 0; step < stepCount && !world.isBroken; step += 1) {
    world.trace.note(`step ${step}`);
    if (step === killStep) killFleet(world);
    else await stimulate(world, clockwork);
    await goOn(world);
    await options.afterStep?.(world);
  }
  if (!world.isBroken) await end(world, clockwork);
  return {
    seed,
    stepCount,
    violations: world.auditor.violations,
    tally: world.tally,
    trace: world.trace.lines,
    digest: world.trace.digest(),
    entryCount: world.auditor.entries.length,
  };
}

/** Often everybody gets his answer before the next thing happens, often only some. */
async function goOn(world: World): Promise<void> {
  const { random, scheduler } = world;
  await scheduler.settle();
  if (random.chance(0.4)) return world.comeToRest();
  for (let count = random.below(8); count > 0 && !world.isBroken; count -= 1) await world.openOne();
}

/** The storm is over: everybody is answered and of one state, and the journal is replayed. */
async function end(world: World, clockwork: Clockwork): Promise<void> {
  world.weather.calm();
  await world.comeToRest();
  await agree(world);
  for (let count = 0; count < RESTARTS_AT_END; count += 1) world.start();
  await agree(world);
  await mendIfSkewed(world, clockwork);
  await liveOn(world, clockwork);
  for (const process of world.open) world.close(process);
  await world.comeToRest();
  if (!world.isBroken) await checkReplay(world.store.journal, world.auditor);
}

/** In some worlds it is seen that all goes on: who waits is served, who is dead reaped. */
async function liveOn(world: World, clockwork: Clockwork): Promise<void> {
  const { random } = world;
  const [isServed, isWatched] = [random.chance(SERVED_SHARE), random.chance(WATCHED_SHARE)];
  if (!(isServed || isWatched) || world.isBroken) return;
  clockwork.setRight();
  if (!(await isOpenAgain(world))) return;
  if (isServed) await serve(world);
  await world.comeToRest();
  if (!isWatched || world.isBroken) return;
  await watchOver(world);
  await mendIfSkewed(world, clockwork);
  await agree(world);
}

/** Whether the fleet takes something new, once it has been resumed. */
async function isOpenAgain(world: World): Promise<boolean> {
  const { random, auditor } = world;
  if (world.open.length === 0) return false;
  const command = { kind: "fleet.resume", data: { reason: "the storm is over" } } as const;
  const actor = { kind: "operator", id: "eve", via: "cli" } as const;
  if (auditor.state.status === "paused")
    world.submit(random.pick(world.open), { command, actor, id: null });
  await world.comeToRest();
  return auditor.state.status === "open";
}

/** Every process looks, and then has the state that the journal's entries fold to. */
async function agree(world: World): Promise<void> {
  await world.comeToRest();
  for (const process of world.open) world.look(process);
  await world.comeToRest();
  if (world.isBroken) return;
  for (const { loop, name } of world.open) {
    if (loop === undefined) continue;
    checkLoopState(loop.state(), name, world.auditor);
    if (loop.head().seq !== world.auditor.state.seq)
      world.auditor.report("SM3", `${name} has looked, and is not at the end of the journal`);
  }
}

/**
 * A last command shows whether the clock is believed; while it is not, somebody mends it. Who sets
 * right what was set wrong may find that the host was down for longer than anybody believes: then
 * the clock is accepted.
 */
async function mendIfSkewed(world: World, clockwork: Clockwork): Promise<void> {
  for (let count = 0; count < MENDS_MAX && (await isSkewed(world)); count += 1) {
    await clockwork.mend();
    world.start();
    await agree(world);
  }
}

/** Whether a command that says nothing but the time is refused for the clock. */
async function isSkewed(world: World): Promise<boolean> {
  const [process] = world.open;
  if (process === undefined) return false;
  world.skewCount = 0;
  const actor = { kind: "system", via: "runtime" } as const;
  world.submit(process, { command: { kind: "clock.tick", data: {} }, actor, id: null });
  await world.comeToRest();
  return world.skewCount > 0;
}
