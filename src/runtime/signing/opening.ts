import { RULES, type Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { State } from "../../kernel/state.ts";
import { Fault } from "../../ports/fault.ts";
import type { Head, Journal, Snapshot } from "../../ports/journal.ts";
import type { Log } from "../../ports/log.ts";
import type { Signer } from "../../ports/signer.ts";
import { sha256Of } from "../canonical.ts";
import { advance, type Place, readOn, START } from "../place.ts";
import { vouchesFor } from "./signed-head.ts";
import { decodeState } from "../state-codec.ts";

/** How far behind its snapshot a signed head may lie: what others wrote while it was signed. */
const voucherDistanceMax = 2 * LIMITS.readEntriesMax;

/** What opening a journal needs. */
export interface Opening {
  readonly journal: Journal;
  readonly signer: Signer;
  readonly log: Log;
}

/**
 * Finds the state at the end of a journal: the newest snapshot that a signed head vouches for, and
 * the entries after it. Without such a snapshot every entry is folded, from the first.
 *
 * Throws `Fault` `journal_truncated` when a snapshot lies beyond the end, `key_mismatch` when the
 * fleet's key is another than the signer's, and what reading the journal throws.
 */
export async function findPlace(opening: Opening): Promise<Place> {
  const { journal, signer } = opening;
  // In this order: a snapshot saved in between must not look as if it lay beyond the end.
  const snapshots = await journal.snapshots();
  const head = await journal.head();
  const place = (await fromSnapshots(opening, snapshots, head)) ?? (await readOn(journal, START));
  mustBeOurs(place.state, signer);
  return place;
}

async function fromSnapshots(
  opening: Opening,
  snapshots: readonly Snapshot[],
  head: Head,
): Promise<Place | undefined> {
  for (const snapshot of snapshots) {
    mustBeWithin(snapshot, head);
    const place = await fromSnapshot(opening, snapshot);
    if (place !== undefined) return place;
    opening.log.warn("a snapshot was passed over: no signed head vouches for it", {
      seq: snapshot.seq,
    });
  }
  return undefined;
}

/** A snapshot is saved only of durable entries, so a journal that ends before it has lost some. */
function mustBeWithin(snapshot: Snapshot, head: Head): void {
  if (snapshot.seq <= head.seq) return;
  throw new Fault(
    "journal_truncated",
    `the journal must reach entry ${snapshot.seq}, of which it holds a snapshot, ` +
      `it ends at ${head.seq}`,
  );
}

/** The place at the end, by way of a snapshot; undefined when the snapshot cannot be trusted. */
async function fromSnapshot(opening: Opening, snapshot: Snapshot): Promise<Place | undefined> {
  const trusted = await trustedState(opening, snapshot);
  if (trusted === undefined) return undefined;
  const { state, tail } = trusted;
  const { seq, hash } = snapshot;
  const from: Place = { head: { seq, hash }, state, signedSeq: seq, contentSeq: seq };
  return readOn(opening.journal, advance(from, tail));
}

/** The state of a snapshot that a signed head vouches for, and the entries up to beyond that. */
async function trustedState(
  opening: Opening,
  snapshot: Snapshot,
): Promise<{ readonly state: State; readonly tail: readonly Entry[] } | undefined> {
  if (snapshot.rules !== RULES || sha256Of(snapshot.state) !== snapshot.stateHash) return undefined;
  // Nothing of it is parsed before a signature covers it.
  const tail = await findVoucher(opening, snapshot);
  const state = tail === undefined ? undefined : decodeState(snapshot.state);
  return tail === undefined || state?.seq !== snapshot.seq ? undefined : { state, tail };
}

/**
 * The newest snapshot from which {@link findPlace} goes on: what comes before it is not looked at
 * when the journal is opened. Undefined where there is none.
 */
export async function newestTrusted(opening: Opening): Promise<Head | undefined> {
  for (const snapshot of await opening.journal.snapshots()) {
    if ((await trustedState(opening, snapshot)) !== undefined) return snapshot;
  }
  return undefined;
}

/** The entries after a snapshot, up to a slice with a signed head that vouches for it. */
async function findVoucher(
  { journal, signer }: Opening,
  snapshot: Snapshot,
): Promise<readonly Entry[] | undefined> {
  const found: Entry[] = [];
  let after: Head = snapshot;
  try {
    while (found.length < voucherDistanceMax) {
      const entries = await journal.read(after, LIMITS.readEntriesMax);
      found.push(...entries);
      if (entries.some((entry) => isVoucher(signer, entry, snapshot))) return found;
      const last = entries.at(-1);
      if (last === undefined) return undefined;
      after = last;
    }
    return undefined;
  } catch (error) {
    // The snapshot is of another history than this journal's; which of both is broken, the
    // journal's own entries will show.
    if (error instanceof Fault && error.code === "journal_forked") return undefined;
    throw error;
  }
}

function isVoucher(signer: Signer, entry: Entry, snapshot: Snapshot): boolean {
  return entry.kind === "journal.signed" && vouchesFor(signer, entry.data, snapshot);
}

function mustBeOurs(state: State, signer: Signer): void {
  if (state.fleet === null) return;
  const { key_id: fleetKeyId, public_key: fleetKey } = state.key;
  const { key_id: ownKeyId, public_key: ownKey } = signer.key;
  if (fleetKeyId === ownKeyId && fleetKey === ownKey) return;
  throw new Fault(
    "key_mismatch",
    `the secret must be that of the fleet ${state.fleet}, whose key is ${fleetKeyId}, ` +
      `got one whose key is ${ownKeyId}`,
  );
}
