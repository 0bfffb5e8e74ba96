import { GENESIS, type Head, type Journal } from "../../ports/journal.ts";

/**
 * The head after which entries follow that come after a seq; undefined where the journal ends
 * before it. Where entries were lost the one that is there next is taken.
 */
export async function headAfter(
  journal: Pick<Journal, "readStored">,
  seq: number,
): Promise<Head | undefined> {
  if (seq === 0) return GENESIS;
  const [stored] = await journal.readStored(seq - 1, 1);
  return stored === undefined ? undefined : { seq: stored.seq, hash: stored.hash };
}
