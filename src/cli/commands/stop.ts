import { durationOption } from "../../config/amount.ts";
import type { Call, Said } from "../call.ts";
import { meantOfAll, namingTheEnd } from "../stops/ended.ts";
import { radiusText } from "../stops/radius-text.ts";
import { sayReceipt } from "../stops/receipt-said.ts";
import { orUntilForced, tellStillAlive } from "../stops/still-alive.ts";
import { findTargets } from "../stops/targets.ts";
import type { Given, Verb } from "../verb.ts";

const stop: Verb = {
  name: "stop",
  summary: "Stop workers, wait for their end, and show the proof",
  details:
    "Stops the workers that are named, or all; the fleet stays usable. Shows first who will end, " +
    "those included that lose their parent and end by the contract's on_orphan, and asks; " +
    "without a terminal it needs --yes. Each is asked to end, and killed when its grace is over. " +
    "Answers a signed receipt, one for all. Exits with 6 when somebody was not seen to end, or " +
    "an end is not proven.",
  parameters: "[ids...]",
  options: [
    { flags: "--all", description: "every live worker" },
    { flags: "--name <name>", description: "every live worker of this name" },
    { flags: "--tree", description: "their live descendants as well" },
    {
      flags: "--grace <duration>",
      description: "how long each may take to end by itself (default: 5s)",
      parse: durationOption("--grace"),
    },
    { flags: "--reason <text>", description: "why, for the record" },
    { flags: "--yes", description: "do not ask" },
  ],
  examples: [
    "stint stop w-abcd",
    "stint stop --name build --tree",
    "stint stop --all --yes --json",
  ],
  run,
};

/** The verb that stops workers. */
export const VERBS: readonly Verb[] = [stop];

const graceMsDefault = 5_000;

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const given = options as {
    readonly all?: boolean;
    readonly name?: string;
    readonly tree?: boolean;
    readonly grace?: number;
    readonly reason?: string;
    readonly yes?: boolean;
  };
  const { tree = false, grace: graceMs = graceMsDefault, reason, yes: isYes = false } = given;
  const fleet = await call.openFleet({ steward: false });
  const targets = findTargets(fleet, {
    ids: parameters.flat() as readonly string[],
    isAll: given.all === true,
    name: given.name,
  });
  if (targets.length === 0) return { data: { receipt: null }, text: "no worker lives" };
  const ids = await meantOfAll(call, fleet, targets);
  const doomed = await fleet.blastRadius(ids, { tree });
  // Nobody who lives is meant: the rules say so, and it is on record.
  if (doomed.length > 0) {
    call.note(radiusText(doomed));
    await call.confirm("Stop them?", isYes);
  }
  const quiet = tellStillAlive(
    call,
    fleet,
    doomed.map(({ id }) => id),
  );
  try {
    const words = reason === undefined ? {} : { reason };
    const stopping = namingTheEnd(fleet, fleet.stop(ids, { tree, graceMs, ...words }));
    return sayReceipt(call, await orUntilForced(call, stopping));
  } finally {
    quiet();
  }
}
