import { isLive, type State } from "../../kernel/state.ts";
import { hostId } from "../../system/host.ts";
import { operatorSocketOf } from "../../system/places.ts";
import type { Call } from "../call.ts";

/**
 * A line for people where live workers have a process on this host and no supervisor runs: what
 * the journal says of them may be long over. None where nobody is in doubt, and under `--json`.
 */
export async function unwatchedLines(call: Call, state: State): Promise<readonly string[]> {
  if (call.isJson) return [];
  const here = hostId();
  const processes = [...state.workers.values()].filter(
    (worker) => isLive(worker) && worker.process?.host_id === here,
  );
  if (processes.length === 0) return [];
  const { stateDir } = await call.place();
  // Seldom needed, and not free to load.
  const { isListening } = await import("../../client/socket-line.ts");
  if (await isListening(operatorSocketOf(stateDir))) return [];
  return [
    `no supervisor runs: ${processes.length} of these have not been looked at; ` +
      "`stint stop` or `stint run` finds out",
  ];
}
