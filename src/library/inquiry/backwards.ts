import type { Entry } from "../../kernel/entry.ts";
import { GENESIS, type Head, type Journal } from "../../ports/journal.ts";

/** How many entries are read at a time. */
const pageMax = 2_048;

/** What is read of a journal from its end. */
type Read = Pick<Journal, "read" | "readStored">;

/** What is read of a journal of which a part may be archived. */
type ReadArchived = Read & Pick<Journal, "segments">;

/**
 * Reads a journal from an entry back to another, a page at a time, the newest page first; within a
 * page the entries stand in their order. Every entry is verified, and the pages hold together as
 * their chain does. No page has entries of two segments, nor of one and of the store: what can be
 * read is read before a segment that is missing is met. It costs what it reads, not what the
 * journal holds. Throws what reading throws.
 */
export async function* readBackwards(
  journal: ReadArchived,
  { newestSeq, oldestSeq }: { readonly newestSeq: number; readonly oldestSeq: number },
): AsyncGenerator<readonly Entry[], void, undefined> {
  // The entry of this seq is there, and is the newest that has not been read.
  let upToSeq = newestSeq;
  const ends = (await journal.segments()).map(({ last }) => last);
  while (upToSeq > 0 && upToSeq >= oldestSeq) {
    const fromSeq = Math.max(0, upToSeq - pageMax);
    const end = ends.findLast(({ seq }) => seq < upToSeq);
    const isNear = end !== undefined && end.seq >= fromSeq;
    const before = isNear ? end : await headBefore(journal, fromSeq, upToSeq);
    const entries = await journal.read(before, pageMax);
    yield entries.filter(({ seq }) => seq <= upToSeq && seq >= oldestSeq);
    upToSeq = before.seq;
  }
}

/** The entry of a seq, verified; undefined where the journal has none of it. */
export async function entryAt(journal: Read, seq: number): Promise<Entry | undefined> {
  if (!Number.isSafeInteger(seq) || seq < 1) return undefined;
  const before = await headBelow(journal, seq);
  const [entry] = await journal.read(before, 1);
  return entry?.seq === seq ? entry : undefined;
}

/** A head to read on from: at most a page before an entry, and before that entry itself. */
async function headBefore(journal: Read, atSeq: number, belowSeq: number): Promise<Head> {
  if (atSeq === 0) return GENESIS;
  const head = await headFrom(journal, atSeq);
  return head !== undefined && head.seq < belowSeq ? head : headBelow(journal, belowSeq);
}

/** The newest head below a seq: entries may be missing before it, where some were lost. */
async function headBelow(journal: Read, seq: number): Promise<Head> {
  const next = seq < 2 ? GENESIS : await headFrom(journal, seq - 1);
  if (next !== undefined && next.seq < seq) return next;
  // Nothing is right before it: the last place from which something below it is found.
  let [low, high] = [0, seq - 1];
  let found: Head = GENESIS;
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    const head = await headFrom(journal, middle);
    if (head === undefined || head.seq >= seq) high = middle - 1;
    else [low, found] = [head.seq, head];
  }
  return found;
}

/** The first head that is at or after a seq, from 1 on. */
async function headFrom(journal: Read, seq: number): Promise<Head | undefined> {
  const [stored] = await journal.readStored(seq - 1, 1);
  return stored === undefined ? undefined : { seq: stored.seq, hash: stored.hash };
}
