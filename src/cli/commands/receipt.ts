import type { JsonObject } from "../../kernel/json.ts";
import type { RecordedReceipt } from "../../library/kill/recorded-receipt.ts";
import { toWire } from "../../library/names.ts";
import { InputError } from "../../protocol/input.ts";
import { PROBLEMS } from "../../protocol/problem.ts";
import type { Call, Said } from "../call.ts";
import { withJournal } from "../record/open-journal.ts";
import { readSelected } from "../record/selection.ts";
import { withTypedSeq } from "../record/typed-seq.ts";
import { coloursFor, type Colours } from "../text/colour.ts";
import { durationText, instantText } from "../text/duration.ts";
import { integerText } from "../text/integer.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import { pairsText, tableText } from "../text/table.ts";
import type { Given, Verb } from "../verb.ts";

const parseSeq = integerText("SEQ", 1);

const receipt: Verb = {
  name: "receipt",
  summary: "Show the signed receipt of a kill or stop",
  details:
    "Shows the receipt that an entry of the journal holds, or the newest one of the kill or stop " +
    "that it ordered, with the grade of the evidence for every worker, and checks its signature " +
    "against the fleet's key of that time. Without SEQ it is the newest of all.\n\n" +
    "Exits with 6 when an end is not proven or the signature does not hold, with 4 when there is " +
    "no receipt.",
  parameters: "[seq]",
  examples: ["stint receipt", "stint receipt 42", "stint receipt 42 --json"],
  run,
};

async function run(call: Call, { parameters }: Given): Promise<Said> {
  const [typed] = parameters;
  const seq = typed === undefined ? await newestSeq(call) : parseSeq(typed);
  const fleet = await call.openFleet({ supervisor: "none", steward: false });
  const found = await withTypedSeq(() => fleet.receipt(seq));
  const isGood = found.receipt.proven && found.isSigned;
  return {
    data: toWire(found, "receipt") as JsonObject,
    text: forPeople(found, coloursFor(call.isColour)),
    seq: found.recordedSeq,
    ...(isGood ? {} : { exit: PROBLEMS.unproven.exit }),
  };
}

/** The entry of the newest receipt. Throws an InputError `entry_unknown` when there is none. */
async function newestSeq(call: Call): Promise<number> {
  const selection = {
    sinceSeq: undefined,
    countMax: 1,
    kinds: ["receipt.recorded"],
    worker: undefined,
  } as const;
  const seq = await withJournal(call, async (journal) => {
    for await (const entry of readSelected(journal, selection)) return entry.seq;
    return undefined;
  });
  if (seq !== undefined) return seq;
  const expected = "in a journal that has a receipt (a stop or kill is given one)";
  throw new InputError("entry_unknown", [{ path: "the newest receipt", expected, got: "none" }]);
}

function forPeople({ receipt: it, ...found }: RecordedReceipt, colours: Colours): string {
  const proven = it.proven ? colours.green("proven") : colours.red("not proven");
  const signed = found.isSigned
    ? `${colours.green("valid")}, key ${it.keyId}`
    : colours.red(`does not hold (key ${it.keyId}): this is not what was recorded`);
  const grades = Object.entries(it.grades).map(([grade, count]) => `${count} ${grade}`);
  const pairs: (readonly [string, string])[] = [
    ["receipt", `entry ${found.recordedSeq}, ${instantText(found.atMs)}`],
    ["order", `${it.order ?? "kill"}, entry ${it.seq ?? "none"}: ${plainText(it.reason)}`],
    ["stopped", `${it.stoppedCount}${grades.length === 0 ? "" : ` (${grades.join(", ")})`}`],
    ["survived", countText(it.survivorCount, "worker")],
    ["took", durationText(it.durationMs)],
    ["proof", [proven, ...it.why.map(plainText)].join("; ")],
    ["signature", signed],
  ];
  const { workers } = it;
  if (workers === undefined) {
    const left = "The list of workers was too long to be recorded; their hash is signed.";
    return `${pairsText(pairs, colours.dim)}\n\n${left}`;
  }
  if (workers.length === 0) return pairsText(pairs, colours.dim);
  const table = tableText({
    headStyle: colours.dim,
    rows: workers,
    columns: [
      { head: "WORKER", cell: ({ id }) => colours.cyan(plainText(id)) },
      { head: "NAME", cell: ({ name }) => plainText(name) },
      { head: "EVIDENCE", cell: ({ grade, proven: is }) => grade ?? (is ? "never ran" : "none") },
      { head: "PROVEN", cell: (one) => (one.proven ? colours.green("yes") : colours.red("no")) },
    ],
  });
  return `${pairsText(pairs, colours.dim)}\n\n${table}`;
}

/** The verb that shows receipts. */
export const VERBS: readonly Verb[] = [receipt];
