import { ok } from "../../kernel/assert.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { GroundRules } from "../../kernel/lane/lane.ts";
import type { Roster } from "../../kernel/roster/roster.ts";
import { showContract, type ContractOptions } from "../../library/fleet/contract.ts";
import type { GroundOptions } from "../../library/ground/lanes.ts";
import type { ServiceOptions } from "../../library/roster/options.ts";

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

/** The roster of a config as the library takes it. */
export function rosterOptionsOf({ expected }: Roster): readonly ServiceOptions[] {
  return expected.map(({ every_ms: everyMs, ...service }) => ({ ...service, everyMs }));
}

/** The ground of a config as the library takes it. */
export function groundOptionsOf({ lanes, worktrees, require }: GroundRules): GroundOptions {
  return { lanes, worktrees, requireLease: require };
}
