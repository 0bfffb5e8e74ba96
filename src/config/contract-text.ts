import type {
  Contract,
  KillCondition,
  LivenessRules,
  RetentionRules,
  SandboxRules,
} from "../kernel/fleet/contract.ts";
import type { Budget } from "../kernel/budget/budget.ts";
import { writeCores, writeDuration, writeSize } from "./amount.ts";
import { flatChanges, type Change } from "./change.ts";
import {
  BUDGET_FIELDS,
  CONTRACT_FIELDS,
  KILL_CONDITION_FIELDS,
  LIVENESS_FIELDS,
  RETENTION_FIELDS,
  SANDBOX_FIELDS,
  type Field,
  type Form,
} from "./field.ts";

/** The fields of a journaled document, by their names there. */
type Document = Contract | Budget | SandboxRules | LivenessRules | RetentionRules | KillCondition;

/** Writes a contract as the tables of a config, whole: reading it gives the same contract. */
export function writeContract(contract: Contract): string {
  const { budget, default_child, stop, lease_deny_when, kill_when, sandbox, liveness } = contract;
  return [
    "[contract]",
    ...linesOf(contract, CONTRACT_FIELDS),
    ...tableOf("contract.budget", budget),
    ...tableOf("contract.default_child", default_child),
    "",
    "[contract.liveness]",
    ...linesOf(liveness, LIVENESS_FIELDS),
    ...stop.flatMap((condition) => conditionLines("contract.stop", condition)),
    ...lease_deny_when.flatMap((one) => conditionLines("contract.lease_deny_when", one)),
    ...kill_when.flatMap((one) => [
      "",
      "[[contract.kill_when]]",
      ...linesOf(one, KILL_CONDITION_FIELDS),
    ]),
    "",
    "[sandbox]",
    ...linesOf(sandbox, SANDBOX_FIELDS),
    "",
    "[retention]",
    ...linesOf(contract.retention, RETENTION_FIELDS),
    "",
  ].join("\n");
}

/** What enacting `after` would change in `before`, in the order of the fields. */
export function diffContracts(before: Contract, after: Contract): readonly Change[] {
  return flatChanges(flatten(before), flatten(after));
}

function tableOf(name: string, document: Document): readonly string[] {
  const lines = linesOf(document, BUDGET_FIELDS);
  return lines.length === 0 ? [] : ["", `[${name}]`, ...lines];
}

/** Writes a line for each field of a document that is no table of its own. */
export function linesOf(
  document: Document,
  fields: Readonly<Record<string, Field>>,
): readonly string[] {
  return Object.entries(fields).flatMap(([name, { wire, form }]) => {
    const value: unknown = Reflect.get(document, wire);
    if (value === undefined || TABLES.has(form)) return [];
    if (name === "units") return unitLines(value);
    return [`${name} = ${write(value, form)}`];
  });
}

/** Forms that are written as tables of their own. */
const TABLES: ReadonlySet<Form> = new Set(["budget", "liveness", "conditions", "kill_conditions"]);

function unitLines(value: unknown): readonly string[] {
  // A budget's units: amounts by name, as the contract was parsed.
  const units = Object.entries(value as Readonly<Record<string, number>>);
  return units.map(([unit, amount]) => `units.${unit} = ${amount}`);
}

/** A condition: without a `when` it is a function. */
interface Condition {
  readonly name: string;
  readonly description?: string;
  readonly when?: string;
}

function conditionLines(table: string, { name, description, when }: Condition): readonly string[] {
  return [
    "",
    `[[${table}]]`,
    `name = ${JSON.stringify(name)}`,
    ...(description === undefined ? [] : [`description = ${quote(description)}`]),
    ...(when === undefined
      ? ["# A function condition: processes of the library bring it along."]
      : [`when = ${quote(when)}`]),
  ];
}

function flatten(contract: Contract): ReadonlyMap<string, string> {
  const flat = new Map<string, string>();
  const add = (prefix: string, lines: readonly string[]): void => {
    for (const line of lines) {
      const [name = "", value = ""] = line.split(/ = (.*)/s, 2);
      flat.set(`${prefix}${name}`, value);
    }
  };
  add("", linesOf(contract, CONTRACT_FIELDS));
  add("budget.", linesOf(contract.budget, BUDGET_FIELDS));
  add("default_child.", linesOf(contract.default_child, BUDGET_FIELDS));
  add("liveness.", linesOf(contract.liveness, LIVENESS_FIELDS));
  add("sandbox.", linesOf(contract.sandbox, SANDBOX_FIELDS));
  add("retention.", linesOf(contract.retention, RETENTION_FIELDS));
  for (const { name, when } of contract.stop)
    flat.set(`stop.${name}`, when === undefined ? "a function" : quote(when));
  for (const { name, when } of contract.lease_deny_when)
    flat.set(`lease_deny_when.${name}`, quote(when));
  for (const condition of contract.kill_when) {
    const lines = linesOf(condition, KILL_CONDITION_FIELDS);
    const told = lines.filter((line) => /^(?:when|for|action) /.test(line));
    flat.set(`kill_when.${condition.name}`, `{ ${told.join(", ")} }`);
  }
  return flat;
}

function write(value: unknown, form: Form): string {
  if (form === "duration") return `"${writeDuration(Number(value))}"`;
  if (form === "size") return `"${writeSize(Number(value))}"`;
  if (form === "cores") return writeCores(Number(value));
  // Texts, numbers, flags and arrays of texts are written alike in JSON and TOML.
  return typeof value === "string" ? quote(value) : JSON.stringify(value);
}

/** Writes a basic string of TOML, whose escapes are JSON's but for the slash and for DEL. */
export function quote(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
