// stint.toml: what a repository proposes. Nothing in it is in force before an operator enacts it.

import { parse, TomlError } from "smol-toml";
import { checkCondition } from "../kernel/condition/condition.ts";
import type { Contract } from "../kernel/fleet/contract.ts";
import { parseContract } from "../protocol/contract.ts";
import { describeValue, InputError, isPlainObject, type InputProblem } from "../protocol/input.ts";
import { nearest } from "../protocol/nearest.ts";
import { inTomlForm } from "./amount-problem.ts";
import { BUDGET_FIELDS, CONTRACT_FIELDS, readForm, tomlNameOf, type Field } from "./field.ts";
import { parseFleetSection, parseLane, parseRoster, type FleetSection } from "./section.ts";
import { findLines, type Lines } from "./lines.ts";

/** The name of the file in a repository or folder. */
export const CONFIG_NAME = "stint.toml";

/** What a config says. */
export interface Config {
  readonly fleet: FleetSection;
  /** The whole contract that is proposed: what it leaves out has the defaults. */
  readonly contract: Contract;
  /** What is well formed and has no effect in this version, in sentences. */
  readonly notes: readonly string[];
}

/** A longer file is no config of ours, bytes. */
const configBytesMax = 262_144;

const SECTIONS = ["fleet", "contract", "lanes", "roster"] as const;

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
  const contract = reader.contract(table["contract"] ?? {});
  const notes = [...reader.lanes(table["lanes"]), ...reader.roster(table["roster"])];
  if (reader.problems.length > 0 || contract === undefined)
    throw new InputError("usage", reader.problems);
  return { fleet, contract, notes };
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

type Table = Readonly<Record<string, unknown>>;

/** Reads the parts of a parsed text and gathers what is wrong with them. */
class Reader {
  readonly problems: InputProblem[] = [];
  readonly #file: string;
  readonly #lines: Lines;

  constructor(file: string, lines: Lines) {
    this.#file = file;
    this.#lines = lines;
  }

  /** Objects to every key that is not known. */
  keysOf(table: Table, path: readonly string[], known: readonly string[]): void {
    for (const [key, value] of Object.entries(table)) {
      if (known.includes(key)) continue;
      const like = nearest(key, known);
      const hint = like === undefined ? "" : `; did you mean ${like}?`;
      this.#object([...path, key], `absent (no such key${hint})`, describeValue(value));
    }
  }

  /** What `read` answers; what it throws as bad input is gathered, with its line. */
  part<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { path, expected, got } of error.problems)
        this.#object(segmentsOf(path), expected, got);
      return undefined;
    }
  }

  contract(section: unknown): Contract | undefined {
    const countBefore = this.problems.length;
    const wire = this.#fields(section, ["contract"], CONTRACT_FIELDS);
    if (this.problems.length > countBefore) return undefined;
    const contract = this.part(() => {
      try {
        return parseContract(wire, { path: "contract", rename: tomlNameOf });
      } catch (error) {
        throw error instanceof InputError ? inTomlForm(error) : error;
      }
    });
    if (contract !== undefined) this.#conditions(contract);
    return contract;
  }

  /** Conditions are checked as when they are enacted; a function cannot stand in a file. */
  #conditions({ stop }: Contract): void {
    for (const [index, { when }] of stop.entries()) {
      const path = ["contract", "stop", String(index), "when"];
      if (when === undefined) this.#object(path, "CEL text", "nothing");
      const checked = when === undefined ? { ok: true as const } : checkCondition(when);
      if (!checked.ok)
        this.#object(
          path,
          `a condition that passes its check (${checked.problem})`,
          describeValue(when),
        );
    }
  }

  lanes(section: unknown): readonly string[] {
    if (section === undefined) return [];
    const lanes = this.#table(section, ["lanes"]);
    for (const [name, lane] of Object.entries(lanes))
      this.part(() => parseLane(lane, { path: `lanes.${name}` }));
    return ["[lanes] are checked for their form and have no effect in this version"];
  }

  roster(section: unknown): readonly string[] {
    if (section === undefined) return [];
    this.part(() => parseRoster(section));
    return ["[roster] is checked for its form and has no effect in this version"];
  }

  /** Renames the fields of a table and reads their amounts. */
  #fields(
    section: unknown,
    path: readonly string[],
    fields: Readonly<Record<string, Field>>,
  ): Table {
    const table = this.#table(section, path);
    this.keysOf(table, path, Object.keys(fields));
    const wire: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(table)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field === undefined) continue;
      wire[field.wire] =
        field.form === "budget"
          ? this.#fields(value, [...path, name], BUDGET_FIELDS)
          : this.part(() => readForm(value, field.form, [...path, name].join(".")));
    }
    return wire;
  }

  #table(value: unknown, path: readonly string[]): Table {
    if (isPlainObject(value)) return value;
    this.#object(path, "a table", describeValue(value));
    return {};
  }

  #object(path: readonly string[], expected: string, got: string): void {
    const where = `${this.#file}:${this.#lines.lineOf(path)}: ${shown(path)}`;
    this.problems.push({ path: where, expected, got });
  }
}

/** `contract.stop[0].when` → `contract`, `stop`, `0`, `when`. */
function segmentsOf(path: string): readonly string[] {
  return path.split(/\.|\[|\]\.?/).filter((part) => part !== "");
}

function shown(path: readonly string[]): string {
  return path.reduce((text, part) => {
    if (/^\d+$/.test(part)) return `${text}[${part}]`;
    const name = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}
