import type { Call, Said } from "../call.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const pause: Verb = {
  name: "pause",
  summary: "Take no new workers and leases until resumed; those there are go on",
  details:
    "Refuses new workers and new leases until `stint resume`, as fleet_paused. Workers that run " +
    "go on, and leases are renewed and released as before; none is lent or handed over.",
  options: [{ flags: "--reason <text>", description: "why, for the record" }],
  examples: ['stint pause --reason "deploy in progress"'],
  run,
};

/** The verb `pause`. */
export const VERBS: VerbFile["VERBS"] = [pause];

async function run(call: Call, { options }: Given): Promise<Said> {
  const { reason } = options;
  const fleet = await call.openFleet();
  await fleet.pause(typeof reason === "string" ? { reason } : {});
  const { seq, state } = await call.read();
  const text =
    `The fleet ${fleet.id} is paused: no new workers, no new leases; ` +
    "renewals and releases go on. " +
    `${state.live_count === 1 ? "1 worker goes" : `${state.live_count} workers go`} on.\n` +
    "Next: stint resume";
  return { data: { fleet_id: fleet.id, status: state.status }, text, seq };
}
