import type { Entry } from "../../kernel/entry.ts";
import { entryWords } from "../../library/explain/happened.ts";
import type { Colours } from "../text/colour.ts";
import { instantText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import type { WorkerNames } from "./names.ts";

/** An entry on one line for people: its number, its time, its kind and what it says. */
export function entryLine(entry: Entry, names: WorkerNames, colours: Colours): string {
  const { seq, at_ms: atMs, kind } = entry;
  const said = plainText(entryWords(entry, names.named));
  const place = `${String(seq).padStart(seqWidth)}  ${colours.dim(instantText(atMs))}`;
  return `${place}  ${paint(kind, colours)}  ${said}`;
}

const seqWidth = 6;
const kindWidth = "worker.unquarantined".length;

function paint(kind: Entry["kind"], colours: Colours): string {
  const padded = kind.padEnd(kindWidth);
  if (kind === "fleet.killed") return colours.red(padded);
  const isWarning = ["command.refused", "worker.quarantined", "worker.staled"].includes(kind);
  return isWarning ? colours.yellow(padded) : colours.cyan(padded);
}
