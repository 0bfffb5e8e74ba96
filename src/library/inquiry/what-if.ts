import type { Journal } from "../../ports/journal.ts";
import type { OtherRules } from "../../runtime/replaying/hypothesis.ts";
import { InputError } from "../../protocol/input.ts";
import {
  tryRules,
  type WhatIfDocument,
  type WhatIfOptions,
} from "../../runtime/replaying/what-if.ts";
import { Refused, refusedAnswer } from "../refused.ts";

/**
 * Decides what is on record under other rules; see `tryRules`. Throws `Refused` where they could
 * not have been put in force there, an InputError where the record ends before them, and what
 * reading throws.
 */
export async function askWhatIf(
  journal: Journal,
  others: OtherRules,
  options: WhatIfOptions,
): Promise<WhatIfDocument> {
  const { fromSeq } = options;
  const endSeq = Math.min((await journal.head()).seq, options.untilSeq ?? Number.MAX_SAFE_INTEGER);
  if (fromSeq !== undefined && fromSeq > endSeq) {
    const expected = `an entry up to ${endSeq}, where what is asked of the record ends`;
    throw new InputError("usage", [{ path: "fromSeq", expected, got: String(fromSeq) }]);
  }
  const tried = await tryRules(journal, others, options);
  if (tried.ok) return tried.document;
  throw new Refused(refusedAnswer(tried.refusal).refusal, tried.seq);
}
