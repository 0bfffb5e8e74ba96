import type { JsonObject } from "../../kernel/json.ts";
import { namesIn, type Named } from "../../library/explain/words.ts";
import { demandSpan } from "../../library/inquiry/span.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { OtherRules } from "../../runtime/replaying/hypothesis.ts";
import type {
  DifferenceKind,
  WhatIfDifference,
  WhatIfDocument,
} from "../../runtime/replaying/what-if.ts";
import type { Call, Said } from "../call.ts";
import { holderWithName } from "../ground/lease-said.ts";
import { withJournal } from "../record/open-journal.ts";
import { ProgressBar } from "../record/progress-bar.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { instantText } from "../text/duration.ts";
import { integerText } from "../text/integer.ts";
import { plainText, shortText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { pairsText, tableText } from "../text/table.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

/** How many differences are shown where nothing is said about it. */
const countDefault = 20;

/** What is a failure, by what `--fail-on` says. */
const FAILING = {
  granted: (by: WhatIfDocument["different_by"]) => by.refused_to_granted + by.waiting_to_granted,
  any: (by: WhatIfDocument["different_by"]) =>
    Object.values(by).reduce((sum, count) => sum + count, 0),
} as const;

type FailOn = keyof typeof FAILING;

const whatIf: Verb = {
  name: "what-if",
  summary: "Say what of the record would have been decided otherwise under other rules",
  details:
    "Puts the contract of FILE, or its lanes and rules about ground, in force right after the " +
    "fleet was created (or before --from), and decides every command that is on record as it " +
    "would have been decided then, each at its recorded time, on what those before it would " +
    "have come to. Enactments on record of what is replaced are left out. A command about who " +
    "would not have been there is moot: counted, and no difference. Nobody is known to have " +
    "asked what nobody asked on record: a command that changed nothing is not on record, nor " +
    "what the limit on refusals kept out. FILE is a stint.toml, or JSON as `contract show " +
    "--json` prints it. With --fail-on granted the exit is " +
    `${PROBLEMS.conflict.exit} when anything would have been granted that was refused or had to ` +
    "wait, with --fail-on any when anything differs. Nothing is written.",
  options: [
    {
      flags: "--contract <file>",
      description: "the contract, and the sandbox rules, of this file",
    },
    { flags: "--lanes <file>", description: "the lanes and the rules about ground of this file" },
    {
      flags: "--from <seq>",
      description: "in force before this entry (default: right after the creation)",
      parse: integerText("--from", 2),
    },
    {
      flags: "--until <seq>",
      description: "up to this entry, and what was decided with it",
      parse: integerText("--until", 1),
    },
    {
      flags: "--events",
      description: "also what is granted in both, with other events",
    },
    {
      flags: "--fail-on <what>",
      description: `granted or any: exit ${PROBLEMS.conflict.exit} when there is such a difference`,
      parse: parseFailOn,
    },
    {
      flags: "-n, --count <differences>",
      description: `how many differences are shown (default: ${countDefault})`,
      parse: integerText("--count", 0),
    },
  ],
  examples: [
    "stint what-if --contract proposals/tight.toml",
    "stint what-if --contract stint.toml --lanes stint.toml --fail-on granted --json",
  ],
  run,
};

/** The verb that tries other rules on the record. */
export const VERBS: VerbFile["VERBS"] = [whatIf];

function parseFailOn(text: string): FailOn {
  if (text === "granted" || text === "any") return text;
  const got = describeValue(text);
  throw new InputError("usage", [{ path: "--fail-on", expected: "granted or any", got }]);
}

async function run(call: Call, { options }: Given): Promise<Said> {
  // As their parsers have made them.
  const typed = options as {
    readonly contract?: string;
    readonly lanes?: string;
    readonly from?: number;
    readonly until?: number;
    readonly events?: boolean;
    readonly failOn?: FailOn;
    readonly count?: number;
  };
  const others = await readOthers(typed);
  const found = await ask(call, others, typed);
  const { failOn } = typed;
  const isFailed = failOn !== undefined && FAILING[failOn](found.different_by) > 0;
  const exit = isFailed ? { exit: PROBLEMS.conflict.exit } : {};
  const named = await namesFor(call, found);
  // A document in wire form; its type only lacks the word.
  const data = found as unknown as JsonObject;
  return { data, text: textOf(call, found, named), seq: found.until_seq, ...exit };
}

async function readOthers(typed: {
  readonly contract?: string;
  readonly lanes?: string;
}): Promise<OtherRules> {
  const { contract, lanes } = typed;
  if (contract === undefined && lanes === undefined) {
    const expected = "given, --lanes, or both";
    throw new InputError("usage", [{ path: "--contract", expected, got: "neither" }]);
  }
  const { readContractFile, readGroundFile } = await import("../record/other-rules.ts");
  return {
    ...(contract === undefined ? {} : { contract: readContractFile(contract) }),
    ...(lanes === undefined ? {} : { ground: readGroundFile(lanes) }),
  };
}

async function ask(
  call: Call,
  others: OtherRules,
  typed: {
    readonly from?: number;
    readonly until?: number;
    readonly events?: boolean;
    readonly count?: number;
  },
): Promise<WhatIfDocument> {
  const { from, until, events = false, count = countDefault } = typed;
  // CEL is not free to load: few verbs decide anything in this process.
  const { askWhatIf } = await import("../../library/inquiry/what-if.ts");
  const { SYSTEM_TIMERS } = await import("../../runtime/timers.ts");
  return withJournal(call, async (journal) => {
    await demandSpan(journal, { fromSeq: from, untilSeq: until }, "--from");
    const { seq: endSeq } = await journal.head();
    const bar = new ProgressBar(call, {
      doing: "deciding",
      endCount: Math.min(endSeq, until ?? endSeq),
    });
    try {
      return await askWhatIf(journal, others, {
        ...(from === undefined ? {} : { fromSeq: from }),
        ...(until === undefined ? {} : { untilSeq: until }),
        shownMax: count,
        comparesEvents: events,
        onProgress: (seq) => bar.tell(seq),
        turn: () => SYSTEM_TIMERS.turn(),
      });
    } finally {
      bar.end();
    }
  });
}

/** Names of workers that live; the others are told by their ids. */
async function namesFor(call: Call, { differences }: WhatIfDocument): Promise<Named> {
  if (call.isJson || differences.length === 0) return () => undefined;
  return namesIn((await call.read()).state);
}

const KIND_WORDS: Readonly<Record<DifferenceKind, string>> = {
  refused_to_granted: "granted, was refused",
  waiting_to_granted: "granted at once, had to wait",
  granted_to_refused: "refused, was granted",
  granted_to_waiting: "to wait, was granted",
  refused_to_waiting: "to wait, was refused",
  waiting_to_refused: "refused, could wait",
  other_code: "refused by another code",
  other_events: "granted with other events",
};

const MOOT_WORDS: Readonly<Record<keyof WhatIfDocument["moot_by"], string>> = {
  never_was: "about who would never have been there",
  has_ended: "about who would have ended",
  has_it: "waiting for what would be had",
  verdict_unknown: "a function's answer is not on record",
  not_recorded: "not on record what was asked",
};

function textOf(call: Call, found: WhatIfDocument, named: Named): string {
  const colours = coloursFor(call.isColour);
  const { command_count: count, different_count: different, differences } = found;
  const head = `${countText(count, "command")} from entry ${found.from_seq} on, as they would be:`;
  const rows = summaryOf(found, colours).map(([name, value]) => [`  ${name}`, value] as const);
  const summary = [head, pairsText(rows)];
  if (differences.length === 0) return summary.join("\n");
  const rest = different - differences.length;
  const more = rest > 0 ? [`… and ${rest} more (-n shows more)`] : [];
  return [...summary, "", tableOf(call, differences, { colours, named }), ...more].join("\n");
}

function summaryOf(
  found: WhatIfDocument,
  colours: Colours,
): readonly (readonly [name: string, value: string])[] {
  const { same_count: same, moot_count: moot, left_out_count: leftOut } = found;
  const kinds = Object.entries(found.different_by).filter(([, count]) => count > 0);
  const moots = Object.entries(found.moot_by).filter(([, count]) => count > 0);
  return [
    ["the same", String(same)],
    ...kinds.map(([kind, count]) => {
      // The document's own keys.
      const words = KIND_WORDS[kind as DifferenceKind];
      return [words, colours.yellow(String(count))] as const;
    }),
    ...moots.map(([why, count]) => {
      const words = MOOT_WORDS[why as keyof WhatIfDocument["moot_by"]];
      return [`moot: ${words}`, String(count)] as const;
    }),
    ...(moot === 0 && leftOut === 0 ? [] : leftOutRow(leftOut)),
  ];
}

function leftOutRow(count: number): readonly (readonly [string, string])[] {
  return count === 0 ? [] : [["left out: enactments that are replaced", String(count)]];
}

const messageCharsMax = 60;
const actorCharsMax = 24;

function tableOf(
  call: Call,
  differences: readonly WhatIfDifference[],
  { colours, named }: { readonly colours: Colours; readonly named: Named },
): string {
  const cut = (text: string, charsMax: number): string =>
    call.isOutTerminal ? shortText(text, charsMax) : text;
  return tableText({
    headStyle: colours.dim,
    rows: differences,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "SEQ", cell: ({ seq }) => String(seq), isRight: true },
      { head: "WHEN", cell: ({ at_ms }) => instantText(at_ms), spare: 2 },
      { head: "ACTOR", cell: ({ actor }) => cut(actorText(actor, named), actorCharsMax), spare: 3 },
      { head: "COMMAND", cell: ({ command }) => command },
      { head: "ABOUT", cell: ({ about }) => holderWithName(about ?? "", named), spare: 4 },
      { head: "RECORDED", cell: ({ recorded }) => outcomeText(recorded, colours) },
      { head: "WOULD BE", cell: ({ would_be: wouldBe }) => outcomeText(wouldBe, colours) },
      {
        head: "WHY",
        cell: ({ message }) => cut(plainText(message ?? ""), messageCharsMax),
        spare: 1,
      },
    ],
  });
}

function actorText({ kind, id }: WhatIfDifference["actor"], named: Named): string {
  return id === undefined ? kind : `${kind} ${holderWithName(id, named)}`;
}

function outcomeText(outcome: WhatIfDifference["recorded"], colours: Colours): string {
  if (outcome === "granted") return colours.green(outcome);
  return outcome === "waiting" ? colours.cyan(outcome) : colours.yellow(outcome);
}
