import type { Fleet } from "../../library/fleet/fleet.ts";
import type { Receipt } from "../../library/kill/receipt.ts";
import { parseReason } from "../../protocol/worker.ts";
import { Fault } from "../../ports/fault.ts";
import type { Call, Said } from "../call.ts";
import { openOrSayWhy } from "../stops/opening.ts";
import { radiusText } from "../stops/radius-text.ts";
import { sayReceipt } from "../stops/receipt-said.ts";
import { orUntilForced, tellStillAlive } from "../stops/still-alive.ts";
import { countText } from "../text/size.ts";
import type { Given, Verb } from "../verb.ts";

const kill: Verb = {
  name: "kill",
  summary: "End the fleet for good: every worker now, and never another",
  details:
    "Ends every worker at once, without grace, and closes the fleet for ever: nothing is " +
    "admitted in it again, not after a restart, not from a backup (`stint init --new-fleet` " +
    "begins another). `stint stop --all` is the everyday verb. Shows who will end and asks for " +
    "the fleet's name; without a terminal it needs --yes. Answers a signed receipt; exits with 6 " +
    "when an end is not proven. May be repeated.\n\n" +
    "It works when the journal cannot be opened, too: then the fleet's permit is taken away, " +
    "every sandbox on record is ended, and whoever opens the journal next journals the kill.",
  options: [
    { flags: "--reason <text>", description: "why, for the record", isRequired: true },
    { flags: "--yes", description: "do not ask" },
  ],
  examples: ['stint kill --reason "one of them writes where it must not"'],
  run,
};

/** The verb that kills a fleet. */
export const VERBS: readonly Verb[] = [kill];

async function run(call: Call, { options }: Given): Promise<Said> {
  const reason = parseReason(options["reason"], { path: "--reason" });
  const isYes = options["yes"] === true;
  const opened = await openOrSayWhy(call);
  if (opened.kind === "shut") return killShut(call, { reason, why: opened.why, isYes });
  const { fleet } = opened;
  const ids = fleet.workers().map(({ id }) => id);
  const doomed = ids.length === 0 ? [] : await fleet.blastRadius(ids);
  call.note(`${radiusText(doomed)}\nand nothing will ever start in ${fleet.name} again`);
  await call.confirm(`Kill the fleet ${fleet.name}?`, isYes, fleet.name);
  return sayReceipt(call, await killOpen(call, fleet, { reason, ids }));
}

async function killOpen(
  call: Call,
  fleet: Fleet,
  { reason, ids }: { readonly reason: string; readonly ids: readonly string[] },
): Promise<Receipt> {
  const quiet = tellStillAlive(call, fleet, ids);
  try {
    return await orUntilForced(call, fleet.kill({ reason }));
  } finally {
    quiet();
  }
}

/** Kills what lies in a state folder whose journal cannot be opened. */
async function killShut(
  call: Call,
  so: { readonly reason: string; readonly why: string; readonly isYes: boolean },
): Promise<Said> {
  const { stateDir } = await call.place();
  const { killUnopened, surveyUnopened } = await import("../../compose/kill.ts");
  const surveys = await surveyUnopened(stateDir);
  const [first, ...others] = surveys;
  // Neither a permit nor a sandbox on record: nothing starts here, and nothing runs from here.
  if (first === undefined) throw new Fault("journal_missing", `no fleet shows in it: ${so.why}`);
  const count = surveys.reduce((sum, { instances }) => sum + instances.length, 0);
  const names = surveys.map(({ fleet }) => fleet).join(", ");
  call.note(
    `the journal cannot be opened (${so.why})\n` +
      `${countText(count, "sandbox", "sandboxes")} on record will end, and nothing will ever ` +
      `start in ${names} again; the entry follows when the journal can be opened`,
  );
  await call.confirm(`Kill the fleet ${names}?`, so.isYes, names);
  const receipts = await Promise.all(
    [first, ...others].map(({ fleet }) => killUnopened(stateDir, fleet, so)),
  );
  const said = receipts.map((receipt) => sayReceipt(call, receipt));
  const [one, ...more] = said;
  if (one === undefined || more.length === 0) return one ?? { data: {}, text: "" };
  // A state folder holds one fleet; what more there is was left behind by an archived one.
  return { ...one, text: said.map(({ text }) => text).join("\n\n") };
}
