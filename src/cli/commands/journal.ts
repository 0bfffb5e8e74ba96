import { resolve } from "node:path";
import type { VerifiedStore } from "../../compose/record/inspection.ts";
import type { EventKind } from "../../kernel/event.ts";
import type { JsonObject } from "../../kernel/json.ts";
import type { Journal } from "../../ports/journal.ts";
import { InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { Call, Said } from "../call.ts";
import { findPlaces, otherFleetsNote, placeFor } from "../place.ts";
import { writeToNewFile, writeToStdout } from "../record/export-file.ts";
import { entryLine } from "../record/entry-line.ts";
import { demandKnown, WorkerNames } from "../record/names.ts";
import { withJournal } from "../record/open-journal.ts";
import { parseKinds, readSelected, type Selection } from "../record/selection.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { integerText } from "../text/integer.ts";
import { countText, sizeText } from "../text/size.ts";
import type { Given, Verb } from "../verb.ts";

/** How many entries are shown when nothing is said about it. */
const countDefault = 20;

/** How often progress is told, ms. */
const progressEveryMs = 1_000;

const tail: Verb = {
  name: "journal tail",
  summary: "Show the newest entries of the journal, and those to come",
  details:
    "Prints one line for each entry: its number, its time, its kind and what it says. With " +
    "--worker and --kind only those that fit both; the journal is searched for as many of them " +
    "as are asked for. With --json one object a line: the entry itself, whose `kind` is that of " +
    "the event.",
  options: [
    {
      flags: "-n, --count <entries>",
      description: `how many of the newest (default: ${countDefault}; with --since: all)`,
      parse: integerText("--count", 0),
    },
    {
      flags: "--since <seq>",
      description: "from this entry on",
      parse: integerText("--since", 1),
    },
    {
      flags: "--worker <id>",
      description: "about this worker, dead or alive, or asked for by it",
    },
    {
      flags: "--kind <kind>",
      description: "of this kind, e.g. command.refused, or this noun, e.g. worker",
      parse: parseKinds,
    },
    { flags: "-f, --follow", description: "go on with those to come, until interrupted" },
  ],
  examples: [
    "stint journal tail -n 5",
    "stint journal tail --since 100 --follow --json",
    "stint journal tail --worker build --kind command.refused",
  ],
  run: runTail,
};

async function runTail(call: Call, { options }: Given): Promise<Said> {
  const colours = coloursFor(call.isColour);
  return withJournal(call, async (journal) => {
    const names = new WorkerNames(journal);
    let [entryCount, lastSeq] = [0, (await journal.head()).seq];
    for await (const entry of readSelected(journal, await selectionOf(call, journal, options))) {
      await names.learn(entry);
      entryCount += 1;
      lastSeq = Math.max(lastSeq, entry.seq);
      call.line(entry as unknown as JsonObject);
      call.print(entryLine(entry, names, colours));
    }
    return { data: { entry_count: entryCount, head_seq: lastSeq }, text: "", seq: lastSeq };
  });
}

async function selectionOf(
  call: Call,
  journal: Journal,
  options: Given["options"],
): Promise<Selection> {
  // As their parsers have made them.
  const { since, count, kind, worker } = options as {
    readonly since?: number;
    readonly count?: number;
    readonly kind?: readonly EventKind[];
    readonly worker?: string;
  };
  return {
    sinceSeq: since,
    countMax: count ?? (since === undefined ? countDefault : undefined),
    kinds: kind,
    worker: worker === undefined ? undefined : await demandKnown(journal, worker),
    ...(options["follow"] === true ? { until: call.signal } : {}),
  };
}

const verify: Verb = {
  name: "journal verify",
  summary: "Verify the whole journal: hashes, links, signatures, decisions",
  details:
    "Reads every entry, verifies its hash, its place in the chain and every signed head, folds " +
    "the " +
    "journal to the newest signed state, and decides every recorded command again. Names the " +
    "newest anchor: the entry up to which a signature vouches for the record. Nothing is " +
    "written.\n\n" +
    "Exits with 5 (journal_corrupt, journal_truncated, journal_forked, key_mismatch) when the " +
    "record is not what was written, with 1 when it is but these rules decide otherwise.",
  examples: ["stint journal verify", "stint journal verify --json"],
  run: runVerify,
};

async function runVerify(call: Call): Promise<Said> {
  const { stateDir } = await call.place();
  const { verifyStore } = await import("../../compose/record/inspection.ts");
  let toldAtMs = performance.now();
  const found = await verifyStore(stateDir, {
    onProgress(doing, seq) {
      call.signal.throwIfAborted();
      if (!call.isTerminal || performance.now() - toldAtMs < progressEveryMs) return;
      toldAtMs = performance.now();
      call.note(`${doing}: entry ${seq}`);
    },
  });
  const { redecidedSeqs: others, entryCount } = found;
  const data = {
    entry_count: entryCount,
    head_hash: found.headHash,
    anchor_seq: found.anchorSeq,
    unanchored_count: found.unanchoredCount,
    key_trusted: found.isKeyTrusted,
    state_same: found.isStateSame,
    redecided_seqs: others,
  };
  const exit = others.length === 0 ? {} : { exit: PROBLEMS.bug.exit };
  return { data, text: verifiedText(found, coloursFor(call.isColour)), seq: entryCount, ...exit };
}

function verifiedText(found: VerifiedStore, colours: Colours): string {
  const { anchorSeq, redecidedSeqs: others } = found;
  const anchor =
    anchorSeq === null
      ? "No signature vouches for any of it yet: only the chain of hashes does."
      : `The newest anchor is entry ${anchorSeq}: a signature vouches for everything up to ` +
        `there, ` +
        `only the chain for the ${found.unanchoredCount} after it.`;
  const key =
    found.isKeyTrusted === null
      ? "There is no secret beside it, so that its signatures only vouch for one another."
      : "Its key is that of the secret beside it.";
  const state =
    found.isStateSame === false
      ? ["The signed state is of another form than this version's; snapshots are made anew."]
      : [];
  const decided =
    others.length === 0
      ? "Decided again, every command comes out the same."
      : colours.red(`Decided otherwise by these rules: ${listSome(others)}.`);
  const intact = `${countText(found.entryCount, "entry", "entries")}: hashes and links are intact.`;
  return [colours.green(intact), anchor, key, ...state, decided].join("\n");
}

const shownMax = 10;

function listSome(seqs: readonly number[]): string {
  const more = seqs.length > shownMax ? `, and ${seqs.length - shownMax} more` : "";
  const noun = seqs.length === 1 ? "entry" : "entries";
  return `${noun} ${seqs.slice(0, shownMax).join(", ")}${more}`;
}

const exporting: Verb = {
  name: "journal export",
  summary: "Write the journal as JSON lines, hashes intact",
  details:
    "Writes one line for each entry and a last one that says that it is whole. FILE must not " +
    "exist " +
    "yet; - or nothing is stdout. The secret is not part of it.",
  parameters: "[file]",
  examples: ["stint journal export backup.jsonl", "stint journal export - | zstd > backup.zst"],
  run: runExport,
};

async function runExport(call: Call, { parameters }: Given): Promise<Said> {
  const [file = "-"] = parameters as readonly (string | undefined)[];
  if (call.isJson && file === "-") {
    const expected = "given with --json, whose answer goes to stdout";
    throw new InputError("usage", [{ path: "FILE", expected, got: "nothing" }]);
  }
  const { stateDir } = await call.place();
  const { exportJournal, sqlite } = await import("../../compose/library.ts");
  const lines = exportJournal(sqlite({ dir: stateDir }));
  if (file === "-") {
    const written = await writeToStdout(lines, call.signal);
    return { data: { ...written }, text: "" };
  }
  const path = resolve(file);
  const written = await writeToNewFile(lines, path, call.signal);
  // The last line only says that it is whole.
  const entryCount = written.line_count - 1;
  return {
    data: { file: path, entry_count: entryCount, size_bytes: written.size_bytes },
    text:
      `${countText(entryCount, "entry", "entries")} written to ${path} ` +
      `(${sizeText(written.size_bytes)}).`,
  };
}

const importing: Verb = {
  name: "journal import",
  summary: "Take over an exported journal where there is no fleet yet",
  details:
    "Takes an export over into the empty place of the current folder (or --fleet), hashes " +
    "intact, " +
    "all or nothing. The fleet is paused then: the one it was exported from may still be at " +
    "work; " +
    "a killed one stays killed. Lay the fleet's secret beside it before you open it.",
  parameters: "<file>",
  options: [
    {
      flags: "--accept-truncated",
      description: "take what a file that breaks off has; otherwise nothing of it is taken",
    },
  ],
  examples: ["stint journal import backup.jsonl"],
  run: runImport,
};

async function runImport(call: Call, { parameters, options }: Given): Promise<Said> {
  const path = resolve(String(parameters[0]));
  const folder = call.fleetDir ?? process.cwd();
  const { stateDir } = placeFor(folder);
  const others = otherFleetsNote(findPlaces(folder));
  if (others !== undefined) call.note(others);
  const { importJournal, sqlite } = await import("../../compose/library.ts");
  const acceptIncomplete = options["acceptTruncated"] === true;
  const { head, incompleteLine } = await importJournal(sqlite({ dir: stateDir }), {
    path,
    acceptIncomplete,
  });
  const brokenOff = incompleteLine === undefined ? {} : { broken_off_at_line: incompleteLine };
  const lost =
    incompleteLine === undefined ? [] : [`The file breaks off at line ${incompleteLine}.`];
  return {
    data: { state_dir: stateDir, entry_count: head.seq, head_hash: head.hash, ...brokenOff },
    seq: head.seq,
    text: [
      `${countText(head.seq, "entry", "entries")} taken over into ${stateDir}.`,
      ...lost,
      "Lay the fleet's secret beside them (mode 0600), then `stint resume` when the fleet that it",
      "was exported from has ended.",
    ].join("\n"),
  };
}

/** The verbs of the journal. */
export const VERBS: readonly Verb[] = [tail, verify, exporting, importing];
