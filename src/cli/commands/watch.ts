import { setTimeout as wait } from "node:timers/promises";
import { durationOption } from "../../config/amount.ts";
import type { LivenessView } from "../../library/liveness/view.ts";
import { Refused } from "../../library/refused.ts";
import { isMeant, type HaltWatch, type WatchRound } from "../../library/supervision/watch.ts";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { livenessDocument } from "../liveness/document.ts";
import { nameWithId } from "../supervising/plan-text.ts";
import { coloursFor } from "../text/colour.ts";
import { instantText } from "../text/duration.ts";
import { countText } from "../text/size.ts";
import type { Given, Verb } from "../verb.ts";

const everyMsDefault = 30_000;
const everyMsMin = 100;

const watch: Verb = {
  name: "watch",
  summary: "Watch who gets anywhere, and propose a halt for who does not",
  details:
    "Judges again and again, as `stint liveness` does, all or those that are named, and says " +
    "when a verdict changes. For who is stalled, or has spun for [contract.liveness] " +
    "halt_spinning_after, it proposes a halt, once per window: an entry that anybody may read " +
    "by `stint journal tail --kind halt.requested`. Whoever recovers is forgotten, and proposed " +
    "again when it relapses. What was proposed stands in the journal, so a watch that begins " +
    "anew, or another one, does not propose it twice. Whoever is named and is not there is " +
    "waited for; with --once that is refused. Nothing is stopped and nobody is signalled.",
  parameters: "[holders...]",
  options: [
    {
      flags: "--every <duration>",
      description: "how often it judges (default: 30s)",
      parse: atLeast("--every", everyMsMin),
    },
    { flags: "--once", description: "judge once, and end" },
    {
      flags: "--window <duration>",
      description: "for how long a proposal is not repeated (default: 30m)",
      parse: atLeast("--window", 1_000),
    },
    {
      flags: "--halt-after <duration>",
      description: "propose a halt for who has spun so long (default: as the contract has it)",
      parse: atLeast("--halt-after", 1),
    },
  ],
  examples: ["stint watch", "stint watch --once --halt-after 1h --json", "stint watch w-abcd ada"],
  run,
};

/** The verb that watches. */
export const VERBS: readonly Verb[] = [watch];

function atLeast(flag: string, leastMs: number): (text: string) => number {
  return (text) => {
    const ms = durationOption(flag)(text);
    if (ms >= leastMs) return ms;
    const expected = `a duration of at least ${leastMs}ms`;
    throw new InputError("usage", [{ path: flag, expected, got: describeValue(text) }]);
  };
}

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const holders = parameters.flat() as readonly string[];
  const typed = options as {
    readonly every?: number;
    readonly once?: boolean;
    readonly window?: number;
    readonly haltAfter?: number;
  };
  const fleet = await call.openFleet({ supervisor: "use", steward: false });
  if (typed.once === true) demandAll(holders, await fleet.liveness());
  const { window: windowMs, haltAfter: haltAfterMs } = typed;
  const watching = fleet.watchHalts({
    ...(holders.length === 0 ? {} : { holders }),
    ...(windowMs === undefined ? {} : { windowMs }),
    ...(haltAfterMs === undefined ? {} : { haltAfterMs }),
  });
  const teller = new Teller(call, holders);
  for (;;) {
    const round = await roundOf(call, watching);
    if (round !== undefined) teller.tell(round);
    if (typed.once === true || !(await pause(call.signal, typed.every ?? everyMsDefault))) break;
  }
  const { roundCount, proposedCount } = teller;
  const data = { round_count: roundCount, proposed_count: proposedCount };
  const text = `${countText(proposedCount, "halt")} proposed in ${countText(roundCount, "round")}`;
  return { data, text };
}

/** Throws `Refused` `worker_unknown` where somebody who was named is not there. */
function demandAll(holders: readonly string[], views: readonly LivenessView[]): void {
  const absent = absentFrom(holders, views);
  const [first] = absent;
  if (first === undefined) return;
  const got = absent.map(describeValue).join(", ");
  const message = `a live worker or a holder of a live lease must be named, none is ${got}`;
  throw new Refused({ code: "worker_unknown", message, facts: { worker: first } });
}

function absentFrom(holders: readonly string[], views: readonly LivenessView[]): readonly string[] {
  return [...new Set(holders)].filter((text) => !views.some((view) => isMeant(view, text)));
}

/** A round; undefined where the world failed in a way that may pass, and the next may succeed. */
async function roundOf(call: Call, watching: HaltWatch): Promise<WatchRound | undefined> {
  try {
    return await watching.round();
  } catch (error) {
    if (!(error instanceof Fault) || !error.retryable) throw error;
    call.note(`stint: this round failed, the next is tried: ${error.message}`);
    return undefined;
  }
}

/** Waits for the next round; false when there is to be none. */
async function pause(signal: AbortSignal, everyMs: number): Promise<boolean> {
  // Woken by the abort: that is its end, and no error.
  await wait(everyMs, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}

/** Tells of verdicts that are new, and of halts that were proposed. */
class Teller {
  roundCount = 0;
  proposedCount = 0;
  readonly #call: Call;
  readonly #holders: readonly string[];
  #verdicts = new Map<string, string>();

  constructor(call: Call, holders: readonly string[]) {
    this.#call = call;
    this.#holders = holders;
  }

  tell({ views, proposed }: WatchRound): void {
    if (this.roundCount === 0)
      for (const text of absentFrom(this.#holders, views))
        this.#call.note(`stint: nobody is called ${describeValue(text)} now; it is waited for`);
    this.roundCount += 1;
    this.proposedCount += proposed.length;
    const verdicts = new Map<string, string>();
    for (const view of views) {
      const told = `${view.verdict} ${view.rule}`;
      if (this.#verdicts.get(view.holder) !== told) this.#tellVerdict(view);
      verdicts.set(view.holder, told);
    }
    this.#verdicts = verdicts;
    for (const { view, seq } of proposed) {
      const { holder, name, verdict, rule, atMs } = view;
      this.#call.line({ kind: "proposal", holder, name, verdict, rule, seq, at_ms: atMs });
      const who = nameWithId(holder, name);
      this.#call.print(`${instantText(atMs)} ${who}: a halt is proposed, entry ${seq}`);
    }
  }

  #tellVerdict(view: LivenessView): void {
    const { holder, name, verdict, because, atMs } = view;
    const { bold } = coloursFor(this.#call.isColour);
    this.#call.line({ kind: "verdict", ...livenessDocument(view) });
    const who = nameWithId(holder, name);
    this.#call.print(`${instantText(atMs)} ${who}: ${bold(verdict)}, ${because}`);
  }
}
