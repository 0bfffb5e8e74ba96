import { explainEntry, type ExplanationDocument } from "../../library/explain/explain.ts";
import type { Call, Said } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";
import { coloursFor } from "../text/colour.ts";
import { integerText } from "../text/integer.ts";
import { paragraphText } from "../text/paragraph.ts";
import { plainText } from "../text/plain.ts";
import type { Given, Verb } from "../verb.ts";

const parseSeq = integerText("SEQ", 1);

const explain: Verb = {
  name: "explain",
  summary: "Say why an entry of the journal is as it is",
  details:
    "Decides an entry of the journal again, on the state before it and at its time, and says in " +
    "one paragraph who asked what, what was decided, on which facts, and what would have made a " +
    "refusal pass. Every entry up to it is read and verified; nothing is written.",
  parameters: "<seq>",
  examples: ["stint explain 42", "stint explain 42 --json"],
  run,
};

async function run(call: Call, { parameters }: Given): Promise<Said> {
  const seq = parseSeq(parameters[0]);
  const told = await withJournal(call, (journal) => explainEntry(journal, seq));
  return { data: { ...told }, text: forPeople(call, told), seq };
}

function forPeople(call: Call, { text, code, redecided }: ExplanationDocument): string {
  const colours = coloursFor(call.isColour);
  const paragraph = paragraphText(plainText(text), call.columns);
  if (redecided === "other") return colours.red(paragraph);
  return code === null ? paragraph : paragraph.replace(code, colours.yellow(code));
}

/** The verb that says why an entry is as it is. */
export const VERBS: readonly Verb[] = [explain];
