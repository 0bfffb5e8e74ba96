import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../kernel/json.ts";
import { besideToken, operatorSocketOf, runtimePlaces, statePlaces } from "../../system/places.ts";
import { VERSION } from "../../system/version.ts";
import type { Call, Said } from "../call.ts";
import { lookAtSupervisor, type SupervisorSight } from "../doctor/supervisor.ts";
import { configFileOf } from "../founding/config-file.ts";
import { findPlaces } from "../place.ts";
import { pairsText } from "../text/table.ts";
import { countText } from "../text/size.ts";
import type { Verb, VerbFile } from "../verb.ts";

const where: Verb = {
  name: "where",
  summary: "Show where everything of the fleet lies, and who supervises it",
  examples: ["stint where", "cd $(stint where --json | jq -r .data.root)"],
  isForWorkers: true,
  run,
};

/** The verb `where`. */
export const VERBS: VerbFile["VERBS"] = [where];

async function run(call: Call): Promise<Said> {
  if (call.workerTokenFile !== undefined) return sayWorker(call.workerTokenFile);
  const { stateDir, root } = await call.place();
  const [, ...others] = findPlaces(call.fleetDir ?? process.cwd()).map((one) => one.stateDir);
  const state = statePlaces(stateDir);
  const file = configFileOf(root);
  const sight = await lookAtSupervisor(stateDir);
  const data = {
    root,
    state_dir: stateDir,
    other_state_dirs: others,
    journal_file: join(stateDir, "journal.db"),
    secret_file: statePlaces(stateDir).secret,
    config_file: file,
    config_exists: existsSync(file),
    output_dir: state.output,
    sandboxes_dir: state.sandboxes,
    supervisor_log: state.log,
    runtime_dir: runtimePlaces(stateDir).dir,
    operator_socket: operatorSocketOf(stateDir),
    // A document in wire form; its type only lacks the word.
    supervisor: sight.kind === "serves" ? (sight.status as unknown as JsonObject) : null,
    supervisor_mute: sight.kind === "mute" ? sight.why : null,
    version: VERSION,
    node: process.version,
  };
  const text = pairsText([
    ["root", root],
    ["state", stateDir],
    ...others.map((other) => ["another", `${other} (--fleet ${other})`] as const),
    ["config", data.config_exists ? file : `${file} (not there)`],
    ["output", data.output_dir],
    ["runtime", data.runtime_dir],
    ["supervisor", supervisorText(sight)],
    ["stint", `${VERSION} on Node ${process.version}`],
  ]);
  return { data, text };
}

function supervisorText(sight: SupervisorSight): string {
  if (sight.kind === "none") return "none runs (`stint run` starts one)";
  if (sight.kind === "mute") return `one runs and does not answer (${sight.why})`;
  const { pid, rung, worker_count: count } = sight.status;
  return `pid ${pid}, ${countText(count, "worker")}, contained by ${rung}`;
}

/** A worker is told of what it was given, and of nothing else. */
function sayWorker(tokenFile: string): Said {
  const { socket } = besideToken(tokenFile);
  const { STINT_INSTANCE: instance = null, STINT_FLEET: fleet = null } = process.env;
  const data = { worker_id: instance, fleet_id: fleet, socket, token_file: tokenFile };
  const text = pairsText([
    ["worker", instance ?? "unknown"],
    ["fleet", fleet ?? "unknown"],
    ["socket", socket],
  ]);
  return { data, text };
}
