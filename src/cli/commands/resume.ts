import type { Call, Said } from "../call.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const resume: Verb = {
  name: "resume",
  summary: "Take new workers and leases again after a pause",
  options: [{ flags: "--reason <text>", description: "why, for the record" }],
  examples: ["stint resume"],
  run,
};

/** The verb `resume`. */
export const VERBS: VerbFile["VERBS"] = [resume];

async function run(call: Call, { options }: Given): Promise<Said> {
  const { reason } = options;
  const fleet = await call.openFleet();
  await fleet.resume(typeof reason === "string" ? { reason } : {});
  const { seq, state } = await call.read();
  const text = `The fleet ${fleet.id} is open: it takes new workers and leases.`;
  return { data: { fleet_id: fleet.id, status: state.status }, text, seq };
}
