import { connectSupervisor } from "../../client/supervisor.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { measureFleet, prometheusText } from "../../library/feed/prometheus.ts";
import { tallyJournal } from "../../library/feed/tally.ts";
import { Fault } from "../../ports/fault.ts";
import type { Call, Said } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";
import type { Verb } from "../verb.ts";

const metrics: Verb = {
  name: "metrics",
  summary: "Print the fleet in numbers, for Prometheus",
  details:
    "Prints Prometheus' text format: workers by status, entries by kind, refusals by code, " +
    "budgets, " +
    "use of the contract's bounds, the age of the oldest stop that has not ended, and whether " +
    "the " +
    "supervisor answers. Counts are over the whole journal, so that they only ever grow.",
  examples: ["stint metrics", "stint metrics --json"],
  run,
};

async function run(call: Call): Promise<Said> {
  const { stateDir } = await call.place();
  const { state, seq, nowMs } = await call.read();
  const tally = await withJournal(call, tallyJournal);
  const isSupervisorUp = await answers(stateDir);
  const measures = measureFleet({ state, tally, nowMs, isSupervisorUp });
  // A program that asked for JSON does not wait for the text.
  const text = call.isJson ? "" : (await prometheusText(measures)).trimEnd();
  return { data: { ...measures } as unknown as JsonObject, text, seq };
}

async function answers(stateDir: string): Promise<boolean> {
  const supervisor = await connectSupervisor({ stateDir });
  try {
    await supervisor?.status();
    return supervisor !== undefined;
  } catch (error) {
    // One that does not answer is down, whatever its socket says.
    if (error instanceof Fault) return false;
    throw error;
  } finally {
    await supervisor?.close();
  }
}

/** The verb that prints a fleet in numbers. */
export const VERBS: readonly Verb[] = [metrics];
