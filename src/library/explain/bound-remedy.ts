// What would have made a command pass that was about ground no rule could take, or about too much.

import type { Facts, RefusedCase } from "./facts.ts";
import { quoted } from "./words.ts";

/** What would have helped where a region is malformed, empty, or more than is decided. */
export function regionRemedy(facts: Facts): string {
  switch (facts.has("field") ? facts.text("field") : "") {
    case "worktree":
      return "it would have passed with the name of a worktree, or given from within one";
    case "mode":
      return "it would have passed for a lane with slots, or in another mode";
    case "also_held":
      return facts.has("max")
        ? `it would have passed with at most ${facts.number("max")} bytes of what counts as held`
        : `it would have passed had what counts as held ${facts.text("expected")}`;
    default:
      break;
  }
  if (facts.has("expected"))
    return `it would have passed with regions that have ${facts.text("expected")}`;
  return facts.has("lease_id")
    ? "it would have passed with regions of fewer and plainer patterns, or once " +
        `${facts.text("lease_id")}, which it had to be compared with, had ended`
    : "it would have passed with regions of fewer and plainer patterns";
}

/** What there was too much of, as a count or a size of it is told. */
const BOUNDED: Readonly<Record<string, string>> = {
  leases: "leases in the fleet",
  leases_of_holder: "leases of its holder",
  bytes_of_holder: "bytes of patterns of its holder",
};

/** What would have helped where something is kept within a limit of Stint's own. */
export function limitRemedy(facts: Facts): string {
  if (!facts.has("max") || !facts.has("field"))
    return "it would have passed within the limit that it names";
  const field = facts.text("field");
  const max = facts.number("max");
  // No fence has room for another epoch.
  if (field === "epoch") return `nothing would have made it pass: ${max} recoveries are the most`;
  const what = BOUNDED[field] ?? field;
  const got = facts.has("got") ? `; there were ${facts.number("got")}` : "";
  return `it would have passed with at most ${max} ${what}${got}`;
}

/** What would have helped where a contract or lanes could not be put in force. */
export function conditionCheckRemedy(facts: Facts, { refusal }: RefusedCase): string {
  // The message begins with what kind of condition it is.
  const noun = /^[a-z ]+(?= ")/.exec(refusal.message)?.[0] ?? "condition";
  const name = quoted(facts.text("condition"));
  return `it would have passed had the ${noun} ${name} been sound: ${facts.text("problem")}`;
}
