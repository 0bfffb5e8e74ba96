import type { Change } from "../../config/change.ts";
import type { Config } from "../../config/config.ts";
import { diffContracts } from "../../config/contract-text.ts";
import { diffGround } from "../../config/ground-text.ts";
import type { State } from "../../kernel/state.ts";
import { countText } from "../text/size.ts";

/** What is in force, as far as a config proposes it. */
export type InForce = Pick<State, "contract" | "book">;

/** What enacting a config would change. */
export interface Changes {
  readonly contract: readonly Change[];
  /** Of lanes, and of what else is enacted about ground. */
  readonly ground: readonly Change[];
}

/** Compares what a config proposes with what is in force. */
export function changesBy(config: Pick<Config, "contract" | "ground">, inForce: InForce): Changes {
  const { rules, foldsCase } = inForce.book;
  return {
    contract: diffContracts(inForce.contract, config.contract),
    ground: diffGround(rules, config.ground, foldsCase),
  };
}

/** All changes, those of the contract first. */
export function allOf({ contract, ground }: Changes): readonly Change[] {
  return [...contract, ...ground];
}

/** Says how much changes, and of what: `2 changes to the contract`. */
export function changesText(changes: Changes): string {
  const { contract, ground } = changes;
  const what = [
    ...(contract.length > 0 ? ["contract"] : []),
    ...(ground.length > 0 ? ["ground"] : []),
  ];
  return `${countText(allOf(changes).length, "change")} to the ${what.join(" and the ")}`;
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
