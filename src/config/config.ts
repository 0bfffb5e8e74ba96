// stint.toml: what a repository proposes. Nothing in it is in force before an operator enacts it.

import { parse, TomlError } from "smol-toml";
import {
  checkCondition,
  checkKillCondition,
  checkLeaseCondition,
} from "../kernel/condition/condition.ts";
import type { ConditionCheck } from "../kernel/rules/judge.ts";
import { DEFAULT_CONTRACT, type Contract } from "../kernel/fleet/contract.ts";
import type { GroundRules } from "../kernel/lane/lane.ts";
import type { Roster } from "../kernel/roster/roster.ts";
import { parseContract } from "../protocol/contract.ts";
import { describeValue, InputError } from "../protocol/input.ts";
import { inTomlForm } from "./amount-problem.ts";
import {
  BUDGET_FIELDS,
  CONTRACT_FIELDS,
  KILL_CONDITION_FIELDS,
  LIVENESS_FIELDS,
  readForm,
  RETENTION_FIELDS,
  SANDBOX_FIELDS,
  tomlNameOf,
  type Field,
} from "./field.ts";
import { readGround } from "./ground.ts";
import { findLines } from "./lines.ts";
import { Reader, type Table } from "./reader.ts";
import { readRoster } from "./roster.ts";
import {
  parseFleetSection,
  parseSupervise,
  type FleetSection,
  type SuperviseSection,
} from "./section.ts";

/** The name of the file in a repository or folder. */
export const CONFIG_NAME = "stint.toml";

/** What a config says. */
export interface Config {
  readonly fleet: FleetSection;
  /** The whole contract that is proposed: what it leaves out has the defaults. */
  readonly contract: Contract;
  /** The lanes and rules about ground that are proposed; their regions are not canonical. */
  readonly ground: GroundRules;
  /** Who is proposed to be expected to live. */
  readonly roster: Roster;
  /** What is aimed at by whoever supervises from this file; never enacted. */
  readonly supervise: SuperviseSection;
  /** What is well formed and has no effect in this version, in sentences. */
  readonly notes: readonly string[];
}

/** A longer file is no config of ours, bytes. */
const configBytesMax = 262_144;

const SECTIONS = [
  "fleet",
  "repository",
  "contract",
  "lanes",
  "leases",
  "sandbox",
  "retention",
  "supervise",
  "roster",
] as const;

/**
 * Reads a config. `file` is how messages name it. Throws an InputError that names everything that
 * is wrong with its line, and the nearest key for one that is unknown.
 */
export function readConfig(text: string, file: string): Config {
  const size = Buffer.byteLength(text);
  if (size > configBytesMax)
    throw new InputError("limit_exceeded", [
      { path: file, expected: `at most ${configBytesMax} bytes`, got: `${size} bytes` },
    ]);
  const table = parseToml(text, file);
  const reader = new Reader(file, findLines(text));
  reader.keysOf(table, [], SECTIONS);
  const fleet = reader.part(() => parseFleetSection(table["fleet"] ?? {})) ?? {};
  const contract = readContract(reader, table);
  const ground = readGround(reader, table, fleet.fold_case === true);
  const supervise = reader.part(() => parseSupervise(table["supervise"] ?? {})) ?? {};
  const roster = readRoster(reader, table["roster"]);
  if (reader.problems.length > 0 || contract === undefined)
    throw new InputError("usage", reader.problems);
  return { fleet, contract, ground, roster, supervise, notes: notesOn(contract) };
}

function parseToml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text, { unsafeKeyBehaviour: "throw" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ""] = error.message.replace(/^Invalid TOML document: /, "").split("\n");
    const path = `${file}:${error.line}:${error.column}`;
    throw new InputError("usage", [{ path, expected: "TOML (https://toml.io)", got: first }]);
  }
}

function readContract(reader: Reader, table: Table): Contract | undefined {
  const countBefore = reader.problems.length;
  const read = (name: string, fields: Readonly<Record<string, Field>>): Table =>
    readFields(reader, table[name] ?? {}, { path: [name], fields });
  const wire = {
    ...read("contract", CONTRACT_FIELDS),
    sandbox: read("sandbox", SANDBOX_FIELDS),
    retention: read("retention", RETENTION_FIELDS),
  };
  if (reader.problems.length > countBefore) return undefined;
  const contract = reader.part(() => {
    try {
      return parseContract(wire, { path: "contract", rename: tomlNameOf });
    } catch (error) {
      throw error instanceof InputError ? ofItsOwn(inTomlForm(error)) : error;
    }
  });
  if (contract !== undefined) checkConditions(reader, contract);
  return contract;
}

/** A part of the contract that has a section of its own is named by that. */
function ofItsOwn({ code, problems }: InputError): InputError {
  const named = problems.map((one) => ({ ...one, path: one.path.replace(OWN_SECTION, "") }));
  return new InputError(code, named);
}

const OWN_SECTION = /^contract\.(?=(?:sandbox|retention)\b)/;

/** A condition's source, and what checks it. */
interface Checked {
  readonly when: string | undefined;
  readonly check: (source: string) => ConditionCheck;
}

/** Conditions are checked as when they are enacted; a function cannot stand in a file. */
function checkConditions(reader: Reader, contract: Contract): void {
  const { stop, lease_deny_when, kill_when } = contract;
  const all: Readonly<Record<string, readonly Checked[]>> = {
    stop: stop.map(({ when }) => ({ when, check: checkCondition })),
    lease_deny_when: lease_deny_when.map(({ when }) => ({ when, check: checkLeaseCondition })),
    kill_when: kill_when.map((one) => ({ when: one.when, check: () => checkKillCondition(one) })),
  };
  for (const [key, conditions] of Object.entries(all))
    for (const [index, { when, check }] of conditions.entries()) {
      const path = ["contract", key, String(index), "when"];
      if (when === undefined) reader.object(path, "CEL text", "nothing");
      const checked = when === undefined ? { ok: true as const } : check(when);
      if (checked.ok) continue;
      const expected = `a condition that passes its check (${checked.problem})`;
      reader.object(path, expected, describeValue(when));
    }
}

function notesOn({ revoke_margin_ms }: Contract): readonly string[] {
  if (revoke_margin_ms === DEFAULT_CONTRACT.revoke_margin_ms) return [];
  return ["contract.revoke_margin is checked for its form and has no effect in this version"];
}

/** Renames the fields of a table and reads their amounts. */
function readFields(
  reader: Reader,
  section: unknown,
  so: { readonly path: readonly string[]; readonly fields: Readonly<Record<string, Field>> },
): Table {
  const { path, fields } = so;
  const table = reader.table(section, path);
  reader.keysOf(table, path, Object.keys(fields));
  const wire: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(table)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) continue;
    wire[field.wire] = readField(reader, value, { path: [...path, name], form: field.form });
  }
  return wire;
}

function readField(
  reader: Reader,
  value: unknown,
  { path, form }: { readonly path: readonly string[]; readonly form: Field["form"] },
): unknown {
  if (form === "budget") return readFields(reader, value, { path, fields: BUDGET_FIELDS });
  if (form === "liveness") return readFields(reader, value, { path, fields: LIVENESS_FIELDS });
  // What is no list is left to the parser of contracts to object to.
  if (form === "kill_conditions" && Array.isArray(value))
    return value.map((table: unknown, index) =>
      readFields(reader, table, { path: [...path, String(index)], fields: KILL_CONDITION_FIELDS }),
    );
  return reader.part(() => readForm(value, form, path.join(".")));
}
