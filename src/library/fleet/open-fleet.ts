import type { Log } from "../../ports/log.ts";
import { ensureGround } from "../ground/in-force.ts";
import { ensureRoster } from "../roster/in-force.ts";
import { Counters } from "../feed/metrics.ts";
import { Feed } from "../feed/feed.ts";
import { relayed, type Relayed } from "../relay/relay.ts";
import { adoptKill } from "../kill/adoption.ts";
import type { Member } from "../member.ts";
import { InputError } from "../../protocol/input.ts";
import { Keys, operatorOf, type Seat, type Secret, type Surroundings } from "../seat.ts";
import { Steward } from "../steward/steward.ts";
import { makeWatcher } from "../steward/watching.ts";
import { endStarts, endTasks } from "../worker/end-tasks.ts";
import { Hosting } from "../worker/hosting.ts";
import { Sandboxes } from "../process/sandboxes.ts";
import { forLoop } from "./conditions.ts";
import type { Fleet } from "./fleet.ts";
import { FleetHandle } from "./handle.ts";
import {
  ensureContract,
  ensureFleet,
  openDriver,
  openLoopOn,
  openSigner,
  type OpenedLoop,
} from "./opening.ts";
import type { OpenStore } from "./store.ts";
import { parseFleetOptions, type FleetOptions, type ParsedFleetOptions } from "./options.ts";

/**
 * Opens a fleet in given surroundings, creating it where the store is empty.
 *
 * Throws an InputError for wrong options and a contract that differs from the one in force, and
 * `Fault`s: `key_mismatch` for another secret, and those of the store.
 */
export async function openFleetIn(world: Surroundings, given: FleetOptions): Promise<Fleet> {
  return (await openMemberIn(world, given)).fleet;
}

/** A fleet that is open, and what its handle stands on: for who answers many in its name. */
export interface OpenedMember {
  readonly fleet: Fleet;
  readonly member: Member;
}

/** Opens a fleet as {@link openFleetIn} does; closing the handle closes all of it. */
export async function openMemberIn(
  world: Surroundings,
  given: FleetOptions,
): Promise<OpenedMember> {
  const options = parseFleetOptions(given);
  const surroundings: Surroundings = { ...world, log: options.log ?? world.log };
  // A bad secret is said before anything is opened.
  if (options.secret !== undefined) openSigner(surroundings, options.secret);
  const store = await options.store.open();
  const secret = options.secret ?? (await keptSecret(store));
  const signer = openSigner(surroundings, secret);
  const conditions = forLoop(options.conditions);
  const opened = await openLoopOn(surroundings, { store, signer, conditions });
  const closing = new AbortController();
  const way = relayed(surroundings, {
    direct: opened.loop,
    door: store.supervisor,
    use: options.supervisor,
    hasFunctions: () => Object.keys(conditions.functions).length > 0,
  });
  const { loop } = way;
  try {
    const operator = operatorOf(surroundings, options.operator);
    const fleet = await ensureFleet(opened, surroundings, { ...options, operator });
    const seat: Seat = {
      ...surroundings,
      fleet,
      loop,
      store,
      keys: new Keys(loop, { signer, secret, isKept: options.secret === undefined }),
      owner: operator,
      closing: closing.signal,
    };
    await adoptKill(seat);
    if (loop.state().status !== "killed") {
      await ensureContract(seat, options);
      await ensureGround(seat, options);
      await ensureRoster(seat, options);
    }
    return await assemble(seat, { options, conditions, closing, way });
  } catch (error) {
    await closeOpened({ ...opened, loop }, surroundings.log);
    throw error;
  }
}

/**
 * The secret beside the journal; only an empty journal gets a new one, for a fleet that exists was
 * created with another.
 */
async function keptSecret(store: OpenStore): Promise<Secret> {
  try {
    const { seq } = await store.journal.head();
    const secret = store.readSecret?.({ create: seq === 0 });
    if (secret !== undefined) return secret;
    const expected = "a text of at least 16 bytes, or at least 32 bytes";
    throw new InputError("usage", [{ path: "options.secret", expected, got: "nothing" }]);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function closeOpened({ loop, store }: OpenedLoop, log: Log): Promise<void> {
  try {
    await loop.close();
  } catch (error) {
    // What went wrong before is what the caller is to hear of.
    log.warn("a loop could not be closed", { error });
  }
  await store.close();
}

async function assemble(
  seat: Seat,
  so: {
    readonly options: ParsedFleetOptions;
    readonly conditions: ReturnType<typeof forLoop>;
    readonly closing: AbortController;
    readonly way: Relayed;
  },
): Promise<OpenedMember> {
  const { options, conditions, closing, way } = so;
  const { driver, why } = await openDriver(seat.store, seat);
  const feed = new Feed(seat.log);
  const counters = new Counters();
  const onBeat = (worker: string): void => feed.addBeat(worker, seat.clock.read().wallMs);
  const unsubscribe = seat.loop.onEntry((entry) => {
    counters.count(entry);
    feed.addEntry(entry);
  });
  const member: Member = {
    seat,
    hosting: new Hosting(seat, onBeat),
    sandboxes: driver === undefined ? undefined : new Sandboxes(seat, driver),
    whyNoSandboxes: why,
    relay: way.relay,
  };
  const watcher = makeWatcher(member);
  const steward = options.steward ? new Steward(member, watcher) : undefined;
  const close = async (): Promise<void> => {
    await endTasks(member, () => seat.owner);
    closing.abort();
    await endStarts(member);
    await steward?.close();
    await watcher.stop();
    member.hosting.close();
    await member.sandboxes?.close();
    unsubscribe();
    await seat.loop.close();
    await seat.store.close();
  };
  const fleet = new FleetHandle({ member, watcher, feed, counters, conditions, close });
  return { fleet, member };
}
