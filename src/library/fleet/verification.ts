import { LIMITS } from "../../kernel/limits.ts";
import { GENESIS, type Journal } from "../../ports/journal.ts";
import { replay } from "../../runtime/replay.ts";
import { redecide } from "../../runtime/replaying/redeciding.ts";
import type { Verified } from "../seat.ts";

/** What verifying a journal has shown; what is wrong with it is thrown instead. */
export interface Verification {
  readonly entryCount: number;
  /** The hash of the newest entry, which vouches for all before it. */
  readonly headHash: string;
  /** The newest entry that a valid signed head vouches for; null when there is none. */
  readonly anchorSeq: number | null;
  /** Entries after it: only the chain of hashes vouches for them. */
  readonly unanchoredCount: number;
  /**
   * Whether the entries up to the anchor give the very state that its signature names; null without
   * one. A Stint that keeps its state in another form gives another: snapshots are made anew then.
   */
  readonly isStateSame: boolean | null;
  /** Seqs of recorded commands that these rules decide otherwise now. */
  readonly redecidedSeqs: readonly number[];
}

/** How a journal is verified. */
export interface VerificationOptions {
  /** Verifies hashes, links and signatures of the whole journal. */
  readonly verify: (journal: Journal) => Promise<Verified>;
  /** Called now and then with what is being done and the newest entry it has come to. */
  readonly onProgress?: (doing: "replaying" | "deciding", seq: number) => void;
}

/**
 * Verifies a journal on its own, without opening its fleet: every hash, link and signature. Then
 * folds it to the newest signed state, and decides every recorded command again. Writes nothing.
 *
 * Throws the `Fault`s of `verify`.
 */
export async function verifyRecord(
  journal: Journal,
  { verify, onProgress }: VerificationOptions,
): Promise<Verification> {
  const { head, anchor, entryCount, unanchoredCount } = await verify(journal);
  const signed = anchor === null ? undefined : await stateSignedAt(journal, anchor.atSeq);
  const replayed =
    anchor === null
      ? undefined
      : await replay(journal, {
          untilSeq: anchor.atSeq,
          onProgress: (seq) => onProgress?.("replaying", seq),
        });
  const differences = await redecide(journal, {
    onProgress: (seq) => onProgress?.("deciding", seq),
  });
  return {
    entryCount,
    headHash: head.hash,
    anchorSeq: anchor?.atSeq ?? null,
    unanchoredCount,
    isStateSame: replayed === undefined ? null : replayed.stateHash === signed,
    redecidedSeqs: differences.map(({ seq }) => seq),
  };
}

/** The hash of the state that the newest signature over a place names. */
async function stateSignedAt(journal: Journal, atSeq: number): Promise<string | undefined> {
  let found: string | undefined;
  let after: { readonly seq: number; readonly hash: string } = GENESIS;
  for (;;) {
    const page = await journal.read(after, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) return found;
    for (const entry of page)
      if (entry.kind === "journal.signed" && entry.data.at_seq === atSeq)
        found = entry.data.state_hash;
    after = { seq: last.seq, hash: last.hash };
  }
}
