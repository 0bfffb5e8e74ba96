import { explainEntry, type ExplanationDocument } from "../../library/explain/explain.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";
import { newestRefusal } from "../record/refusal-entry.ts";
import { withTypedSeq } from "../record/typed-seq.ts";
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
  parameters: "[seq]",
  options: [
    { flags: "--last", description: "the newest refusal" },
    {
      flags: "--worker <id>",
      description: "with --last: of those that the worker asked for or that are about it",
    },
  ],
  examples: ["stint explain 42", "stint explain --last", "stint explain --last --worker build"],
  run,
};

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const which = parseWhich(parameters[0], options);
  const told = await withJournal(call, async (journal) => {
    const seq = which.kind === "last" ? await newestRefusal(journal, which.worker) : which.seq;
    return withTypedSeq(() => explainEntry(journal, seq));
  });
  return { data: { ...told }, text: forPeople(call, told), seq: told.seq };
}

type Which =
  | { readonly kind: "seq"; readonly seq: number }
  | { readonly kind: "last"; readonly worker: string | undefined };

/** Which entry is meant. Throws an InputError unless it is by its number or as the last. */
function parseWhich(seq: unknown, { last, worker }: Given["options"]): Which {
  const isLast = last === true;
  if (isLast === (seq !== undefined)) {
    const got = isLast ? "both" : "neither";
    throw new InputError("usage", [{ path: "the entry", expected: "SEQ or --last", got }]);
  }
  const named = typeof worker === "string" ? worker : undefined;
  if (isLast) return { kind: "last", worker: named };
  if (named === undefined) return { kind: "seq", seq: parseSeq(seq) };
  const expected = "absent, or given with --last";
  throw new InputError("usage", [{ path: "--worker", expected, got: describeValue(named) }]);
}

function forPeople(call: Call, { text, code, redecided }: ExplanationDocument): string {
  const colours = coloursFor(call.isColour);
  const paragraph = paragraphText(plainText(text), call.columns);
  if (redecided === "other") return colours.red(paragraph);
  return code === null ? paragraph : paragraph.replace(code, colours.yellow(code));
}

/** The verb that says why an entry is as it is. */
export const VERBS: readonly Verb[] = [explain];
