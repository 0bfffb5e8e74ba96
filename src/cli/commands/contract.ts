import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { CONFIG_NAME } from "../../config/config.ts";
import { diffContracts, writeContract, type ContractChange } from "../../config/contract-text.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { Refused } from "../../library/refused.ts";
import { Fault } from "../../ports/fault.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { configFileOf, demandConfigFile } from "../founding/config-file.ts";
import { configNote, lookAtConfig } from "../founding/config-sight.ts";
import { contractOptionsOf } from "../founding/contract-options.ts";
import { configsElsewhere } from "../founding/other-trees.ts";
import { findPlace, type Place } from "../place.ts";
import { coloursFor } from "../text/colour.ts";
import { countText } from "../text/size.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const show: Verb = {
  name: "contract show",
  summary: "Show the contract in force",
  details:
    "Shows the policy in force as a config would write it. What stint.toml proposes beyond it is " +
    "named, and waits for `stint contract enact`.",
  examples: ["stint contract show", "stint contract show --json"],
  run: runShow,
};

const lint: Verb = {
  name: "contract lint",
  summary: "Check a stint.toml without putting anything in force",
  details:
    "Checks form, bounds and stop conditions of FILE (default: the stint.toml of the fleet, or " +
    "of the current folder). Everything wrong is named with its line (exit 2), " +
    "and whether it is in force is said. Needs no fleet.",
  parameters: "[file]",
  examples: ["stint contract lint", "stint contract lint proposals/tight.toml"],
  run: runLint,
};

const enact: Verb = {
  name: "contract enact",
  summary: "Put the contract of a stint.toml in force",
  details:
    "Shows what would change, asks, and puts the contract of FILE (default: the fleet's " +
    "stint.toml) in force. A tighter contract stops nobody: it admits nothing new until use has " +
    "fallen below it.",
  parameters: "[file]",
  options: [{ flags: "--yes", description: "do not ask" }],
  examples: ["stint contract enact", "stint contract enact stint.toml --yes"],
  run: runEnact,
};

/** The verbs of the contract. */
export const VERBS: VerbFile["VERBS"] = [show, lint, enact];

async function runShow(call: Call): Promise<Said> {
  const { root } = await call.place();
  const { state, seq } = await call.read();
  const { contract, contract_hash: hash } = state;
  const file = configFileOf(root);
  const sight = lookAtConfig(file, contract);
  const note = configNote(file, sight);
  if (note !== undefined) call.note(note);
  if (sight.kind === "proposes") call.note(listOf(sight.changes));
  const data = { contract: asJson(contract), contract_hash: hash, status: state.status };
  return { data, text: writeContract(contract).trimEnd(), seq };
}

async function runLint(call: Call, { parameters }: Given): Promise<Said> {
  const place = call.fleetDir === undefined ? findPlace(process.cwd()) : await call.place();
  const file = fileOf(parameters[0], place?.root ?? process.cwd());
  const { contract, notes } = demandConfigFile(file);
  const force = place === undefined ? NO_FLEET : await forceOf(call, { file, contract });
  const lines = [`${file} is well formed.`, force.text, ...notes.map((note) => `note: ${note}`)];
  const data = { file, contract: asJson(contract), notes: [...notes], in_force: force.isInForce };
  return { data, text: lines.join("\n") };
}

/** Whether a contract is the one in force; null where that cannot be known. */
interface Force {
  readonly isInForce: boolean | null;
  readonly text: string;
}

const NO_FLEET: Force = { isInForce: null, text: "It is not in force: there is no fleet here." };

async function forceOf(
  call: Call,
  { file, contract }: { readonly file: string; readonly contract: Contract },
): Promise<Force> {
  try {
    const { state } = await call.read();
    const { length: count } = diffContracts(state.contract, contract);
    if (count === 0) return { isInForce: true, text: "It is in force." };
    const changes = countText(count, "change");
    const how = `\`stint contract enact ${file}\` puts it in force`;
    return { isInForce: false, text: `It is not in force: ${changes} to the contract; ${how}.` };
  } catch (error) {
    if (!(error instanceof Fault || error instanceof Refused)) throw error;
    // A broken store says nothing about the file.
    return { isInForce: null, text: `Whether it is in force is unknown: ${error.message}` };
  }
}

async function runEnact(call: Call, { parameters, options }: Given): Promise<Said> {
  const place = await call.place();
  const file = fileOf(parameters[0], place.root);
  if (parameters[0] === undefined && !existsSync(file)) throw noConfig(file, place);
  const config: Config = demandConfigFile(file);
  const { state } = await call.read();
  const changes = diffContracts(state.contract, config.contract);
  if (changes.length === 0) {
    const data = { contract_hash: state.contract_hash, changes: [] };
    return { data, text: `The contract of ${file} is in force already.`, seq: state.seq };
  }
  call.note(`${file} changes the contract of "${state.name}":\n${listOf(changes, call)}`);
  await call.confirm("Put it in force?", options["yes"] === true);
  const fleet = await call.openFleet();
  await fleet.enact(contractOptionsOf(config.contract));
  const after = await call.read();
  const data = {
    contract_hash: after.state.contract_hash,
    changes: changes.map((change) => ({ ...change })),
  };
  const text = `In force: ${countText(changes.length, "change")} of the contract.`;
  return { data, text, seq: after.seq };
}

/** Nothing lies where a config is looked for when none is named. */
function noConfig(file: string, { stateDir, root }: Place): InputError {
  const [other] = configsElsewhere(stateDir, root);
  const how = `\`stint contract enact ${other ?? "FILE"}\``;
  const expected =
    other === undefined
      ? `there, or another file named: ${how}`
      : `there, or another file named; another working tree has one: ${how}`;
  return new InputError("usage", [{ path: file, expected, got: "no such file" }]);
}

function fileOf(given: unknown, folder: string): string {
  return typeof given === "string" ? resolve(given) : resolve(folder, CONFIG_NAME);
}

/** What changes, a line each: what is new green, what goes red. */
function listOf(changes: readonly ContractChange[], call?: Call): string {
  const colours = coloursFor(call?.isColour === true);
  return changes
    .map(({ field, before, after }) => {
      if (before === undefined) return `  ${field}: ${colours.green(after ?? "")} (new)`;
      if (after === undefined) return `  ${field}: ${colours.red(before)} (removed)`;
      return `  ${field}: ${colours.red(before)} → ${colours.green(after)}`;
    })
    .join("\n");
}

/** A contract is a document in wire form: its type only lacks the word. */
function asJson(contract: Contract): JsonObject {
  return contract as unknown as JsonObject;
}
