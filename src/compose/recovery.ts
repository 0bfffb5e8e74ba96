// What an operator does when a fleet's journal cannot go on by itself: entries were lost, or the
// host's clock contradicts journal time. Apart from library.ts, because nothing else needs it.

import { resolve } from "node:path";
import { sqlite, thisMachine } from "./library.ts";
import { openLostJournal, type LostJournal } from "../journal/sqlite/open.ts";
import type { Manifest } from "../kernel/worker/manifest.ts";
import {
  acceptClockIn,
  type AcceptClockOptions,
  type AcceptedClock,
} from "../library/recovery/clock.ts";
import { wholeDecisions, type ArchivedEntry } from "../library/recovery/archived.ts";
import { findManifests, selectLost } from "../library/recovery/lost-workers.ts";
import {
  inspectLoss,
  recoverFleetIn,
  type Loss,
  type LostRange,
  type LostStore,
  type Recovery,
  type RecoveryOptions,
} from "../library/recovery/recovery.ts";
import { killedFleetsOfUser } from "../permit/killed-fleets.ts";
import { filePermit } from "../permit/permit.ts";
import type { StoredEntry } from "../ports/journal.ts";
import { replay } from "../runtime/replay.ts";
import { findSecretFile, readSecretFile } from "../signing/secret-file.ts";
import { openSigner } from "../signing/signer.ts";
import { systemClock } from "../system/clock.ts";
import { statePlaces } from "../system/places.ts";

/** A loss, and the workers that a recovery could take over. */
export interface InspectedLoss extends Loss {
  /**
   * Manifests in the folders of the sandboxes that the fleet's key signed and of whose workers the
   * kept part does not know that they ran: to be handed to {@link recoverFleet}.
   */
  readonly workers: readonly Manifest[];
  /**
   * Entries that stand in segments beside the store, and continue the kept part by hash: they are
   * taken up by {@link recoverFleet}, and `lost` is only what is beyond them. Null: none.
   */
  readonly archived: LostRange | null;
}

/**
 * Shows what is lost of the fleet in a state folder; writes nothing. Where nothing is lost, `lost`
 * is null.
 *
 * Throws `Fault` `journal_missing` without a journal, `journal_truncated` where nothing of a fleet
 * was kept, `journal_corrupt` and others when the store is broken in another way.
 */
export async function inspectRecovery(dir: string): Promise<InspectedLoss> {
  return withLostStore(dir, async (store) => {
    const loss = await inspectLoss(store);
    const workers = await lostWorkers(dir, store, loss.fleet);
    const { lost } = loss;
    const archived = lost === null ? null : await archivedRange(store);
    if (lost === null || archived === null) return Object.freeze({ ...loss, workers, archived });
    const count = lost.toSeq - archived.toSeq;
    const beyond = count > 0 ? { ...lost, fromSeq: archived.toSeq + 1, count } : null;
    return Object.freeze({ ...loss, lost: beyond, workers, archived });
  });
}

async function archivedRange(store: OpenedLoss): Promise<LostRange | null> {
  const seqs = Array.from(await archivedEntries(store), ({ entry }) => entry.seq);
  const toSeq = seqs.at(-1);
  if (toSeq === undefined) return null;
  return Object.freeze({ fromSeq: store.kept.seq + 1, toSeq, count: seqs.length });
}

async function archivedEntries(store: OpenedLoss): Promise<Iterable<ArchivedEntry>> {
  const { journal, kept, remembered } = store;
  const { state } = await replay(journal, { untilSeq: kept.seq });
  return wholeDecisions(store.continuing(), { state, remembered });
}

/** The entries of decisions, as they are stored. */
function* storedOf(entries: Iterable<ArchivedEntry>): Generator<StoredEntry, void, undefined> {
  for (const { stored } of entries) yield stored;
}

/**
 * Takes up what segments beside the store have of the rest, and goes on without what is lost then,
 * as {@link recoverFleetIn} says. `workers` are those that
 * {@link inspectRecovery} found, unless others are given. Safe to repeat after a crash.
 */
export async function recoverFleet(dir: string, options: RecoveryOptions = {}): Promise<Recovery> {
  await withLostStore(dir, async (store) => {
    const { kept, remembered } = store;
    if (remembered.seq > kept.seq) await store.takeUp(storedOf(await archivedEntries(store)));
  });
  return withLostStore(dir, async (store) => {
    const workers = options.workers ?? (await findLost(dir, store));
    return recoverFleetIn(thisMachine(), store, { ...options, workers });
  });
}

/** Takes this host's clock as it is, for the fleet in a state folder; see {@link acceptClockIn}. */
export async function acceptClock(
  dir: string,
  options: AcceptClockOptions & { readonly secret?: string } = {},
): Promise<AcceptedClock> {
  const folder = resolve(dir);
  const secret = options.secret ?? readSecretFile(statePlaces(folder).secret);
  const store = await sqlite({ dir: folder }).open({ create: false });
  try {
    return await acceptClockIn(thisMachine(), { store, secret }, options);
  } finally {
    await store.close();
  }
}

/** A store that has lost entries, and what is beside it. */
type OpenedLoss = LostStore & Pick<LostJournal, "continuing" | "takeUp">;

async function withLostStore<T>(dir: string, use: (store: OpenedLoss) => Promise<T>): Promise<T> {
  const folder = resolve(dir);
  const lost = await openLostJournal({ folder, clock: systemClock() });
  const { journal } = lost;
  try {
    const permit = filePermit(folder, killedFleetsOfUser());
    return await use({ ...lost, permit });
  } finally {
    await journal.close();
  }
}

async function findLost(dir: string, store: LostStore): Promise<readonly Manifest[]> {
  const { fleet } = await inspectLoss(store);
  return lostWorkers(dir, store, fleet);
}

async function lostWorkers(
  dir: string,
  { journal, kept }: LostStore,
  fleet: string,
): Promise<readonly Manifest[]> {
  const places = statePlaces(resolve(dir));
  const secret = findSecretFile(places.secret);
  // A fleet with a secret of its own keeps none here: its manifests are to be handed over.
  if (secret === undefined) return [];
  const signer = openSigner(secret);
  const manifests = await findManifests(places.sandboxes, { signer, fleet });
  const { state } = await replay(journal, { untilSeq: kept.seq });
  return selectLost(manifests, { journal, state });
}
