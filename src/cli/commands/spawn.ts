import { ENVIRONMENT_HELP, launchOptions, parseLaunch } from "../launching/launch.ts";
import { startHere } from "../launching/starting.ts";
import { plainText } from "../text/plain.ts";
import type { Verb } from "../verb.ts";

const NETWORK = "controller";

const spawn: Verb = {
  name: "spawn",
  summary: "Start a command as a worker and leave it to the supervisor",
  details:
    "Starts a command as a worker and answers its id at once; the supervisor, which is started " +
    "when none runs, keeps it, its output and its end. The command sees the network only through " +
    "the supervisor's socket unless --network says otherwise. Called by a worker, it starts a " +
    `child of that worker.\n\n${ENVIRONMENT_HELP}`,
  parameters: "<command...>",
  options: launchOptions(NETWORK),
  examples: [
    "stint spawn --name api --memory 512MiB -- node server.js",
    "stint spawn --parent w-abcd --wall 10m --json -- ./agent.sh",
  ],
  isForWorkers: true,
  async run(call, given) {
    const launch = parseLaunch(given, { network: NETWORK, env: process.env });
    const started = await startHere(call, launch);
    try {
      const { id } = started;
      return {
        data: { worker_id: id },
        text: `${id} (${plainText(launch.name)}) runs; \`stint logs ${id}\` shows its output`,
      };
    } finally {
      started.close();
    }
  },
};

/** The verb that starts a worker and does not wait for it. */
export const VERBS: readonly Verb[] = [spawn];
