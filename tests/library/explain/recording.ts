// Plays of the kernel, recorded in a real journal, so that they can be explained.

import { RULES } from "../../../src/kernel/entry.ts";
import { memoryJournal } from "../../../src/journal/memory.ts";
import type { Draft, Journal } from "../../../src/ports/journal.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { FLEET, Play, START_MS, type Step } from "../../support/scenario.ts";

/** Steps of a play, one by one or several together. */
export type Steps = readonly (Step | readonly Step[])[];

/** A play and the journal that holds it. */
export interface Recording {
  readonly play: Play;
  readonly journal: Journal;
}

/** Plays steps and journals what was decided, a decision at a time. */
export async function record(...steps: Steps): Promise<Recording> {
  const clock = new FakeClock({ wallMs: START_MS });
  const recording = { play: new Play(), journal: memoryJournal({ clock }) };
  for (const step of steps.flat()) await recordStep(recording, step, clock);
  return recording;
}

async function recordStep({ play, journal }: Recording, step: Step, clock: FakeClock) {
  const asked = step(play);
  const decision = play.take(step);
  if ("waitMs" in asked) return clock.advance(asked.waitMs);
  const { command, by: actor, ended } = asked;
  const recorded = ended === undefined ? command : { ...command, ended };
  const head = await journal.head();
  const drafts = (decision?.events ?? []).map((event, index): Draft => ({
    fleet: FLEET,
    rules: RULES,
    id: `c${head.seq + 1}`,
    actor,
    command: index === 0 ? recorded : null,
    event,
  }));
  const outcome = await journal.append(head, () => drafts);
  if (outcome.kind === "moved" || outcome.atMs !== play.atMs)
    throw new Error("a play must be recorded at its own times");
}
