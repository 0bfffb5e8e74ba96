import { statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { Config } from "../../config/config.ts";
import { writeTemplate } from "../../config/template.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Contract } from "../../kernel/fleet/contract.ts";
import type { State } from "../../kernel/state.ts";
import { parseContract } from "../../protocol/contract.ts";
import { InputError } from "../../protocol/input.ts";
import { foldsCase } from "../../system/case-folding.ts";
import { ignoreFolder, makeFolders } from "../../system/folders.ts";
import type { Call, Said } from "../call.ts";
import { archiveFleet } from "../founding/archive.ts";
import { configFileOf, readConfigFile, writeConfigFile } from "../founding/config-file.ts";
import { configNote, lookAtConfig } from "../founding/config-sight.ts";
import {
  contractOptionsOf,
  groundOptionsOf,
  rosterOptionsOf,
} from "../founding/contract-options.ts";
import { aliveRefusal, killedRefusal, lookAt } from "../founding/predecessor.ts";
import { findPlaces, otherFleetsNote, placeFor, type Place } from "../place.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const init: Verb = {
  name: "init",
  summary: "Begin a fleet in a folder or repository",
  details:
    "Begins a fleet and writes a commented stint.toml where there is none. In a repository its " +
    "state lies in the repository's own directory, shared by all working trees and never " +
    "committed; elsewhere in DIR/.stint. Where a fleet is already (also one that a program keeps " +
    "in a `.stint` there), nothing is changed.\n\n" +
    "The contract, the lanes and the roster of a stint.toml that is there are put in force; " +
    "later changes of the file wait for `stint contract enact`. Where the file system takes " +
    "names that differ in case alone for the same, so do the fleet's regions, unless the file " +
    "says fold_case = false.\n\n" +
    "A fleet that was killed is never revived: --new-fleet archives its journal beside the new " +
    "one.",
  parameters: "[dir]",
  options: [
    { flags: "--name <name>", description: "the fleet's name (default: the folder's)" },
    { flags: "--new-fleet", description: "after a kill: archive the journal and begin anew" },
  ],
  examples: ["stint init", "stint init ~/work/site --name site", "stint init --new-fleet"],
  run,
};

/** The verb `init`. */
export const VERBS: VerbFile["VERBS"] = [init];

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const folder = folderOf(parameters[0]);
  const place = placeFor(folder);
  const others = otherFleetsNote(findPlaces(folder));
  const before = await lookAt(place.stateDir);
  if (before.kind !== "none" && others !== undefined) call.note(others);
  const isNew = options["newFleet"] === true;
  if (before.kind === "alive") {
    if (isNew) throw aliveRefusal(before.state);
    return sayExisting(call, place, before);
  }
  if (before.kind === "killed" && !isNew) throw killedRefusal(before.fleet);
  const config = readConfigFile(configFileOf(place.root));
  const archived =
    before.kind === "killed"
      ? archiveFleet(place.stateDir, before.fleet ?? `unreadable-${Date.now()}`)
      : undefined;
  const name = nameOf(options["name"] ?? config?.fleet.name, place);
  const isSameUser = await runsAsSameUser();
  const contract =
    config?.contract ??
    parseContract(isSameUser ? { allow_degraded: ["same_user", "network"] } : {});
  const foldCase = config?.fleet.fold_case ?? foldsCase(place.root);
  const fleet = await begin(place, {
    name,
    contract,
    foldCase,
    ground: config?.ground,
    roster: config?.roster,
  });
  const file = configFileOf(place.root);
  const isWritten = writeConfigFile(file, writeTemplate({ name, isSameUser }));
  for (const note of config?.notes ?? []) call.note(`note: ${note}`);
  if (foldCase && config?.fleet.fold_case === undefined)
    call.note("note: names here fold the case of letters, and so do the fleet's regions");
  if (isSameUser) noteSameUser(call, contract);
  return sayCreated({ place, fleet, name, isWritten, archived });
}

/** The folder to begin in, created where it alone is missing. */
function folderOf(given: unknown): string {
  const folder = resolve(typeof given === "string" ? given : ".");
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return folder;
  if (found !== undefined)
    throw new InputError("usage", [{ path: "dir", expected: "a folder", got: "a file" }]);
  const above = dirname(folder);
  if (statSync(above, { throwIfNoEntry: false })?.isDirectory() !== true) {
    // A mistyped path must not be made as a whole.
    const expected = "a folder, or the name of a new one in a folder that is there";
    const got = `${folder}; ${above} is no folder (\`mkdir -p ${above}\` makes it)`;
    throw new InputError("usage", [{ path: "dir", expected, got }]);
  }
  makeFolders(folder);
  return folder;
}

/** A name for people; what a folder may be called and a fleet may not is left out. */
function nameOf(given: unknown, { root }: Place): string {
  if (typeof given === "string") return given;
  const plain = basename(root)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 64);
  return plain === "" ? "fleet" : plain;
}

/** What a fleet begins with. */
interface Beginning {
  readonly name: string;
  readonly contract: Contract;
  readonly foldCase: boolean;
  readonly ground: Config["ground"] | undefined;
  readonly roster: Config["roster"] | undefined;
}

async function begin(place: Place, beginning: Beginning): Promise<string> {
  const { name, contract, foldCase, ground, roster } = beginning;
  const { openFleetForCli: openFleet, sqlite } = await import("../../compose/library.ts");
  makeFolders(place.stateDir, { mode: 0o700 });
  // A folder that becomes a repository one day must not commit the secret.
  if (basename(place.stateDir) === ".stint") ignoreFolder(place.stateDir);
  const store = sqlite({ dir: place.stateDir });
  const fleet = await openFleet({
    store,
    name,
    contract: contractOptionsOf(contract),
    foldCase,
    ...(ground === undefined ? {} : groundOptionsOf(ground)),
    ...(roster === undefined ? {} : { roster: rosterOptionsOf(roster) }),
    supervisor: "none",
    steward: false,
  });
  try {
    return fleet.id;
  } finally {
    await fleet.close();
  }
}

/** Whether no sandbox of this host keeps workers apart from the user they run as. */
async function runsAsSameUser(): Promise<boolean> {
  const { examineContainment } = await import("../../compose/record/inspection.ts");
  const { rungs } = await examineContainment();
  return !rungs.some(({ rung, works }) => works && rung !== "process-group");
}

function noteSameUser(call: Call, { allow_degraded: allowed }: Contract): void {
  const consequence = allowed.includes("same_user")
    ? "the contract allows it (same_user)"
    : 'starts will be refused until the contract has allow_degraded = ["same_user", "network"]';
  call.note(`note: sandboxes here do not keep workers from their user's files; ${consequence}`);
  call.note("      `stint doctor` says how to get better ones");
}

function sayExisting(
  call: Call,
  place: Place,
  { state, seq }: { readonly state: State; readonly seq: number },
): Said {
  const fleet = state.fleet ?? "";
  const file = configFileOf(place.root);
  const note = configNote(file, lookAtConfig(file, state));
  if (note !== undefined) call.note(note);
  const data = dataOf(place, { fleet, isCreated: false });
  return { data, text: `The fleet ${fleet} is here already: ${place.stateDir}`, seq };
}

function sayCreated(so: {
  readonly place: Place;
  readonly fleet: string;
  readonly name: string;
  readonly isWritten: boolean;
  readonly archived: string | undefined;
}): Said {
  const { place, fleet, name, isWritten, archived } = so;
  const file = configFileOf(place.root);
  const text = [
    `Began the fleet "${name}" (${fleet}).`,
    `  state   ${place.stateDir}`,
    `  config  ${file}${isWritten ? "" : " (was there, and is in force)"}`,
    ...(archived === undefined ? [] : [`  before  ${archived}`]),
    "",
    "Next: stint run -- CMD        run a command as a worker, and wait for it",
    "      stint spawn -- CMD      start one, and leave it to the supervisor",
    "      stint workers           who lives",
    "      stint doctor            what sandboxes can hold here",
  ].join("\n");
  const more = archived === undefined ? {} : { archived_dir: archived };
  return { data: { ...dataOf(place, { fleet, isCreated: true }), name, ...more }, text, seq: 1 };
}

function dataOf(
  { stateDir, root }: Place,
  so: { readonly fleet: string; readonly isCreated: boolean },
): JsonObject {
  return {
    fleet_id: so.fleet,
    state_dir: stateDir,
    config_file: configFileOf(root),
    created: so.isCreated,
  };
}
