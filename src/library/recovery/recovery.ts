// What is done when a store ends before what is remembered of it, say after a backup was restored:
//
//     opened in spite of it ─▶ looked at ─▶ fleet.recovered (and workers adopted) in one append
//                                                │
//                        the head file is brought up, then a kill in force is journaled again
//
// A crash before the append leaves everything as it was; after it the journal opens as any other,
// and whoever opens it brings up the rest. Asked again it does what is left, which may be nothing.

import type { Actor } from "../../kernel/actor.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Command } from "../../kernel/command.ts";
import type { Entry } from "../../kernel/entry.ts";
import type { Manifest } from "../../kernel/worker/manifest.ts";
import { Fault } from "../../ports/fault.ts";
import type { Head, Journal, Remembered } from "../../ports/journal.ts";
import { InputError } from "../../protocol/input.ts";
import { decideAlone } from "../../runtime/alone.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { canonicalText } from "../../runtime/canonical.ts";
import { replay, type Replayed } from "../../runtime/replay.ts";
import { errorText } from "../error-text.ts";
import { actorOf, type Surroundings } from "../seat.ts";
import { isLive } from "../../kernel/state.ts";
import { selectLost } from "./lost-workers.ts";
import type { Permit } from "../../ports/permit.ts";

/** A store that may end before what is remembered of it, opened all the same. */
export interface LostStore {
  readonly journal: Journal;
  /** The newest entry that it has. */
  readonly kept: Head;
  /** The newest entry that is remembered, `kept` where nothing is lost; and the highest epoch. */
  readonly remembered: Remembered;
  readonly permit: Permit;
}

/** A seq range of entries, both ends included. */
export interface LostRange {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly count: number;
}

/** A store beside what is remembered of it. */
export interface Loss {
  readonly fleet: string;
  readonly name: string;
  /** What the kept part says. */
  readonly status: "open" | "paused" | "killed";
  /** Whether a kill is in force, by the kept part or by what lies outside of it. */
  readonly isKilled: boolean;
  readonly epoch: number;
  readonly kept: Head & { readonly atMs: number };
  readonly remembered: Remembered;
  /** What is missing; null when nothing is. */
  readonly lost: LostRange | null;
  /** Ids of the workers that live by the kept part. */
  readonly liveWorkers: readonly string[];
}

/** Shows both heads and what is lost; writes nothing. Throws `Fault`s of a store that is broken. */
export async function inspectLoss(store: LostStore): Promise<Loss> {
  const { kept, remembered } = store;
  const { fleet, state } = await readKept(store);
  const isGranted = await store.permit.isGranted(fleet);
  const live = [...state.workers.values()].filter(isLive);
  return Object.freeze({
    fleet,
    name: state.name,
    status: state.status === "none" ? "open" : state.status,
    isKilled: state.status === "killed" || !isGranted,
    epoch: state.epoch,
    kept: Object.freeze({ ...kept, atMs: state.at_ms }),
    remembered: Object.freeze({ ...remembered }),
    lost: rangeBetween(kept, remembered),
    liveWorkers: Object.freeze(live.map(({ id }) => id)),
  });
}

function rangeBetween(kept: Head, remembered: Head): LostRange | null {
  if (remembered.seq <= kept.seq) return null;
  const count = remembered.seq - kept.seq;
  return Object.freeze({ fromSeq: kept.seq + 1, toSeq: remembered.seq, count });
}

async function readKept({ journal, kept }: LostStore): Promise<Replayed & { fleet: string }> {
  const replayed = await replay(journal, { untilSeq: kept.seq });
  const { fleet } = replayed.state;
  if (fleet !== null) return { ...replayed, fleet };
  const message = "the journal must hold a fleet to go on with, nothing of one was kept";
  throw new Fault("journal_truncated", message);
}

/** How a fleet goes on after a loss. */
export interface RecoveryOptions {
  /** Manifests, verified, of workers that may still run; those that ended are left out. */
  readonly workers?: readonly Manifest[];
  /** A name for whoever gives the order, for the record. */
  readonly operator?: string;
  readonly reason?: string;
}

/** What a recovery has done. */
export interface Recovery {
  /** False when nothing was lost: then nothing was written but a kill that was not on record. */
  readonly isRecovered: boolean;
  /** The newest entry now. */
  readonly seq: number;
  readonly epoch: number;
  readonly lost: LostRange | null;
  /** Workers of the lost part that count as live from now on. */
  readonly adoptedWorkers: readonly string[];
  /** Whether the fleet is killed; else it is paused. */
  readonly isKilled: boolean;
}

/**
 * Goes on without what is lost: above every seq and epoch that is remembered, paused. Workers of
 * the lost part that are known count as live until they expire. A kill stays in force.
 *
 * Throws an InputError when there are more workers than are taken over, `Fault` `storage_busy`
 * (retryable) when another recovery was quicker, and those of the store.
 */
export async function recoverFleetIn(
  world: Pick<Surroundings, "random" | "host" | "log" | "via">,
  store: LostStore,
  options: RecoveryOptions = {},
): Promise<Recovery> {
  const { journal, kept, remembered } = store;
  const { operator, reason = "entries were lost" } = options;
  const who = { kind: "operator", via: world.via } as const;
  const named = operator === undefined ? who : { ...who, id: operator, claimed: ["id"] };
  const by = actorOf(world.host, named);
  const before = await readKept(store);
  const lost = rangeBetween(kept, remembered);
  let entries: readonly Entry[] = [];
  if (lost !== null) {
    const given = await selectLost(options.workers ?? [], { journal, state: before.state });
    const data = {
      reason,
      kept_hash: before.head.hash,
      remembered_seq: remembered.seq,
      remembered_hash: remembered.hash,
      remembered_epoch: remembered.epoch,
      workers: fitting(given),
    };
    const command = { kind: "fleet.recover", data } as const;
    entries = await give(world, { journal, place: before, by, command });
  }
  await keepKill(world, { store, by });
  const { head, state } = await replay(journal);
  return Object.freeze({
    isRecovered: lost !== null,
    seq: head.seq,
    epoch: state.epoch,
    lost,
    adoptedWorkers: Object.freeze(entries.flatMap(adoptedIn)),
    isKilled: state.status === "killed",
  });
}

function adoptedIn(entry: Entry): readonly string[] {
  return entry.kind === "worker.adopted" ? [entry.data.manifest.instance] : [];
}

/** How much of an entry manifests may take, bytes: they are in the command and in their entries. */
const manifestsBytesMax = LIMITS.entryBytesMax - 64 * 1_024;

/** Manifests that one entry has room for; states are left out where they take too much. */
function fitting(manifests: readonly Manifest[]): readonly Manifest[] {
  const bytesOf = (given: readonly Manifest[]): number => Buffer.byteLength(canonicalText(given));
  const bare = manifests.map((manifest) => ({ ...manifest, state: {} }));
  const { adoptionsMax } = LIMITS;
  if (manifests.length <= adoptionsMax && bytesOf(manifests) <= manifestsBytesMax) return manifests;
  if (manifests.length <= adoptionsMax && bytesOf(bare) <= manifestsBytesMax) return bare;
  const expected = `manifests of at most ${adoptionsMax} workers and ${manifestsBytesMax} bytes`;
  const got = `${manifests.length} of ${bytesOf(bare)} bytes`;
  throw new InputError("limit_exceeded", [{ path: "workers", expected, got }]);
}

/** A kill that was in the lost part has taken the permit away, or is remembered elsewhere. */
async function keepKill(
  world: Pick<Surroundings, "random" | "log">,
  so: { readonly store: LostStore; readonly by: Actor },
): Promise<void> {
  const { store, by } = so;
  const place = await replay(store.journal);
  const { fleet, status } = place.state;
  if (fleet === null || status === "killed" || (await store.permit.isGranted(fleet))) return;
  const reason = "the fleet was killed in the part of its journal that was lost";
  const command = { kind: "fleet.kill", data: { reason } } as const;
  try {
    await give(world, { journal: store.journal, place, by, command });
  } catch (error) {
    // Without its permit the fleet starts nothing, and whoever opens it next journals the kill.
    world.log.warn("a kill could not be journaled yet", { error: errorText(error) });
  }
}

async function give(
  { random }: Pick<Surroundings, "random">,
  so: {
    readonly journal: Journal;
    readonly place: Replayed;
    readonly by: Actor;
    readonly command: Command;
  },
): Promise<readonly Entry[]> {
  const { journal, place, by, command } = so;
  const submission = { id: freshCommandId(random), actor: by, command };
  // A backup is of another time, and whoever recovers has looked at the clock.
  const options = { acceptsClock: command.kind === "fleet.recover" };
  const { refusal, entries } = await decideAlone(journal, place, { submission, options });
  if (refusal === null) return entries;
  throw new Fault("journal_corrupt", `the fleet must be recoverable, got: ${refusal.message}`);
}
