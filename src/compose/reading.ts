// The second file that knows adapters: what reading a fleet needs, and nothing that changes one.
// It is apart from library.ts because a program that only looks must start fast: neither the
// schemas of what is typed nor the conditions of a contract are loaded for it.

import { openSqliteJournal } from "../journal/sqlite/open.ts";
import type { Reading } from "../library/reading.ts";
import { Fault } from "../ports/fault.ts";
import type { Journal } from "../ports/journal.ts";
import { SILENT } from "../ports/log.ts";
import type { Signer } from "../ports/signer.ts";
import { openSqlitePulse } from "../pulse/sqlite.ts";
import { readOn, START, type Place } from "../runtime/place.ts";
import { findPlace } from "../runtime/signing/opening.ts";
import { findSecretFile } from "../signing/secret-file.ts";
import { openSigner } from "../signing/signer.ts";
import { systemClock } from "../system/clock.ts";
import { statePlaces } from "../system/places.ts";
import { systemRandom } from "../system/random.ts";

/**
 * Reads a fleet in a state folder as it is now. No entry is written, and what is read is verified
 * as when it is opened. Throws the faults of the store; missing beats are no fault.
 */
export async function readFleet(stateDir: string): Promise<Reading> {
  const clock = systemClock();
  const journal = await openSqliteJournal({ folder: stateDir, clock, create: false });
  try {
    const { state, head } = await placeIn(journal, stateDir);
    const heard = await readBeats(stateDir, clock);
    return { state, seq: head.seq, ...heard, nowMs: clock.read().wallMs };
  } finally {
    await journal.close();
  }
}

/** A fleet with a secret of its own keeps none here: then no snapshot can be trusted. */
function signerOf(stateDir: string): Signer | undefined {
  const secret = findSecretFile(statePlaces(stateDir).secret);
  return secret === undefined ? undefined : openSigner(secret);
}

/** The newest place of the journal in a state folder. Throws the faults of the store. */
export function placeIn(journal: Journal, stateDir: string): Promise<Place> {
  const signer = signerOf(stateDir);
  if (signer === undefined) return readOn(journal, START);
  return findPlace({ journal, signer, log: SILENT });
}

async function readBeats(
  stateDir: string,
  clock: ReturnType<typeof systemClock>,
): Promise<Pick<Reading, "beats" | "instances">> {
  const file = statePlaces(stateDir).pulse;
  const pulse = await openSqlitePulse({ file, clock, random: systemRandom() });
  try {
    const { rows } = await pulse.read();
    const beats = new Map(rows.map((row) => [row.worker, row]));
    return { beats, instances: await pulse.readInstances() };
  } catch (error) {
    // Beats may be lost at any time; then nothing is known about them.
    if (error instanceof Fault) return { beats: new Map(), instances: [] };
    throw error;
  } finally {
    await pulse.close();
  }
}
