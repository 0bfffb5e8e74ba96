// The second file that knows adapters: it puts together what a supervised worker needs, which is
// little, so that it loads fast. SQLite, the rules and their parsers are loaded for a process that
// opens the store itself.

import "../system/recent-node.ts";
import { connectAsWorker, TOKEN_VARIABLE } from "../client/worker-connection.ts";
import type { JoinedWorker, JoinOptions } from "../library/fleet/join.ts";
import { demandOptions } from "../library/given-options.ts";
import { joinBySocket } from "../library/relay/join-socket.ts";
import { SILENT } from "../ports/log.ts";
import { describeValue, InputError } from "../protocol/input.ts";
import { SYSTEM_TIMERS } from "../runtime/timers.ts";
import { systemClock } from "../system/clock.ts";
import { systemRandom } from "../system/random.ts";

/**
 * Joins the fleet that this process was started for: by the socket beside the token file that
 * `STINT_WORKER_TOKEN_FILE` names, where a supervisor has set it; else by opening the fleet's store
 * itself, as the sandbox's folder says which `folder` or `STINT_SANDBOX` names.
 *
 * Throws an InputError when the process was not started by a fleet, `Refused` when a manifest is
 * not taken, and `Fault`s: `supervisor_unreachable`, and those of the store.
 */
export async function joinFleet(options: JoinOptions = {}): Promise<JoinedWorker> {
  demandOptions(options, ["folder", "conditions", "log"]);
  const tokenFile = process.env[TOKEN_VARIABLE];
  const isBySocket = tokenFile !== undefined && tokenFile !== "";
  if (!isBySocket || options.folder !== undefined) {
    const { joinFleet: joinDirectly } = await import("./library.ts");
    return joinDirectly(options);
  }
  const { conditions, log = SILENT } = options;
  if (conditions !== undefined) {
    const expected = "absent (a supervisor asks no functions of its workers)";
    const problem = { path: "conditions", expected, got: describeValue(conditions) };
    throw new InputError("usage", [problem]);
  }
  const door = await connectAsWorker(tokenFile);
  const [clock, random] = [systemClock(), systemRandom()];
  return joinBySocket({ door, log, clock, random, timers: SYSTEM_TIMERS });
}
