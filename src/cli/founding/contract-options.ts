import { ok } from "../../kernel/assert.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { GroundRules } from "../../kernel/lane/lane.ts";
import { showContract, type ContractOptions } from "../../library/fleet/contract.ts";
import type { GroundOptions } from "../../library/ground/lanes.ts";

/** A contract of a config as the library takes it; each of its conditions is a text there. */
export function contractOptionsOf(contract: Contract): ContractOptions {
  const { stopConditions, ...fields } = showContract(contract);
  return {
    ...fields,
    stopConditions: stopConditions.map(({ when, ...condition }) => {
      ok(when !== undefined, "a config's conditions have a text");
      return { ...condition, when };
    }),
  };
}

/** The ground of a config as the library takes it. */
export function groundOptionsOf({ lanes, worktrees, require }: GroundRules): GroundOptions {
  return { lanes, worktrees, requireLease: require };
}
