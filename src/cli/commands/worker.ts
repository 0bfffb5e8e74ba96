import type { Command } from "../../kernel/command.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { descendantsOf } from "../../kernel/state.ts";
import type { Severity } from "../../kernel/worker/evidence.ts";
import type { Fleet } from "../../library/fleet/fleet.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { objectOption, wordOption } from "../launching/given-option.ts";
import { liveIn } from "../ground/leases.ts";
import { findKnown, findReason, unknownWorker } from "../record/names.ts";
import { withJournal } from "../record/open-journal.ts";
import { meantOfAll, namingTheEnd } from "../stops/ended.ts";
import { countText } from "../text/size.ts";
import { giveAsWorker, seeAsWorker } from "../roster/as-worker.ts";
import { documentOf, portraitText } from "../roster/portrait.ts";
import { coloursFor } from "../text/colour.ts";
import type { Given, Verb } from "../verb.ts";

const ID = "<id>";

const show: Verb = {
  name: "worker show",
  summary: "Show everything that is known of a worker, the dead included",
  details:
    "Shows a worker by its id, a unique beginning of it, or its name; where none that lives " +
    "is meant, the last of the dead: lineage, status, budget, state, and how it ended. A worker " +
    "may ask about itself (`self`) and those below it.",
  parameters: ID,
  examples: ["stint worker show w-abcd", "stint worker show build --json"],
  isForWorkers: true,
  async run(call, given) {
    const reference = textAt(given, 0);
    if (call.workerTokenFile !== undefined) {
      const worker = await seeAsWorker(call.workerTokenFile, reference);
      return { data: { worker }, text: JSON.stringify(worker, undefined, 2) };
    }
    const reading = await call.read();
    const { beats, seq } = reading;
    const fleet = await openReading(call);
    const view = (await fleet.worker(reference)) ?? (await findDead(call, fleet, reference));
    if (view === undefined) throw unknownWorker(reference);
    const reason = await withJournal(call, (journal) => findReason(journal, view.id));
    const leases = liveIn(reading).filter(({ holder }) => holder === view.id);
    const colours = coloursFor(call.isColour);
    const text = portraitText(view, { beats, reason, leases, colours });
    return { data: { worker: documentOf(view, { beats, reason }) }, text, seq };
  },
};

const checkpoint: Verb = {
  name: "worker checkpoint",
  summary: "Replace the recorded state of a running worker",
  details:
    `Records a JSON object of at most ${LIMITS.stateBytesMax} bytes as the worker's state; it is ` +
    "kept after the worker's end. A worker records its own (`self`).",
  parameters: ID,
  options: [
    {
      flags: "--state <json>",
      description: "the new state, a JSON object",
      parse: objectOption("--state"),
      isRequired: true,
    },
  ],
  examples: [`stint worker checkpoint w-abcd --state '{"done":17}'`],
  isForWorkers: true,
  async run(call, given) {
    const state = given.options["state"] as JsonObject;
    return give(call, textAt(given, 0), (worker) => ({
      kind: "worker.checkpoint",
      data: { worker, state },
    }));
  },
};

const note: Verb = {
  name: "worker note",
  summary: "Add a text to the record of a worker",
  details:
    `Journals a text of at most ${LIMITS.noteBytesMax} bytes about a worker, also after its end. ` +
    "A worker may note something about itself (`self`).",
  parameters: "<id> <text>",
  examples: ['stint worker note w-abcd "asked its author, is meant to run"'],
  isForWorkers: true,
  async run(call, given) {
    const text = textAt(given, 1);
    return give(call, textAt(given, 0), (worker) => ({
      kind: "worker.note",
      data: { worker, text },
    }));
  },
};

const quarantine: Verb = {
  name: "worker quarantine",
  summary: "Freeze a worker and keep it for a look",
  details:
    "Freezes a running worker: it computes nothing, gets no children and no new rights, and " +
    "neither silence nor its lifetime ends it. It is lifted by `stint worker unquarantine`, or " +
    "stopped when the contract's quarantine_max is over.",
  parameters: ID,
  options: [
    { flags: "--reason <text>", description: "why, for the record", isRequired: true },
    {
      flags: "--severity <severity>",
      description: "low, medium, high or critical (default: medium)",
      parse: wordOption("--severity", ["low", "medium", "high", "critical"]),
    },
    { flags: "--tree", description: "its live descendants as well" },
  ],
  examples: ['stint worker quarantine w-abcd --reason "writes outside its folder" --tree'],
  async run(call, given) {
    const reference = textAt(given, 0);
    const { reason, severity, tree } = given.options as {
      readonly reason: string;
      readonly severity?: Severity;
      readonly tree?: boolean;
    };
    const fleet = await call.openFleet();
    const id = await demandId(call, fleet, reference);
    const bare = { reason, source: "cli", tree: tree === true };
    const options = severity === undefined ? bare : { ...bare, severity };
    await namingTheEnd(fleet, fleet.quarantine(id, options));
    return sayQuarantined(call, id);
  },
};

const unquarantine: Verb = {
  name: "worker unquarantine",
  summary: "Let a worker in quarantine run again",
  parameters: ID,
  options: [{ flags: "--resolution <text>", description: "what was found, for the record" }],
  examples: ['stint worker unquarantine w-abcd --resolution "false alarm"'],
  async run(call, given) {
    const reference = textAt(given, 0);
    const resolution = given.options["resolution"];
    const fleet = await call.openFleet();
    const id = await demandId(call, fleet, reference);
    const options = typeof resolution === "string" ? { resolution } : {};
    await namingTheEnd(fleet, fleet.unquarantine(id, options));
    return sayDone(call, id, `${id} runs again`);
  },
};

const writeOff: Verb = {
  name: "worker write-off",
  summary: "Declare a worker ended that nobody can see end",
  details:
    "Ends a worker on the operator's word alone, evidence grade `declared`: for one whose host " +
    "is gone for good. It proves nothing; a worker that still runs somewhere goes on, but " +
    "nothing of it is taken any more.",
  parameters: ID,
  options: [
    { flags: "--reason <text>", description: "why, for the record", isRequired: true },
    { flags: "--yes", description: "do not ask" },
  ],
  examples: ['stint worker write-off w-abcd --reason "its machine burnt down" --yes'],
  async run(call, given) {
    const reference = textAt(given, 0);
    const fleet = await call.openFleet();
    const id = await demandId(call, fleet, reference);
    const isYes = given.options["yes"] === true;
    await call.confirm(`Write ${id} off, on your word that it has ended?`, isYes);
    const reason = String(given.options["reason"]);
    await namingTheEnd(fleet, fleet.writeOff(id, { reason }));
    return sayDone(call, id, `${id} is written off; that proves nothing`);
  },
};

/** The verbs that are about one worker. */
export const VERBS: readonly Verb[] = [show, checkpoint, quarantine, unquarantine, note, writeOff];

/** Gives a command about a worker, as the operator or as the worker that calls. */
async function give(
  call: Call,
  reference: string,
  make: (worker: string) => Command,
): Promise<Said> {
  if (call.workerTokenFile !== undefined) {
    const { worker, seq } = await giveAsWorker(call.workerTokenFile, reference, make);
    return { data: { worker_id: worker }, text: `recorded at entry ${seq}`, seq };
  }
  const fleet = await call.openFleet();
  const worker = await demandId(call, fleet, reference);
  const answer = await fleet.submit(make(worker));
  if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
  const { seq } = answer;
  return { data: { worker_id: worker }, text: `recorded at entry ${seq}`, seq };
}

/**
 * The id that a text means, of who lives or else of the last that had the name; one that means
 * nobody goes on as it is, and is refused on record.
 */
async function demandId(call: Call, fleet: Fleet, reference: string): Promise<string> {
  const [id = reference] = await meantOfAll(call, fleet, [reference]);
  return id;
}

/** The last of the dead that a text means, who are found by id alone otherwise. */
async function findDead(call: Call, fleet: Fleet, reference: string) {
  const id = await withJournal(call, (journal) => findKnown(journal, reference));
  return id === undefined ? undefined : fleet.worker(id);
}

function openReading(call: Call): Promise<Fleet> {
  return call.openFleet({ supervisor: "none", steward: false });
}

/** Says who stands still now: a worker, and those below it that are in quarantine too. */
async function sayQuarantined(call: Call, id: string): Promise<Said> {
  const { seq, state } = await call.read();
  const below = descendantsOf(state, id).filter(({ quarantine }) => quarantine !== null);
  const quarantined = [id, ...below.map((worker) => worker.id)];
  const others = countText(below.length, "worker");
  const text =
    below.length === 0
      ? `${id} is in quarantine`
      : `${id} and ${others} below it are in quarantine; each is lifted by itself`;
  return { data: { worker_id: id, quarantined }, text, seq };
}

async function sayDone(call: Call, id: string, text: string): Promise<Said> {
  const { seq } = await call.read();
  return { data: { worker_id: id }, text, seq };
}

function textAt({ parameters }: Given, index: number): string {
  const text = parameters[index];
  if (typeof text === "string" && text !== "") return text;
  throw new InputError("usage", [
    { path: "the operand", expected: "a text", got: describeValue(text) },
  ]);
}
