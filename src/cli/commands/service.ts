import { durationOption } from "../../config/amount.ts";
import type { Call, Said } from "../call.ts";
import { actOnServices, type ServiceOrder } from "../service/acting.ts";
import type { Given, Verb } from "../verb.ts";

const OPTIONS = [
  { flags: "--all", description: "every service of the roster that can be started or stopped" },
  {
    flags: "--within <duration>",
    description: "how long the outcome is waited for (default: three of its beats, at least 30s)",
    parse: durationOption("--within"),
  },
];

const WHAT_FOLLOWS =
  "What the roster in force says is run, as this user, in the folder of stint.toml: a systemd " +
  "unit by systemctl, else the command of the service. The outcome is what was seen, and is " +
  "journaled: a beat of the service, or its unit's state; that a command exited with 0 is none. " +
  "A supervisor is started for it where none listens.";

const start: Verb = {
  name: "service start",
  summary: "Start a service of the roster, and see that it runs",
  details:
    `${WHAT_FOLLOWS}\n\nAnswers started, already_running, not_installed or failed, with the ` +
    "reason. With --all in the order of the roster, and on after a failure. Exits with 4 when " +
    "one is not installed, and with 5 when one has failed.",
  parameters: "[name]",
  options: OPTIONS,
  examples: ["stint service start api", "stint service start --all --json"],
  run: (call, given) => run(call, "start", given),
};

const stop: Verb = {
  name: "service stop",
  summary: "Stop a service of the roster, and see that it has ended",
  details:
    `${WHAT_FOLLOWS}\n\nShows first which instances are heard, and asks; without a terminal it ` +
    "needs --yes. Answers stopped, not_running, not_installed or failed, with the reason: a " +
    "service has ended when its unit says so, when it said goodbye, or when it is silent for " +
    "three of its beats. With --all against the order of the roster, and on after a failure. " +
    "Exits with 4 when one is not installed, and with 6 when one was not seen to end.",
  parameters: "[name]",
  options: [...OPTIONS, { flags: "--yes", description: "do not ask" }],
  examples: ["stint service stop api", "stint service stop --all --yes --json"],
  run: (call, given) => run(call, "stop", given),
};

/** The verbs about services of the roster. */
export const VERBS: readonly Verb[] = [start, stop];

function run(
  call: Call,
  action: ServiceOrder["action"],
  { parameters, options }: Given,
): Promise<Said> {
  const [name] = parameters as readonly (string | undefined)[];
  const { all, within, yes } = options as {
    readonly all?: boolean;
    readonly within?: number;
    readonly yes?: boolean;
  };
  return actOnServices(call, {
    action,
    name,
    isAll: all === true,
    withinMs: within,
    isYes: yes === true,
  });
}
