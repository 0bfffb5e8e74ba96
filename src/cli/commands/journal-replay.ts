import type { JsonObject } from "../../kernel/json.ts";
import { demandSpan } from "../../library/inquiry/span.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { ReplayDocument, RulesDocument } from "../../runtime/replaying/report.ts";
import type { Call, Said } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";
import { ProgressBar } from "../record/progress-bar.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { instantText } from "../text/duration.ts";
import { integerText } from "../text/integer.ts";
import { countText } from "../text/size.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

/** How many differences are shown where nothing is said about it. */
const countDefault = 20;

const replay: Verb = {
  name: "journal replay",
  summary: "Decide the whole journal again, and report what comes out otherwise",
  details:
    "Folds the journal from its first entry, verified, and decides every recorded command again " +
    "by the rules of this version, each at its recorded time. Told by the version of the rules " +
    "that decided: a difference to these very rules means that the record is not theirs (exit " +
    `${PROBLEMS.journal_corrupt.exit}); one to other rules, what they would decide otherwise ` +
    "today. Nothing is written.",
  options: [
    {
      flags: "--from <seq>",
      description: "from this entry on; what is before it is folded, and not decided again",
      parse: integerText("--from", 1),
    },
    {
      flags: "--until <seq>",
      description: "up to this entry, and what was decided with it",
      parse: integerText("--until", 1),
    },
    {
      flags: "-n, --count <differences>",
      description: `how many differences are shown (default: ${countDefault})`,
      parse: integerText("--count", 0),
    },
  ],
  examples: ["stint journal replay", "stint journal replay --from 1000 --until 2000 --json"],
  run,
};

/** The verb that decides a journal again. */
export const VERBS: VerbFile["VERBS"] = [replay];

async function run(call: Call, { options }: Given): Promise<Said> {
  // As their parsers have made them.
  const { from, until, count } = options as {
    readonly from?: number;
    readonly until?: number;
    readonly count?: number;
  };
  // CEL is not free to load: only this verb and its like decide anything here.
  const { reportReplay } = await import("../../runtime/replaying/report.ts");
  const { SYSTEM_TIMERS } = await import("../../runtime/timers.ts");
  const report = await withJournal(call, async (journal) => {
    await demandSpan(journal, { fromSeq: from, untilSeq: until }, "--from");
    const { seq: endSeq } = await journal.head();
    const endCount = Math.min(endSeq, until ?? endSeq);
    const bar = new ProgressBar(call, { doing: "deciding", endCount });
    try {
      return await reportReplay(journal, {
        ...(from === undefined ? {} : { fromSeq: from }),
        ...(until === undefined ? {} : { untilSeq: until }),
        differencesMax: count ?? countDefault,
        onProgress: (seq) => bar.tell(seq),
        turn: () => SYSTEM_TIMERS.turn(),
      });
    } finally {
      bar.end();
    }
  });
  const exit = report.different_count === 0 ? {} : { exit: PROBLEMS.journal_corrupt.exit };
  const text = textOf(report, coloursFor(call.isColour));
  // A document in wire form; its type only lacks the word.
  return { data: report as unknown as JsonObject, text, seq: report.until_seq, ...exit };
}

function textOf(report: ReplayDocument, colours: Colours): string {
  const { from_seq: from, until_seq: until, state_hash: hash, rules, differences } = report;
  const folded = `Entries 1 to ${until} folded; the state's hash is ${hash.slice(0, 16)}…`;
  const decided = rules.map((one) => rulesText(one, colours));
  const none = decided.length === 0 ? [`Nothing was decided from entry ${from} on.`] : decided;
  const told = report.different_count + report.otherwise_count;
  if (told === 0) return [folded, ...none].join("\n");
  const rest = told - differences.length;
  const more = rest > 0 ? [`… and ${rest} more (-n shows more)`] : [];
  const table = differences.length === 0 ? [] : ["", differencesText(report, colours)];
  return [folded, ...none, ...table, ...more].join("\n");
}

function rulesText(
  { rules, is_current, decision_count, different_count }: RulesDocument,
  colours: Colours,
): string {
  const which = is_current ? `Rules ${rules}, those of this version` : `Rules ${rules}`;
  const count = countText(decision_count, "decision");
  if (different_count === 0)
    return `${which}: ${count}, ${colours.green("all the same")} decided again.`;
  const others = String(different_count);
  return is_current
    ? `${which}: ${count}, ${colours.red(`${others} come out otherwise`)}: ` +
        "the record is not theirs."
    : `${which}: ${count}, ${colours.yellow(others)} would be decided otherwise today.`;
}

function differencesText({ differences }: ReplayDocument, colours: Colours): string {
  return tableText({
    headStyle: colours.dim,
    rows: differences,
    columns: [
      { head: "SEQ", cell: ({ seq }) => String(seq), isRight: true },
      { head: "WHEN", cell: ({ at_ms }) => instantText(at_ms) },
      { head: "RULES", cell: ({ rules }) => String(rules), isRight: true },
      { head: "COMMAND", cell: ({ command }) => command ?? "not recorded" },
      { head: "RECORDED", cell: ({ recorded }) => kindsText(recorded) },
      { head: "DECIDED", cell: ({ decided }) => kindsText(decided) },
    ],
  });
}

const kindsShown = 3;

function kindsText(kinds: readonly string[]): string {
  const more = kinds.length > kindsShown ? " …" : "";
  return kinds.length === 0 ? "nothing" : kinds.slice(0, kindsShown).join(" ") + more;
}
