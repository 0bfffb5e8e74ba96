import { Fault } from "../../ports/fault.ts";
import { compareWithReplay } from "../../runtime/replay.ts";
import { redecide } from "../../runtime/replaying/redeciding.ts";
import type { Seat } from "../seat.ts";

/** How far an audit has come. */
export interface AuditOptions {
  /** Called now and then with the newest entry verified and the journal's end. */
  readonly onProgress?: (seq: number, endSeq: number) => void;
}

/** What reading a whole journal has shown. */
export interface Audit {
  /** Whether nothing is wrong: verified, replayed to the same state, decided the same again. */
  readonly ok: boolean;
  /** What is wrong, in sentences; empty when nothing is. */
  readonly problems: readonly string[];
  readonly entryCount: number;
  /** The newest entry that a valid signed head vouches for; null when there is none. */
  readonly anchorSeq: number | null;
  /** Whether the fold of all entries is the state this handle lives on, byte for byte. */
  readonly isReplayed: boolean;
  /** Seqs of recorded commands that these rules decide otherwise now. */
  readonly redecidedSeqs: readonly number[];
  /** SHA-256 over the state's canonical bytes, lowercase hex; "" when the journal is broken. */
  readonly stateHash: string;
}

/**
 * Verifies every entry, hash and signed head, folds the journal again and compares it with the
 * live state, and decides every recorded command again. A broken journal is an answer here.
 */
export async function audit(seat: Seat, { onProgress }: AuditOptions = {}): Promise<Audit> {
  const { journal } = seat.store;
  try {
    const { entryCount, anchor } = await seat.verifyJournal(journal, {
      verifySignature: (bytes, signature, key) => seat.keys.signer.verify(bytes, signature, key),
      key: seat.keys.signer.key,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const { isSame, replayedHash } = await compareWithReplay(journal, seat.loop);
    const differences = await redecide(journal);
    const problems = [
      ...(isSame ? [] : ["the replayed state must be the live one, it is another"]),
      ...differences.map(({ seq }) => `entry ${seq} is decided otherwise by these rules`),
    ];
    return Object.freeze({
      ok: problems.length === 0,
      problems,
      entryCount,
      anchorSeq: anchor?.atSeq ?? null,
      isReplayed: isSame,
      redecidedSeqs: differences.map(({ seq }) => seq),
      stateHash: replayedHash,
    });
  } catch (error) {
    // What is wrong with the record is what was asked for; anything else is the caller's to meet.
    if (!(error instanceof Fault) || !error.code.startsWith("journal_")) throw error;
    return { ...BROKEN, problems: [`${error.code}: ${error.message}`] };
  }
}

const BROKEN: Audit = {
  ok: false,
  problems: [],
  entryCount: 0,
  anchorSeq: null,
  isReplayed: false,
  redecidedSeqs: [],
  stateHash: "",
};
