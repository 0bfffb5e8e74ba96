import type { Submission } from "../../src/kernel/command.ts";
import { decide } from "../../src/kernel/decide.ts";
import type { Decision } from "../../src/kernel/rules/ruling.ts";
import { RULES } from "../../src/kernel/entry.ts";
import { evolve } from "../../src/kernel/evolve.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { INITIAL_STATE, type State } from "../../src/kernel/state.ts";
import { GENESIS, type Draft, type Head, type Journal } from "../../src/ports/journal.ts";

let [state, head]: [State, Head] = [INITIAL_STATE, GENESIS];

/** Carries one command; any process may do so on the same journal at the same time. */
export async function carry(journal: Journal, asked: Submission): Promise<Decision> {
  for (;;) {
    for (const entry of await journal.read(head, LIMITS.readEntriesMax)) {
      state = evolve(state, entry); // look
      head = entry;
    }
    let decision: Decision = { refusal: null, events: [] };
    const outcome = await journal.append(head, (atMs) => {
      decision = decide(state, asked, atMs); // decide, at the instant of the append
      return decision.events.map((event, index): Draft => {
        const command = index === 0 ? asked.command : null;
        return { ...asked, fleet: state.fleet ?? asked.id, rules: RULES, command, event };
      });
    });
    if (outcome.kind === "appended") return decision; // else somebody wrote first: look again
  }
}
