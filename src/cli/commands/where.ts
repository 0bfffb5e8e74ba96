import { existsSync } from "node:fs";
import { join } from "node:path";
import { connectSupervisor } from "../../client/supervisor.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { Fault } from "../../ports/fault.ts";
import type { SupervisorStatus } from "../../ports/supervision.ts";
import { besideToken, operatorSocketOf, runtimePlaces, statePlaces } from "../../system/places.ts";
import { VERSION } from "../../system/version.ts";
import type { Call, Said } from "../call.ts";
import { configFileOf } from "../founding/config-file.ts";
import { pairsText } from "../text/table.ts";
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
  const state = statePlaces(stateDir);
  const file = configFileOf(root);
  const supervisor = await statusOf(stateDir);
  const data = {
    root,
    state_dir: stateDir,
    journal_file: join(stateDir, "journal.db"),
    secret_file: join(stateDir, "secret"),
    config_file: file,
    config_exists: existsSync(file),
    output_dir: state.output,
    sandboxes_dir: state.sandboxes,
    supervisor_log: state.log,
    runtime_dir: runtimePlaces(stateDir).dir,
    operator_socket: operatorSocketOf(stateDir),
    supervisor,
    version: VERSION,
    node: process.version,
  };
  const text = pairsText([
    ["root", root],
    ["state", stateDir],
    ["config", data.config_exists ? file : `${file} (not there)`],
    ["output", data.output_dir],
    ["runtime", data.runtime_dir],
    ["supervisor", supervisorText(supervisor)],
    ["stint", `${VERSION} on Node ${process.version}`],
  ]);
  return { data, text };
}

/** The supervisor as it describes itself; null when none answers. */
async function statusOf(stateDir: string): Promise<JsonObject | null> {
  const supervision = await connectSupervisor({ stateDir });
  if (supervision === undefined) return null;
  try {
    // A document in wire form; its type only lacks the word.
    return (await supervision.status()) as unknown as JsonObject;
  } catch (error) {
    // It ended between the two questions, or is too sick to answer.
    if (error instanceof Fault) return null;
    throw error;
  } finally {
    await supervision.close();
  }
}

function supervisorText(supervisor: JsonObject | null): string {
  if (supervisor === null) return "none runs (`stint run` starts one)";
  const { pid, rung, worker_count: count } = supervisor as unknown as SupervisorStatus;
  return `pid ${pid}, ${count} workers, contained by ${rung}`;
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
