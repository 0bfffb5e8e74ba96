import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Change } from "../../config/change.ts";
import { CONFIG_NAME, type Config } from "../../config/config.ts";
import { writeContract } from "../../config/contract-text.ts";
import { writeGround } from "../../config/ground-text.ts";
import { writeRoster } from "../../config/roster-text.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { GroundRules } from "../../kernel/lane/lane.ts";
import type { Roster } from "../../kernel/roster/roster.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { Refused } from "../../library/refused.ts";
import { Fault } from "../../ports/fault.ts";
import { InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { allOf, changesBy, changesText, foldingNote } from "../founding/changes.ts";
import { configFileOf, demandConfigFile } from "../founding/config-file.ts";
import { configNote, lookAtConfig } from "../founding/config-sight.ts";
import {
  contractOptionsOf,
  groundOptionsOf,
  rosterOptionsOf,
} from "../founding/contract-options.ts";
import { configsElsewhere } from "../founding/other-trees.ts";
import { findPlace, type Place } from "../place.ts";
import { coloursFor } from "../text/colour.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const show: Verb = {
  name: "contract show",
  summary: "Show the contract, the lanes and the roster in force",
  details:
    "Shows the policy in force as a config would write it: the contract, the lanes, what " +
    "else holds for ground, and who is expected to live. What stint.toml proposes beyond it is " +
    "named, and waits for `stint contract enact`.",
  examples: ["stint contract show", "stint contract show --json"],
  run: runShow,
};

const lint: Verb = {
  name: "contract lint",
  summary: "Check a stint.toml without putting anything in force",
  details:
    "Checks form, bounds, conditions, lanes and roster of FILE (default: the stint.toml of the " +
    "fleet, or of the current folder). Everything wrong is named with its line (exit 2), " +
    "and whether it is in force is said. Needs no fleet.",
  parameters: "[file]",
  examples: ["stint contract lint", "stint contract lint proposals/tight.toml"],
  run: runLint,
};

const enact: Verb = {
  name: "contract enact",
  summary: "Put the contract, the lanes and the roster of a stint.toml in force",
  details:
    "Shows what would change, asks, and puts contract, lanes and roster of FILE (default: the " +
    "fleet's stint.toml) in force. A tighter contract stops nobody: it admits nothing new until " +
    "use has fallen below it. Leases stay as they were granted, also where their lane is gone.",
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
  const { contract, contract_hash: hash, book, roster } = state;
  const file = configFileOf(root);
  const sight = lookAtConfig(file, state);
  const note = configNote(file, sight);
  if (note !== undefined) call.note(note);
  if (sight.kind === "proposes") call.note(listOf(allOf(sight.changes)));
  const data = {
    contract: asJson(contract),
    contract_hash: hash,
    ground: asJson(book.rules),
    roster: asJson(roster),
    fold_case: book.foldsCase,
    status: state.status,
  };
  const text = `${writeContract(contract)}${writeGround(book.rules)}${writeRoster(roster)}`;
  return { data, text: text.trimEnd(), seq };
}

async function runLint(call: Call, { parameters }: Given): Promise<Said> {
  const place = call.fleetDir === undefined ? findPlace(process.cwd()) : await call.place();
  const file = fileOf(parameters[0], place?.root ?? process.cwd());
  const config = demandConfigFile(file);
  const force = place === undefined ? NO_FLEET : await forceOf(call, file, config);
  const notes = [...config.notes, ...force.notes];
  const lines = [`${file} is well formed.`, force.text, ...notes.map((note) => `note: ${note}`)];
  const { contract, ground, roster } = config;
  const proposed = { contract: asJson(contract), ground: asJson(ground), roster: asJson(roster) };
  const data = { file, ...proposed, notes: [...notes], in_force: force.isInForce };
  return { data, text: lines.join("\n") };
}

/** Whether what a config proposes is in force; null where that cannot be known. */
interface Force {
  readonly isInForce: boolean | null;
  readonly text: string;
  readonly notes: readonly string[];
}

const NO_FLEET: Force = {
  isInForce: null,
  text: "It is not in force: there is no fleet here.",
  notes: [],
};

async function forceOf(call: Call, file: string, config: Config): Promise<Force> {
  try {
    const { state } = await call.read();
    const note = foldingNote(config, state);
    const notes = note === undefined ? [] : [note];
    const changes = changesBy(config, state);
    if (allOf(changes).length === 0) return { isInForce: true, text: "It is in force.", notes };
    const how = `\`stint contract enact ${file}\` puts it in force`;
    const text = `It is not in force: ${changesText(changes)}; ${how}.`;
    return { isInForce: false, text, notes };
  } catch (error) {
    if (!(error instanceof Fault || error instanceof Refused)) throw error;
    // A broken store says nothing about the file.
    const text = `Whether it is in force is unknown: ${error.message}`;
    return { isInForce: null, text, notes: [] };
  }
}

async function runEnact(call: Call, { parameters, options }: Given): Promise<Said> {
  const place = await call.place();
  const file = fileOf(parameters[0], place.root);
  if (parameters[0] === undefined && !existsSync(file)) throw noConfig(file, place);
  const config: Config = demandConfigFile(file);
  const { state } = await call.read();
  const note = foldingNote(config, state);
  if (note !== undefined) call.note(`note: ${note}`);
  const changes = changesBy(config, state);
  const all = allOf(changes);
  if (all.length === 0) {
    const data = { contract_hash: state.contract_hash, changes: [] };
    return { data, text: `What ${file} proposes is in force already.`, seq: state.seq };
  }
  const what = changesText(changes);
  call.note(`${file} proposes ${what} of "${state.name}":\n${listOf(all, call)}`);
  await call.confirm("Put it in force?", options["yes"] === true);
  const fleet = await call.openFleet();
  if (changes.contract.length > 0) await fleet.enact(contractOptionsOf(config.contract));
  if (changes.ground.length > 0) await fleet.enactGround(groundOptionsOf(config.ground));
  if (changes.roster.length > 0) await fleet.enactRoster(rosterOptionsOf(config.roster));
  const after = await call.read();
  const data = {
    contract_hash: after.state.contract_hash,
    changes: all.map((change) => ({ ...change })),
  };
  return { data, text: `In force: ${what}.`, seq: after.seq };
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
function listOf(changes: readonly Change[], call?: Call): string {
  const colours = coloursFor(call?.isColour === true);
  return changes
    .map(({ field, before, after }) => {
      if (before === undefined) return `  ${field}: ${colours.green(after ?? "")} (new)`;
      if (after === undefined) return `  ${field}: ${colours.red(before)} (removed)`;
      return `  ${field}: ${colours.red(before)} → ${colours.green(after)}`;
    })
    .join("\n");
}

/** All are documents in wire form: their types only lack the word. */
function asJson(document: Contract | GroundRules | Roster): JsonObject {
  return document as unknown as JsonObject;
}
