import { refuse, type Refusal } from "../refusal.ts";
import { parseOnce } from "../region/rights.ts";
import type { State } from "../state.ts";
import type { LeaseCommandMap } from "../lease/command.ts";
import { widened } from "./folders.ts";

type Request = Pick<LeaseCommandMap["lease.acquire"], "region" | "holder" | "mode">;

/** Of a file no mount can be made: where leases are mounts, a worker may be given its folder. */
export function isWidened({ contract }: State, { holder, mode }: Request): boolean {
  const { leases, widen } = contract.sandbox;
  return leases === "enforced" && widen === "directory" && "worker" in holder && mode !== "shared";
}

/** The patterns of a request for a region, as wide as they are granted. */
export function givenOf(
  state: State,
  request: Request & { readonly region: readonly string[] },
): readonly string[] {
  const { region } = request;
  return isWidened(state, request) ? widened(region, state.book.foldsCase) : region;
}

/** What was asked for, where that is less than what is given. */
export function widenedFrom(
  state: State,
  request: Request,
): { readonly widened_from?: readonly string[] } {
  const { region } = request;
  if (region === undefined || !isWidened(state, request)) return {};
  const { foldsCase } = state.book;
  const asked = parseOnce(region, foldsCase);
  const given = widened(region, foldsCase);
  const isSame = !asked.ok || asked.region.patterns.join("\n") === given.join("\n");
  return isSame ? {} : { widened_from: region };
}

/** Says of a refusal that more was refused than was asked for. */
export function tellWidened(state: State, request: Request, refusal: Refusal): Refusal {
  const { widened_from: from } = widenedFrom(state, request);
  if (from === undefined) return refusal;
  const given = widened(from, state.book.foldsCase);
  const message =
    `${refusal.message}; ${textOf(from)} was widened to ${textOf(given)}, ` +
    `for the contract's widen is "directory"`;
  return refuse(refusal.code, message, { ...refusal.facts, widened_from: from });
}

function textOf([first = "", ...others]: readonly string[]): string {
  return others.length === 0 ? `"${first}"` : `"${first}" and ${others.length} more`;
}
