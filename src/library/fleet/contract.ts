import type { Budget } from "../../kernel/budget/budget.ts";
import type {
  Contract,
  LivenessRules,
  RetentionRules,
  SandboxRules,
  StopCondition,
} from "../../kernel/fleet/contract.ts";
import { parseContract } from "../../protocol/contract.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { toCamel, toEdge, toWire, type Camel } from "../names.ts";
import type { ConditionFunction, ConditionFunctions } from "./conditions.ts";

/** What a worker may spend, as the library writes it: `cpuMilli`, `memoryBytes`, `lifetimeMs`, … */
export type BudgetOptions = Camel<Budget>;

/** A stop condition: CEL over the admission context in snake_case, or a function. True blocks. */
export interface StopConditionOptions {
  readonly name: string;
  readonly description?: string;
  readonly when: string | ConditionFunction;
}

/** The fields of a contract that differ from the defaults, as the library writes them. */
export type ContractOptions = Partial<
  Omit<Camel<Contract>, "stop" | "sandbox" | "liveness" | "retention">
> & {
  readonly sandbox?: Partial<Camel<SandboxRules>>;
  readonly liveness?: Partial<Camel<LivenessRules>>;
  readonly retention?: Partial<Camel<RetentionRules>>;
  readonly stopConditions?: readonly StopConditionOptions[];
};

/** A contract in force, as the library shows it: a function condition has no `when`. */
export type ContractView = Omit<Camel<Contract>, "stop"> & {
  readonly stopConditions: readonly Camel<StopCondition>[];
};

/** Shows a contract: a deep-frozen copy. */
export function showContract(contract: Contract): ContractView {
  const { stop, ...fields } = contract;
  return toEdge({ ...fields, stop_conditions: stop });
}

/** A contract as it is enacted, and the functions that stay in this process. */
export interface ParsedContract {
  readonly contract: Contract;
  readonly functions: ConditionFunctions;
}

/**
 * Parses a contract of the library into the whole one that is enacted. A function condition goes
 * by its name alone; CEL is checked when it is enacted. Throws an InputError that names every
 * wrong field as the caller wrote it.
 */
export function parseContractOptions(options: unknown): ParsedContract {
  const wire = toWire(options, "contract");
  const functions: Record<string, ConditionFunction> = {};
  if (typeof wire !== "object" || wire === null || Array.isArray(wire))
    return { contract: parseContract(wire, PLACE), functions };
  const {
    stop,
    stop_conditions: conditions,
    ...fields
  } = wire as Readonly<Record<string, unknown>>;
  if (stop !== undefined) throw noSuchField(stop);
  const given = conditions === undefined ? {} : { stop: takeFunctions(conditions, functions) };
  return { contract: parseContract({ ...fields, ...given }, PLACE), functions };
}

const PLACE = {
  path: "contract",
  rename: (field: string): string => (field === "stop" ? "stopConditions" : toCamel(field)),
};

function noSuchField(got: unknown): InputError {
  const expected = "absent (no such field; did you mean stopConditions?)";
  return new InputError("usage", [{ path: "contract.stop", expected, got: describeValue(got) }]);
}

/** Takes the functions out; whatever else is wrong with a condition is the parser's to say. */
function takeFunctions(conditions: unknown, functions: Record<string, ConditionFunction>): unknown {
  if (!Array.isArray(conditions)) return conditions;
  return (conditions as readonly unknown[]).map((condition, index) => {
    if (typeof condition !== "object" || condition === null) return condition;
    const { when, ...others } = condition as Readonly<Record<string, unknown>>;
    if (typeof when === "function" && typeof others["name"] === "string") {
      functions[others["name"]] = when as ConditionFunction;
      return others;
    }
    if (when !== undefined) return condition;
    const path = `contract.stopConditions[${index}].when`;
    const expected = "CEL text or a function";
    throw new InputError("usage", [{ path, expected, got: "nothing" }]);
  });
}

/** The fields in which two contracts differ, each as `name: in force …, given …`. */
export function listDifferences(inForce: Contract, given: Contract): readonly string[] {
  return (Object.keys(given) as (keyof Contract)[])
    .filter(
      (field) => JSON.stringify(sorted(inForce[field])) !== JSON.stringify(sorted(given[field])),
    )
    .map((field) => {
      const [ours, theirs] = [JSON.stringify(inForce[field]), JSON.stringify(given[field])];
      return `${PLACE.rename(field)}: in force ${ours}, given ${theirs}`;
    });
}

/** The same value with its keys in order: neither order nor absence is a difference. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, sorted(field)]));
}
