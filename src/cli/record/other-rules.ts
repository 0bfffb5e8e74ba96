import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { GroundRules } from "../../kernel/lane/lane.ts";
import { parseContract } from "../../protocol/contract.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import { parseGroundRules } from "../../protocol/lease.ts";
import { demandConfigFile } from "../founding/config-file.ts";

/** A larger file is none of ours, bytes. */
const fileBytesMax = 1_048_576;

/** Reads the contract in a stint.toml, or in JSON. Throws an InputError that says what is wrong. */
export function readContractFile(name: string): Contract {
  const file = resolve(name);
  const json = readJson(file);
  if (json === undefined) return demandConfigFile(file).contract;
  return parseContract(partOf(json, "contract"), { path: `${name}: contract` });
}

/** Reads lanes and the rules about ground in a stint.toml, or in JSON. Throws an InputError. */
export function readGroundFile(name: string): GroundRules {
  const file = resolve(name);
  const json = readJson(file);
  if (json === undefined) return demandConfigFile(file).ground;
  return parseGroundRules(partOf(json, "ground"), { path: `${name}: ground` });
}

/** What a file holds as JSON; undefined where it is none, or not there. */
function readJson(file: string): unknown {
  if (!existsSync(file)) return undefined;
  const text = readText(file);
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const got = describeValue((error as Error).message);
    throw new InputError("usage", [{ path: file, expected: "JSON, as it begins with {", got }]);
  }
}

function readText(file: string): string {
  try {
    const text = readFileSync(file, "utf8");
    const bytes = Buffer.byteLength(text);
    if (bytes <= fileBytesMax) return text;
    const expected = `at most ${fileBytesMax} bytes`;
    throw new InputError("limit_exceeded", [{ path: file, expected, got: `${bytes} bytes` }]);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const got = describeValue((error as Error).message);
    throw new InputError("usage", [{ path: file, expected: "a file that can be read", got }]);
  }
}

/** The document itself, or within what `contract show --json` and its like print of it. */
function partOf(json: unknown, part: "contract" | "ground"): unknown {
  const inner = isPlainObject(json) && isPlainObject(json["data"]) ? json["data"] : json;
  return isPlainObject(inner) && part in inner ? inner[part] : inner;
}
