import type { LivenessView } from "../../library/liveness/view.ts";
import type { Call, Said } from "../call.ts";
import { livenessDocument } from "../liveness/document.ts";
import { livenessPortrait, livenessTable } from "../liveness/table.ts";
import type { Given, Verb } from "../verb.ts";

const liveness: Verb = {
  name: "liveness",
  summary: "Say who gets anywhere, and how that is known",
  details:
    "Judges the live workers, and the outside parties that hold leases, or one of them: " +
    "advancing, spinning (alive, and without progress of its own for long), stalled (silent for " +
    "long, or seen to be gone), or unknown, where nothing is known either way. The rule that " +
    "decided and its evidence are shown. Own progress is units that were reported, another " +
    "recorded state, what it did with its leases, and commits that touch their ground since it " +
    "has them. A beat is none, nor is a renewal, nor what anybody did on a lane before. The " +
    "times that it is judged by stand in [contract.liveness]. Nothing is written, and nobody is " +
    "stopped.",
  parameters: "[holder]",
  examples: ["stint liveness", "stint liveness w-abcd", "stint liveness ada --json"],
  run,
};

/** The verb that judges. */
export const VERBS: readonly Verb[] = [liveness];

async function run(call: Call, { parameters }: Given): Promise<Said> {
  const [reference] = parameters as readonly (string | undefined)[];
  const fleet = await call.openFleet({ supervisor: "none", steward: false });
  const views = await fleet.liveness(reference);
  const data = { holders: views.map(livenessDocument) };
  return { data, text: textOf(call, reference, views) };
}

function textOf(call: Call, reference: string | undefined, views: readonly LivenessView[]): string {
  const [one] = views;
  if (one === undefined) return "no worker lives, and no lease is held";
  return reference === undefined ? livenessTable(call, views) : livenessPortrait(call, one);
}
