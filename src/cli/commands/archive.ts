import { existsSync, rmdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { LookedArchive, LookedSegment } from "../../compose/record/archive.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Journal, Segment } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import { makeFolders } from "../../system/folders.ts";
import { statePlaces } from "../../system/places.ts";
import type { Call, Said } from "../call.ts";
import { holdsFleet, placeFor } from "../place.ts";
import { entryLine } from "../record/entry-line.ts";
import { WorkerNames } from "../record/names.ts";
import { withJournal } from "../record/open-journal.ts";
import { segmentDocument } from "../record/segment.ts";
import { coloursFor } from "../text/colour.ts";
import { instantText } from "../text/duration.ts";
import { integerText } from "../text/integer.ts";
import { shellWord } from "../text/shell.ts";
import { countText, sizeText } from "../text/size.ts";
import { tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const list: Verb = {
  name: "archive ls",
  summary: "List the segments of the archive",
  details:
    "Lists the segments that entries were moved into, oldest first: which entries each has, from " +
    "when to when, and how large it is. With --verify each is read whole and compared with what " +
    "is recorded of it.\n\n" +
    "Exits with 5 (archive_broken) when one that was read is missing or not what was written.",
  options: [{ flags: "--verify", description: "read every segment, and compare it" }],
  examples: ["stint archive ls", "stint archive ls --verify --json"],
  run: runList,
};

async function runList(call: Call, { options }: Given): Promise<Said> {
  const verify = options["verify"] === true;
  const { stateDir } = await call.place();
  const { lookAtArchive } = await import("../../compose/record/archive.ts");
  const found = await lookAtArchive(stateDir, { verify, signal: call.signal });
  const { segments, head } = found;
  const isBroken = segments.some(({ problem }) => typeof problem === "string");
  const data = {
    archived_seq: segments.at(-1)?.last.seq ?? 0,
    head_seq: head.seq,
    size_bytes: sizeOf(segments),
    segments: segments.map((segment) => ({
      ...segmentDocument(segment),
      ...(segment.problem === undefined ? {} : { problem: segment.problem }),
    })),
  };
  const exit = isBroken ? { exit: PROBLEMS.archive_broken.exit } : {};
  return { data, text: listText(found), seq: head.seq, ...exit };
}

function listText({ segments, head }: LookedArchive): string {
  const last = segments.at(-1);
  if (last === undefined)
    return "Nothing is archived. `stint journal compact --dry-run` says what could be.";
  const table = tableText({
    rows: segments,
    columns: [
      { head: "SEGMENT", cell: ({ name }) => name },
      { head: "ENTRIES", isRight: true, cell: ({ entryCount }) => String(entryCount) },
      { head: "FROM", cell: ({ firstAtMs }) => instantText(firstAtMs) },
      { head: "TO", cell: ({ lastAtMs }) => instantText(lastAtMs) },
      { head: "SIZE", isRight: true, cell: ({ sizeBytes }) => sizeText(sizeBytes) },
      { head: "VERIFIED", cell: verifiedCell },
    ],
  });
  const problems = segments.flatMap(({ problem }) => (typeof problem === "string" ? problem : []));
  const place = `Entries up to ${last.last.seq} of ${head.seq} are archived`;
  return [table, `${place}, in ${sizeText(sizeOf(segments))}.`, ...problems].join("\n");
}

function verifiedCell({ problem }: LookedSegment): string {
  if (problem === undefined) return "";
  return problem === null ? "yes" : "no";
}

function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

const show: Verb = {
  name: "archive show",
  summary: "Show the entries of a segment, or one that is archived",
  details:
    "Prints the entries of a segment (by the name that `archive ls` gives it), or the one entry " +
    "of a number, as `journal tail` does; each is verified. With --json one object a line: the " +
    "entry itself, whose `kind` is that of the event.",
  parameters: "<segment>",
  examples: [
    "stint archive show 0000000000000001-0000000000004096.jsonl",
    "stint archive show 17 --json",
  ],
  run: runShow,
};

async function runShow(call: Call, { parameters }: Given): Promise<Said> {
  const asked = String(parameters[0]);
  const colours = coloursFor(call.isColour);
  return withJournal(call, async (journal) => {
    const { segment, untilSeq, ...from } = await findAsked(journal, asked);
    const names = new WorkerNames(journal);
    let entryCount = 0;
    let after = from.after;
    for (let isOver = false; !isOver;) {
      call.signal.throwIfAborted();
      const page = await journal.read(after, pageMax);
      for (const entry of page) {
        isOver = entry.seq > untilSeq;
        if (isOver) break;
        await names.learn(entry);
        entryCount += 1;
        call.line(entry as unknown as JsonObject);
        call.print(entryLine(entry, names, colours));
        after = { seq: entry.seq, hash: entry.hash };
      }
      isOver ||= page.length === 0;
    }
    return { data: { segment: segment.name, entry_count: entryCount }, text: "", seq: after.seq };
  });
}

/** How many entries are read at a time. */
const pageMax = 512;

interface Asked {
  readonly segment: Segment;
  /** What the first entry that is shown follows. */
  readonly after: { readonly seq: number; readonly hash: string };
  readonly untilSeq: number;
}

async function findAsked(journal: Journal, asked: string): Promise<Asked> {
  const segments = await journal.segments();
  const named = segments.find(({ name }) => name === asked || name === `${asked}.jsonl`);
  if (named !== undefined) return { segment: named, after: named.after, untilSeq: named.last.seq };
  const seq = /^\d{1,15}$/.test(asked) ? Number(asked) : 0;
  const segment = segments.find(({ firstSeq, last }) => firstSeq <= seq && seq <= last.seq);
  const [entry] = segment === undefined ? [] : await journal.readStored(seq - 1, 1);
  if (segment === undefined || entry?.seq !== seq) throw notArchived(asked, segments);
  const after = seq === segment.firstSeq ? segment.after : await headBefore(journal, seq, segment);
  return { segment, after, untilSeq: seq };
}

/** The entry before one that is not the first of its segment. */
async function headBefore(
  journal: Journal,
  seq: number,
  { firstSeq }: Segment,
): Promise<Asked["after"]> {
  for (let before = seq - 1; before >= firstSeq; before -= 1) {
    const [stored] = await journal.readStored(before - 1, 1);
    if (stored !== undefined && stored.seq < seq) return { seq: stored.seq, hash: stored.hash };
  }
  return { seq: 0, hash: "" };
}

function notArchived(asked: string, segments: readonly Segment[]): InputError {
  const last = segments.at(-1);
  const expected =
    last === undefined
      ? "absent (nothing is archived)"
      : `the name of a segment, or an entry up to ${last.last.seq} (see \`stint archive ls\`)`;
  return new InputError("usage", [{ path: "SEGMENT", expected, got: describeValue(asked) }]);
}

const restore: Verb = {
  name: "archive restore",
  summary: "Make a fleet of the archive again, in another folder",
  details:
    "Takes the entries of this fleet, those in the archive and those that are not, over into the " +
    "empty place of the folder --to, hashes intact, all or nothing; with --until up to that " +
    "entry, and the rest of its decision. With --from it takes a folder of segments alone, " +
    "which must begin with the first entry.\n\n" +
    "The fleet is paused then, in a new epoch: the one that it is made of may still be at work. " +
    "A killed one stays killed. The fleet's secret is not among the entries: how it is laid " +
    "beside them is said.",
  options: [
    {
      flags: "--to <folder>",
      description: "where the fleet is to be; no fleet may be there",
      isRequired: true,
    },
    {
      flags: "--until <seq>",
      description: "the last entry that is wanted",
      parse: integerText("--until", 1),
    },
    { flags: "--from <folder>", description: "a folder of segments, in place of this fleet" },
  ],
  examples: [
    "stint archive restore --to ../restored",
    "stint archive restore --from backup/segments --to ../restored --until 4096",
  ],
  run: runRestore,
};

async function runRestore(call: Call, { options }: Given): Promise<Said> {
  // As their parsers have made them.
  const { to, until, from } = options as {
    readonly to: string;
    readonly until?: number;
    readonly from?: string;
  };
  const source =
    from === undefined ? { stateDir: (await call.place()).stateDir } : { segments: resolve(from) };
  const stateDir = placeToMake(resolve(to));
  const { restoreFleet } = await import("../../compose/record/archive.ts");
  const wanted = until === undefined ? {} : { untilSeq: until };
  const { head, end } = await restoreFleet({ from: source, stateDir, ...wanted });
  const left =
    end.seq > head.seq ? [`Entries after ${head.seq}, up to ${end.seq}, were left out.`] : [];
  return {
    data: {
      state_dir: stateDir,
      entry_seq: head.seq,
      entry_hash: head.hash,
      source_seq: end.seq,
    },
    seq: head.seq,
    text: [
      `${countText(head.seq, "entry", "entries")} taken over into ${stateDir}.`,
      ...left,
      "Its secret is not among them; the second of these commands is for when the fleet that it is",
      "made of has ended:",
      ...openingLines(source, stateDir),
    ].join("\n"),
  };
}

/** The state folder that a folder is to have, which is made where it is not there. */
function placeToMake(folder: string): string {
  const isNew = !existsSync(folder);
  makeFolders(folder);
  const { stateDir } = placeFor(folder);
  // In a repository with a fleet; nothing is to be left of what cannot be.
  if (isNew && holdsFleet(stateDir)) rmdirSync(folder);
  return stateDir;
}

/** What to type for the restored fleet to be opened. */
function openingLines(
  source: { readonly stateDir: string } | { readonly segments: string },
  stateDir: string,
): readonly string[] {
  // Segments lie in a state folder, unless they were taken out of it.
  const from = "segments" in source ? dirname(source.segments) : source.stateDir;
  const { secret } = statePlaces(from);
  const isThere = existsSync(secret);
  const known = isThere ? shellWord(secret) : "SECRET";
  return [
    `  cp -p ${known} ${shellWord(statePlaces(stateDir).secret)}`,
    `  stint --fleet ${shellWord(stateDir)} resume`,
    ...(isThere ? [] : ["SECRET stands for the file with the fleet's secret."]),
  ];
}

/** The verbs of the archive. */
export const VERBS: readonly Verb[] = [list, show, restore];
