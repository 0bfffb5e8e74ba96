import type { Journal } from "../../ports/journal.ts";
import type { OtherRules } from "../../runtime/replaying/hypothesis.ts";
import {
  tryRules,
  type WhatIfDocument,
  type WhatIfOptions,
} from "../../runtime/replaying/what-if.ts";
import { Refused, refusedAnswer } from "../refused.ts";

/**
 * Decides what is on record under other rules; see `tryRules`. Throws `Refused` where they could
 * not have been put in force there, and what reading throws.
 */
export async function askWhatIf(
  journal: Journal,
  others: OtherRules,
  options: WhatIfOptions,
): Promise<WhatIfDocument> {
  const tried = await tryRules(journal, others, options);
  if (tried.ok) return tried.document;
  throw new Refused(refusedAnswer(tried.refusal).refusal, tried.seq);
}
