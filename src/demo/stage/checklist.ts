import { VERDICTS, type CheckName, type Sightings } from "../verdicts/verdicts.ts";

/** Everything that has to happen, in the order in which it is listed. */
const WHAT: Readonly<Record<CheckName, string>> = {
  supervised: "the supervisor is a process of its own",
  contained: "the root runs contained",
  files: "the merged report counts every file",
  bytes: "and every byte",
  generations: "two generations of real processes",
  stop_condition: "a replication was refused by a stop condition",
  cooldown: "a replication was refused by cooldown",
  max_depth: "a replication was refused by max_depth",
  max_replicas: "a replication was refused by max_replicas",
  refused: "what was refused never ran",
  stale: "a stale worker recovers",
  runaways: "descendants that run off are contained and counted",
  caught: "and gone when their worker is stopped",
  frozen: "a quarantined child is frozen",
  thawed: "and runs again when that is lifted",
  died: "a child that dies is reaped",
  hanging: "a child that hangs is stopped",
  turns: "of two who want one file the second waits its turn",
  stale_fence: "the fence of the first is refused from then on",
  survival: "and both edits survive",
  never_both: "nothing was ever held by two",
  killed: "the kill left no process",
  receipt: "the receipt says what it can prove",
  signed: "and is signed by the fleet's key",
  late: "a later spawn is refused",
  late_process: "and from a new process",
  verified: "the journal verifies in a new process",
  replayed: "and replays to the same state",
  gone: "nothing of the fleet is left",
};

/** One thing that had to happen, and whether it was seen. */
export interface Check {
  readonly name: CheckName;
  readonly what: string;
  readonly isSeen: boolean;
  /** What was seen instead, or the figures that show it. */
  readonly detail: string;
}

/** What the demo has seen from outside; it succeeds only if all of it is so. */
export class Checklist {
  readonly #checks = new Map<CheckName, Check>();
  readonly #tell: (check: Check) => void;

  constructor(tell: (check: Check) => void) {
    this.#tell = tell;
  }

  /** Decides by what was seen whether something happened, notes it, and says so. */
  judge<Name extends CheckName>(name: Name, seen: Sightings[Name]): void {
    const { isSeen, details } = VERDICTS[name](seen);
    this.#note(name, isSeen, details);
  }

  /** Notes of all of them that are still open that they were not seen, and why. */
  giveUp(names: readonly CheckName[], why: string): void {
    for (const name of names) this.#note(name, false, [why]);
  }

  /** What was noted once is not taken back. */
  #note(name: CheckName, isSeen: boolean, details: readonly string[]): void {
    if (this.#checks.has(name)) return;
    const detail = details.filter((text) => text !== "").join(", ");
    const check = { name, what: WHAT[name], isSeen, detail };
    this.#checks.set(name, check);
    this.#tell(check);
  }

  /** Everything that had to happen; what was never noted was not seen. */
  get checks(): readonly Check[] {
    return CHECK_NAMES.map(
      (name) =>
        this.#checks.get(name) ?? { name, what: WHAT[name], isSeen: false, detail: "not reached" },
    );
  }

  /** How many are noted, of how many, and how many of these were not seen. */
  get counts(): { readonly done: number; readonly total: number; readonly failed: number } {
    const failed = [...this.#checks.values()].filter(({ isSeen }) => !isSeen).length;
    return { done: this.#checks.size, total: CHECK_NAMES.length, failed };
  }

  /** Whether all of it was seen. */
  get isPassed(): boolean {
    return this.checks.every(({ isSeen }) => isSeen);
  }
}

/** The names of all checks, in the order in which they are listed. */
export const CHECK_NAMES = Object.keys(WHAT) as readonly CheckName[];
