// What an operator does when a fleet's journal cannot go on by itself: entries were lost, or the
// host's clock contradicts journal time. Apart from library.ts, because nothing else needs it.

import { resolve } from "node:path";
import { sqlite, thisMachine } from "./library.ts";
import { openLostJournal } from "../journal/sqlite/open.ts";
import type { Manifest } from "../kernel/worker/manifest.ts";
import {
  acceptClockIn,
  type AcceptClockOptions,
  type AcceptedClock,
} from "../library/recovery/clock.ts";
import { findManifests, selectLost } from "../library/recovery/lost-workers.ts";
import {
  inspectLoss,
  recoverFleetIn,
  type Loss,
  type LostStore,
  type Recovery,
  type RecoveryOptions,
} from "../library/recovery/recovery.ts";
import { killedFleetsOfUser } from "../permit/killed-fleets.ts";
import { filePermit } from "../permit/permit.ts";
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
    return Object.freeze({ ...loss, workers: await lostWorkers(dir, store, loss.fleet) });
  });
}

/**
 * Goes on without what is lost, as {@link recoverFleetIn} says. `workers` are those that
 * {@link inspectRecovery} found, unless others are given. Safe to repeat after a crash.
 */
export async function recoverFleet(dir: string, options: RecoveryOptions = {}): Promise<Recovery> {
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

async function withLostStore<T>(dir: string, use: (store: LostStore) => Promise<T>): Promise<T> {
  const folder = resolve(dir);
  const { journal, kept, remembered } = await openLostJournal({ folder, clock: systemClock() });
  try {
    const permit = filePermit(folder, killedFleetsOfUser());
    return await use({ journal, kept, remembered, permit });
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
