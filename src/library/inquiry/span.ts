import type { Journal } from "../../ports/journal.ts";
import { InputError } from "../../protocol/input.ts";

/** A part of the record, by the first and the last entry that are asked about. */
export interface Span {
  /** Undefined: from where asking begins by itself. */
  readonly fromSeq?: number | undefined;
  /** Undefined: to the newest. */
  readonly untilSeq?: number | undefined;
}

/**
 * Throws an InputError where a part of the record has no entry: nothing would be asked, and found
 * to be well. `path` is what the first entry is called where it was given.
 */
export async function demandSpan(
  journal: Pick<Journal, "head">,
  { fromSeq, untilSeq }: Span,
  path: string,
): Promise<void> {
  if (fromSeq === undefined) return;
  const endSeq = Math.min((await journal.head()).seq, untilSeq ?? Number.MAX_SAFE_INTEGER);
  if (fromSeq <= endSeq) return;
  const expected = `an entry up to ${endSeq}, the last that is asked about`;
  throw new InputError("usage", [{ path, expected, got: String(fromSeq) }]);
}
