import { narrowTo } from "../region/rights.ts";
import type { Lane } from "./lane.ts";

/**
 * A lane with its region as it would be enacted, so that two ways to write one lane are the same.
 * One whose region would be refused stays as it is.
 */
export function canonicalLane(lane: Lane, foldsCase: boolean): Lane {
  const narrowed = narrowTo(lane.region, null, { isCaseless: foldsCase });
  return narrowed.kind === "inside" ? { ...lane, region: narrowed.patterns } : lane;
}
