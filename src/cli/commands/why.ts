import type { JsonObject } from "../../kernel/json.ts";
import type { Named } from "../../library/explain/words.ts";
import type { Standing } from "../../library/inquiry/standing.ts";
import { WHY_COUNT, whyPath, type WhyDocument } from "../../library/inquiry/why.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { holderWithName } from "../ground/lease-said.ts";
import { WorkerNames } from "../record/names.ts";
import { ProgressBar } from "../record/progress-bar.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { agoText, durationText, instantText } from "../text/duration.ts";
import { integerText } from "../text/integer.ts";
import { patternNote } from "../text/path-note.ts";
import { plainText, shortText } from "../text/plain.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const why: Verb = {
  name: "why",
  summary: "Say who may write a path, since when, and who was refused there",
  details:
    "Says who may write PATH now: the leases that have it with their holders, ends and fences, " +
    "what of it sandboxes have mounted, the lanes that it is in, and who waits for it. Then " +
    "what happened on it, the newest first: who was refused and by whose lease, and which " +
    "leases came and went; the journal is read back only as far as that takes. The path is " +
    "found as `lease check` finds it: from the current folder, links followed; it is no pattern. " +
    "Of a folder the leases below it are named, too. `port:8080` is a resource of that " +
    "namespace. A check by `lease check` is not on record. Nothing is written.",
  parameters: "<path>",
  options: [
    {
      flags: "-n, --count <count>",
      description: `how many refusals, and how many events of leases (default: ${WHY_COUNT})`,
      parse: integerText("--count", 0),
    },
    {
      flags: "--since <seq>",
      description: "only what happened from this entry on",
      parse: integerText("--since", 1),
    },
  ],
  examples: ["stint why src/api/users.ts", "stint why port:8080 --since 1000 --json"],
  run,
};

/** The verb that says who may write a path. */
export const VERBS: VerbFile["VERBS"] = [why];

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const path = String(parameters[0]);
  if (path === "") {
    const expected = "a path, of at least one character";
    throw new InputError("usage", [{ path: "PATH", expected, got: describeValue(path) }]);
  }
  // As their parsers have made them.
  const { count = WHY_COUNT, since = 1 } = options as {
    readonly count?: number;
    readonly since?: number;
  };
  const patterned = patternNote(path);
  if (patterned !== undefined) call.note(patterned);
  const { stateDir } = await call.place();
  const { openInquiry } = await import("../../compose/record/inquiry.ts");
  const opened = await openInquiry(stateDir);
  const { seat } = opened;
  const endSeq = seat.loop.head().seq;
  const endCount = Math.max(0, endSeq - since + 1);
  const bar = new ProgressBar(call, { doing: "looking back", endCount });
  try {
    const found = await whyPath(seat, {
      path,
      cwd: process.cwd(),
      root: undefined,
      countMax: count,
      sinceSeq: since,
      onProgress: (seq) => bar.tell(endSeq - seq + 1),
    });
    bar.end();
    const named = call.isJson ? () => undefined : await namesFor(seat.store.journal, found);
    // A document in wire form; its type only lacks the word.
    const data = found as unknown as JsonObject;
    return { data, text: textOf(call, found, named), seq: found.seq };
  } finally {
    bar.end();
    await opened.close();
  }
}

/** The names of all workers that are told of, those that have ended too. */
async function namesFor(
  journal: ConstructorParameters<typeof WorkerNames>[0],
  found: WhyDocument,
): Promise<Named> {
  const names = new WorkerNames(journal);
  const ids = [
    ...found.leases.map(({ holder }) => holder),
    ...found.below.map(({ holder }) => holder),
    ...found.alone.map(({ holder }) => holder),
    ...found.mounts.map(({ worker }) => worker),
    ...found.waiting.map(({ holder }) => holder),
    ...found.refusals.flatMap(({ holder, by_holder: by }) => [holder ?? "", by ?? ""]),
  ];
  for (const id of new Set(ids)) if (id !== "") await names.find(id);
  return names.named;
}

const STANDING: Readonly<Record<Standing, string>> = {
  holders: "may be written by who holds it:",
  nobody_reads: "may be written by nobody: it is leased to be read.",
  alone: "may be written by nobody but who holds the lane that runs alone:",
  nobody_unleased: "may be written by nobody: it is leased by nobody, and writing needs a lease.",
  anybody: "may be written by anybody: it is leased by nobody.",
  nobody_killed: "may be written by nobody: the fleet was killed.",
  outside: "is no file of the fleet's ground: no lease speaks for it.",
};

function textOf(call: Call, found: WhyDocument, named: Named): string {
  const colours = coloursFor(call.isColour);
  const { resolved, writable_by: by, below, alone, lanes, mounts, refusals, events } = found;
  const name = colours.bold(plainText(resolved ?? found.path));
  const isAlone = by === "alone";
  const lines = [
    `${name} ${STANDING[by]}`,
    ...(found.leases.length === 0 ? [] : [leasesText(call, found, named)]),
    ...alone
      .filter(() => isAlone)
      .map(({ lease_id: id, holder }) => `  ${id} of ${shown(holder, named)}`),
    ...(below.length === 0 ? [] : [`Below it: ${belowText(call, below, named)}`]),
    ...mounts.map(({ lease_id: id, worker, since_ms: since, lapsing }) => {
      const how = lapsing ? ", and is being taken from it" : "";
      const when = instantText(since);
      return `Mounted in the sandbox of ${shown(worker, named)} for ${id} since ${when}${how}.`;
    }),
    ...(lanes.length === 0 ? [] : [`In ${lanes.map(laneText).join(", ")}.`]),
    ...found.waiting.map(({ place, holder, mode, since_ms: since }) => {
      const who = shown(holder, named);
      return `${who} waits for it as ${mode} since ${instantText(since)} (${place}).`;
    }),
  ];
  const past = [
    ...(refusals.length === 0 ? [] : ["", "Refused:", refusalsText(call, found, named)]),
    ...(events.length === 0 ? [] : ["", "Happened:", eventsText(call, found, colours)]),
  ];
  const none = refusals.length + events.length === 0 && by !== "outside";
  const from = found.searched_from_seq;
  const nothing =
    none && from <= found.seq ? [`Nothing happened on it from entry ${from} on.`] : [];
  const { missing } = found;
  const before =
    missing === null ? [] : ["", `What happened before entry ${from} is not known: ${missing}`];
  return [...lines, ...past, ...nothing, ...before].join("\n");
}

function belowText(call: Call, below: WhyDocument["below"], named: Named): string {
  return below
    .map(({ lease_id: id, holder, region }) => {
      const ground = plainText(region.join(" "));
      const told = call.isOutTerminal ? shortText(ground, groundCharsMax) : ground;
      return `${id} of ${shown(holder, named)} (${told})`;
    })
    .join(", ");
}

function laneText({ name, slots, alone }: WhyDocument["lanes"][number]): string {
  const how = slots === null ? "" : ` (${slots} slots)`;
  return `lane ${plainText(name)}${how}${alone ? ", which runs alone" : ""}`;
}

function shown(holder: string, named: Named): string {
  return holderWithName(holder, named);
}

const groundCharsMax = 40;
const messageCharsMax = 60;

function leasesText(call: Call, { leases, at_ms: nowMs }: WhyDocument, named: Named): string {
  const colours = coloursFor(call.isColour);
  return tableText({
    headStyle: colours.dim,
    rows: leases,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "LEASE", cell: ({ lease_id: id }) => colours.cyan(id) },
      { head: "HOLDER", cell: ({ holder }) => shown(holder, named) },
      {
        head: "WRITE",
        cell: ({ may_write: may }) => (may ? colours.green("yes") : colours.red("no")),
      },
      { head: "MODE", cell: ({ mode }) => mode },
      { head: "LANE", cell: ({ lane }) => plainText(lane ?? ""), spare: 2 },
      {
        head: "GROUND",
        cell: ({ region }) => {
          const text = plainText(region.join(" "));
          return call.isOutTerminal ? shortText(text, groundCharsMax) : text;
        },
        spare: 4,
      },
      { head: "SINCE", cell: ({ granted_at_ms: at }) => agoText(at, nowMs), spare: 1 },
      {
        head: "ENDS IN",
        cell: ({ expires_at_ms: at }) => durationText(Math.max(0, at - nowMs)),
        isRight: true,
      },
      { head: "FENCE", cell: ({ fence }) => String(fence), isRight: true, spare: 3 },
      { head: "OF", cell: ({ lent_of: of }) => of ?? "" },
      { head: "LEFT", cell: ({ orphaned }) => (orphaned ? "its holder has ended" : "") },
    ],
  });
}

function refusalsText(call: Call, { refusals }: WhyDocument, named: Named): string {
  const colours = coloursFor(call.isColour);
  return tableText({
    headStyle: colours.dim,
    rows: refusals,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "SEQ", cell: ({ seq }) => String(seq), isRight: true },
      { head: "WHEN", cell: ({ at_ms: at }) => instantText(at) },
      { head: "WHO", cell: ({ holder }) => shown(holder ?? "", named) },
      { head: "COMMAND", cell: ({ command }) => command, spare: 2 },
      { head: "CODE", cell: ({ code }) => colours.yellow(code) },
      { head: "BY", cell: ({ by_lease: by }) => by ?? "" },
      { head: "OF", cell: ({ by_holder: by }) => shown(by ?? "", named) },
      {
        head: "WHY",
        cell: ({ message }) => {
          const text = plainText(message);
          return call.isOutTerminal ? shortText(text, messageCharsMax) : text;
        },
        spare: 1,
      },
    ],
  });
}

function eventsText(call: Call, { events }: WhyDocument, colours: Colours): string {
  return tableText({
    headStyle: colours.dim,
    rows: events,
    ...(call.isOutTerminal ? { widthMax: call.columns } : {}),
    columns: [
      { head: "SEQ", cell: ({ seq }) => String(seq), isRight: true },
      { head: "WHEN", cell: ({ at_ms: at }) => instantText(at) },
      { head: "LEASE", cell: ({ lease_id: id }) => colours.cyan(id) },
      { head: "WHAT", cell: ({ said }) => plainText(said) },
    ],
  });
}
