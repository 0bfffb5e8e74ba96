import type { Change } from "../../config/change.ts";
import type { Config } from "../../config/config.ts";
import { diffContracts } from "../../config/contract-text.ts";
import { diffGround } from "../../config/ground-text.ts";
import { diffRoster } from "../../config/roster-text.ts";
import type { State } from "../../kernel/state.ts";
import { countText } from "../text/size.ts";

/** What is in force, as far as a config proposes it. */
export type InForce = Pick<State, "contract" | "book" | "roster">;

/** What enacting a config would change. */
export interface Changes {
  readonly contract: readonly Change[];
  /** Of lanes, and of what else is enacted about ground. */
  readonly ground: readonly Change[];
  /** Of who is expected to live. */
  readonly roster: readonly Change[];
}

/** Compares what a config proposes with what is in force. */
export function changesBy(
  config: Pick<Config, "contract" | "ground" | "roster">,
  inForce: InForce,
): Changes {
  const { rules, foldsCase } = inForce.book;
  return {
    contract: diffContracts(inForce.contract, config.contract),
    ground: diffGround(rules, config.ground, foldsCase),
    roster: diffRoster(inForce.roster, config.roster),
  };
}

/** All changes, those of the contract first. */
export function allOf({ contract, ground, roster }: Changes): readonly Change[] {
  return [...contract, ...ground, ...roster];
}

/** Says how much changes, and of what: `2 changes to the contract`. */
export function changesText(changes: Changes): string {
  const { contract, ground, roster } = changes;
  const what = [
    ...(contract.length > 0 ? ["contract"] : []),
    ...(ground.length > 0 ? ["ground"] : []),
    ...(roster.length > 0 ? ["roster"] : []),
  ];
  return `${countText(allOf(changes).length, "change")} to the ${listOf(what)}`;
}

function listOf(what: readonly string[]): string {
  const last = what.at(-1) ?? "";
  return what.length < 2 ? last : `${what.slice(0, -1).join(", the ")} and the ${last}`;
}

/**
 * Says that a config folds case otherwise than the fleet, which nothing changes any more; nothing
 * to say where it leaves that open.
 */
export function foldingNote(
  { fleet }: Pick<Config, "fleet">,
  { book }: InForce,
): string | undefined {
  if (fleet.fold_case === undefined || fleet.fold_case === book.foldsCase) return undefined;
  const is = `this fleet was begun with fold_case = ${String(book.foldsCase)}, for good`;
  return `fleet.fold_case = ${String(fleet.fold_case)} has no effect: ${is}`;
}
