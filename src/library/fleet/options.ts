import type { z } from "zod";
import type { GroundRules } from "../../kernel/lane/lane.ts";
import { nearest } from "../../kernel/lane/nearest.ts";
import type { Log } from "../../ports/log.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import { parserOf } from "../../protocol/parse.ts";
import { flag, oneOf, record, text, plainName } from "../../protocol/scalar.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { parseGround, type GroundOptions } from "../ground/lanes.ts";
import { parseServices, type ServiceOptions } from "../roster/options.ts";
import type { Roster } from "../../kernel/roster/roster.ts";
import type { Secret } from "../seat.ts";
import { parseConditions, type ConditionFunctions } from "./conditions.ts";
import { parseContractOptions, type ContractOptions, type ParsedContract } from "./contract.ts";
import type { SupervisorUse } from "../relay/supervisor-door.ts";
import type { Store } from "./store.ts";

/** How a fleet is opened. */
export interface FleetOptions extends Partial<GroundOptions> {
  /** Where it is kept: `memory()`, `sqlite({ dir })`. */
  readonly store: Store;
  /**
   * A text of at least 16 bytes, or at least 32 bytes; the same each time. Left out on a store in a
   * folder: the one in its file `secret` (mode 0600), which a new fleet creates.
   */
  readonly secret?: Secret;
  /**
   * The policy of a new fleet; what it leaves out has the defaults. For an existing fleet it must
   * be the one in force, unless `enact` is set; left out, the one in force stays.
   */
  readonly contract?: ContractOptions;
  /** The name of a new fleet; default `fleet`. */
  readonly name?: string;
  /** Whether contract, ground or roster are enacted where others are in force; default false. */
  readonly enact?: boolean;
  /**
   * Lanes and rules about ground of a new fleet. Where one of `lanes`, `worktrees` and
   * `requireLease` is given, all three are meant, and what is left out has its default. For an
   * existing fleet they must be those in force, unless `enact` is set.
   */
  readonly lanes?: GroundOptions["lanes"];
  /**
   * Who is expected to live of a new fleet. For an existing fleet it must be the roster in force,
   * unless `enact` is set; left out, the one in force stays.
   */
  readonly roster?: readonly ServiceOptions[];
  /**
   * Whether letters that differ in case alone are one in regions, for the life of a new fleet;
   * default false. For an existing fleet it must be as it was created.
   */
  readonly foldCase?: boolean;
  /** Function conditions that this process brings along, by their names. */
  readonly conditions?: ConditionFunctions;
  /** Whether this handle looks after time, silences and left processes; default true. */
  readonly steward?: boolean;
  /**
   * Whether commands and processes go to the fleet's supervisor: `use` (default) when one runs,
   * `start` also starts one when a process is to be started, `none` never. A store in memory has
   * none.
   */
  readonly supervisor?: SupervisorUse;
  /** A name for whoever acts by this handle, for the record. */
  readonly operator?: string;
  /** Told what an operator should look at; default: nobody. */
  readonly log?: Log;
}

/** The options of a fleet, checked. */
export interface ParsedFleetOptions {
  readonly store: Store;
  readonly secret: Secret | undefined;
  readonly contract: ParsedContract | undefined;
  readonly ground: GroundRules | undefined;
  readonly roster: Roster | undefined;
  readonly foldCase: boolean | undefined;
  readonly conditions: ConditionFunctions;
  readonly name: string;
  readonly enact: boolean;
  readonly steward: boolean;
  readonly supervisor: SupervisorUse;
  readonly operator: string | undefined;
  readonly log: Log | undefined;
}

const FIELDS: readonly string[] = [
  "store",
  "secret",
  "contract",
  "name",
  "enact",
  "lanes",
  "worktrees",
  "requireLease",
  "roster",
  "foldCase",
  "conditions",
  "steward",
  "supervisor",
  "operator",
  "log",
];

/** The options that a schema checks. */
type PlainField = "name" | "enact" | "foldCase" | "steward" | "supervisor" | "operator";

const parsePlain = parserOf(
  "options",
  record({
    name: plainName.optional(),
    enact: flag.optional(),
    foldCase: flag.optional(),
    steward: flag.optional(),
    supervisor: oneOf(["use", "start", "none"]).optional(),
    operator: text(LIMITS.actorTextCharsMax, 1).optional(),
  }) as unknown as z.ZodType<Pick<FleetOptions, PlainField>>,
);

/** Checks the options of `openFleet`. Throws an InputError that names each wrong field. */
export function parseFleetOptions(given: unknown): ParsedFleetOptions {
  if (!isPlainObject(given)) throw wrong("options", "an object", given);
  for (const [field, value] of Object.entries(given))
    if (!FIELDS.includes(field)) throw wrong(`options.${field}`, absent(field), value);
  const { store, secret, contract, conditions, log, ...others } = given;
  const { lanes, worktrees, requireLease, roster, ...plain } = others;
  if (!isStore(store)) throw wrong("options.store", "memory() or sqlite({ dir })", store);
  const fields = parsePlain(plain);
  const { name = "fleet", enact = false, steward = true, supervisor = "use", operator } = fields;
  if (supervisor === "start" && store.kind === "memory")
    throw wrong("options.supervisor", '"use" or "none" for a store in memory', supervisor);
  const ground = { lanes, worktrees, requireLease };
  const hasGround = Object.values(ground).some((value) => value !== undefined);
  const parsed = contract === undefined ? undefined : parseContractOptions(contract);
  return {
    store,
    name,
    enact,
    steward,
    supervisor,
    operator,
    contract: parsed,
    ground: hasGround ? parseGround({ ...ground, lanes: lanes ?? [] }) : undefined,
    roster: roster === undefined ? undefined : parseServices(roster, "options.roster"),
    foldCase: fields.foldCase,
    secret: secret as Secret | undefined,
    conditions: {
      ...parseConditions(conditions),
      ...parsed?.functions,
    },
    log: log as Log | undefined,
  };
}

function wrong(path: string, expected: string, got: unknown): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}

function absent(field: string): string {
  const like = nearest(field, FIELDS);
  const hint = like === undefined ? "" : `; did you mean ${like}?`;
  return `absent (no such option${hint})`;
}

function isStore(value: unknown): value is Store {
  return typeof value === "object" && value !== null && "open" in value;
}
