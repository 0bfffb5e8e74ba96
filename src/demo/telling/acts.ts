import type { EntryView } from "../../index.ts";

/** What is about to be shown and why it matters, in sentences: told before anything happens. */
export const INTRODUCTION: readonly string[] = [
  "Real processes that start other processes are about to analyse the files below. Some of " +
    "them misbehave on purpose: they hang, die, doze and run off.",
  "Watch for three things: nobody runs whom the rules did not admit; what hangs or runs off is " +
    "ended all the same; one order ends everything, and says what it can prove.",
  "A number stands before an entry of the fleet's journal, and ✓ before what was seen from " +
    "outside of the fleet: in the host's process table, in files, by other programs (or, where " +
    "it says so, by the journal).",
];

/** What begins when a worker is admitted for the first time, by its name without its number. */
const BY_WORKER: Readonly<Record<string, string>> = {
  root: "The root starts: it counts a share of the files and wants children for the rest.",
  analyst: "Workers start workers: the root's children divide their shares once more.",
  sleeper: "A child hangs: its process lives, its beats stop. It must be found out and ended.",
  dozer: "A child dozes: it misses beats, is stale and recovers. It must not be ended for that.",
  ticker: "A child writes too much: it is frozen by a quarantine, and goes on when that is lifted.",
  wanderer:
    "A child's descendants run off: they leave its session and its parentage. " +
    "None of them may get away.",
  mayfly: "A child dies without a word: it must be noticed, and what is left of it reaped.",
  idler: "The root wants more hands than there are places, until the fleet is full.",
};

/** What is shown when a rule says no for the first time. */
const BY_REFUSAL: Readonly<Record<string, string>> = {
  stop_condition: "A child is wanted that the contract has a condition against: others' code.",
  cooldown: "Children are wanted one right after the other: a parent must wait in between.",
  max_depth: "A grandchild wants a child of its own: the contract has two generations.",
};

const EDITING =
  "Children edit a scratch clone under leases, and two of them want one file: " +
  "the rules give it to one at a time.";

const KILL = "The kill: one order ends everything that lives, for good.";

/** Says before an entry what begins with it, each act once. */
export class Acts {
  readonly #begun = new Set<string>();

  /** The words that go before an entry; undefined where it begins nothing. */
  before(entry: EntryView): string | undefined {
    const words = wordsOf(entry);
    if (words === undefined || this.#begun.has(words)) return undefined;
    this.#begun.add(words);
    return words;
  }
}

/** How the beginning of an act is told. */
export function actLine(words: string): string {
  return `▸ ${words}`;
}

function wordsOf(entry: EntryView): string | undefined {
  if (entry.kind === "fleet.killed") return KILL;
  if (entry.kind === "lease.granted") return EDITING;
  if (entry.kind === "command.refused") return BY_REFUSAL[entry.data.code];
  if (entry.kind !== "worker.admitted") return undefined;
  return BY_WORKER[entry.data.manifest.name.replace(/-.*$/, "")];
}
