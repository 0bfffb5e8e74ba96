import type { Entry } from "../../kernel/entry.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { subjectOf } from "../../kernel/subject.ts";
import type { Named } from "../../library/explain/words.ts";
import { WHOLE_WORKER_ID } from "../../library/lease/options.ts";
import { newestAbout } from "../../library/readable.ts";
import { Refused } from "../../library/refused.ts";
import { GENESIS, type Head, type Journal } from "../../ports/journal.ts";
import { describeValue, isPlainObject } from "../../protocol/input.ts";

/** Entries about a worker that are looked through for its admission; more than most have. */
const entriesMax = 256;

/** A beginning of an id must be this long to mean a worker, as elsewhere. */
const prefixCharsMin = 4;

/**
 * The worker that a text means, alive or dead: by its id, else the last that had this name or
 * an id that begins so, for people look for what has just ended. Undefined when there was none.
 */
export async function findKnown(journal: Journal, text: string): Promise<string | undefined> {
  // A command that was refused may be about an id that nobody ever had.
  const { entries, missing } = await newestAbout(journal, text, entriesMax);
  // Where its birth cannot be read any more, what came after that says that it has lived.
  const hasLived = WHOLE_WORKER_ID.test(text) && missing !== null && entries.some(isOfLife);
  return hasLived || entries.some(isBirth) ? text : findLastNamed(journal, text);
}

/** Whether an entry is about a worker that there was: refusals are about whoever was named. */
function isOfLife({ kind }: Entry): boolean {
  return kind !== "command.refused";
}

/**
 * Why a worker was admitted, in the words of whoever asked; null where that is not known any more,
 * as of one that was taken over after a loss.
 */
export async function findReason(journal: Journal, id: string): Promise<string | null> {
  for (const limit of [entriesMax, LIMITS.readEntriesMax]) {
    const entries = await journal.about(id, limit);
    const admitted = entries.find((entry) => entry.kind === "worker.admitted");
    if (admitted !== undefined) return admitted.data.reason;
    if (entries.length < limit) return null;
  }
  return null;
}

/** The worker that a text means, as {@link findKnown}. Throws `Refused` `worker_unknown`. */
export async function demandKnown(journal: Journal, text: string): Promise<string> {
  const found = await findKnown(journal, text);
  if (found === undefined) throw unknownWorker(text);
  return found;
}

/** The refusal of a text that never meant a worker. */
export function unknownWorker(text: string): Refused {
  const got = describeValue(text);
  const message = `a worker of this fleet must be named, none ever had the id or name ${got}`;
  return new Refused({ code: "worker_unknown", message, facts: { worker: text } });
}

type Birth = Entry<"worker.admitted"> | Entry<"worker.adopted">;

function isBirth(entry: Entry): entry is Birth {
  return entry.kind === "worker.admitted" || entry.kind === "worker.adopted";
}

/**
 * The worker that was admitted last of those, dead or alive, that have this name or an id that
 * begins so; undefined when there was none. Its cost is that of the journal.
 */
async function findLastNamed(journal: Journal, text: string): Promise<string | undefined> {
  let found: string | undefined;
  let after: Head = GENESIS;
  for (;;) {
    const page = await journal.read(after, LIMITS.readEntriesMax);
    const last = page.at(-1);
    if (last === undefined) return found;
    for (const entry of page) {
      if (!isBirth(entry)) continue;
      const { name, instance } = entry.data.manifest;
      const isMeant = text.length >= prefixCharsMin && instance.startsWith(text);
      if (name === text || isMeant) found = instance;
    }
    after = { seq: last.seq, hash: last.hash };
  }
}

/** Fields that say who holds a lease, or did. */
const HOLDING = ["holder", "claim", "to", "from"];

/** The workers that an entry names: the one that it is about, and those that hold a lease. */
function workersIn(entry: Entry): readonly string[] {
  const { kind, command, data } = entry;
  const holding = HOLDING.flatMap((field) => [
    workerIn(Reflect.get(data, field)),
    workerIn(command === null ? null : Reflect.get(command.data, field)),
  ]);
  const about = /^lanes?\.|^lease\./.test(kind) ? null : subjectOf(entry);
  return [about, ...holding].filter((id) => id !== null);
}

/** The worker that a holder is, also where that is a text; null for an outside party. */
function workerIn(holder: unknown): string | null {
  const worker: unknown = isPlainObject(holder) ? holder["worker"] : holder;
  return typeof worker === "string" && WHOLE_WORKER_ID.test(worker) ? worker : null;
}

/** How many names are remembered: a stream may go on for ever. */
const namesMax = 10_000;

/** Names of workers, as far as the journal tells them, learnt as entries go by. */
export class WorkerNames {
  readonly #journal: Journal;
  readonly #names = new Map<string, string | undefined>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Answers a name that was learnt. */
  readonly named: Named = (id) => this.#names.get(id);

  /** Learns the names of the workers that an entry is about. */
  async learn(entry: Entry): Promise<void> {
    if (entry.kind === "worker.admitted") {
      const { instance, name, parent } = entry.data.manifest;
      this.#keep(instance, name);
      if (parent !== null) await this.find(parent);
      return;
    }
    for (const id of workersIn(entry)) await this.find(id);
    const { kind, id } = entry.actor;
    if (kind === "worker" && id !== undefined) await this.find(id);
  }

  /** Learns the name of one worker, also of one that has ended. */
  async find(id: string): Promise<void> {
    if (this.#names.has(id)) return;
    // A name only helps: without the segment that tells it, the id must do.
    const { entries } = await newestAbout(this.#journal, id, entriesMax);
    const admitted = entries.find((entry) => entry.kind === "worker.admitted");
    this.#keep(id, admitted?.data.manifest.name);
  }

  #keep(id: string, name: string | undefined): void {
    const oldest = this.#names.size >= namesMax ? this.#names.keys().next().value : undefined;
    if (oldest !== undefined) this.#names.delete(oldest);
    this.#names.set(id, name);
  }
}
