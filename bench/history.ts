import { createHash } from "node:crypto";
import type { Entry } from "../src/kernel/entry.ts";
import { RULES } from "../src/kernel/entry.ts";
import { evolve } from "../src/kernel/evolve.ts";
import { LIMITS } from "../src/kernel/limits.ts";
import { INITIAL_STATE } from "../src/kernel/state.ts";
import { GENESIS, type Draft, type Head, type Journal } from "../src/ports/journal.ts";
import { replay } from "../src/runtime/replay.ts";
import { carryPair, endAll, makeFolder, openFleetIn, OPERATOR, type BenchFleet } from "./fleet.ts";
import { perSecond, type Bench, type Course, type Trials } from "./measure.ts";

const REPLAYED = 100_000;
const REPLAY_PER_SECOND = 200_000;
const FOLD_PER_SECOND = 300_000;
const SHORT = 10_000;
const LONG = 1_000_000;

/** With two notes between its admission and its end, the entries of a life have 400 bytes. */
const NOTES = 2;
const NOTE_TEXT = "y".repeat(42);

/** Read, verify and fold, against what reading, hashing and parsing the same rows costs alone. */
export const replaying: Bench = {
  name: "replay: read, verify, fold",
  unit: "entries/s",
  floorName: "read, hash and parse alone",
  target: { atLeast: REPLAY_PER_SECOND },
  rounds: 7,
  async prepare(course): Promise<Trials> {
    const history = await openHistory(REPLAYED, NOTES, course);
    const { fleet } = history;
    return {
      floor: () => perSecond(REPLAYED, () => readRaw(fleet.journal)),
      measure: () => perSecond(REPLAYED, async () => void (await replay(fleet.journal))),
      close: () => history.close(),
    };
  },
};

/** The fold alone, of entries that are decoded already, against only walking them. */
export const folding: Bench = {
  name: "fold alone",
  unit: "entries/s",
  floorName: "the bar, as a constant",
  target: { atLeast: FOLD_PER_SECOND },
  rounds: 7,
  async prepare(course): Promise<Trials> {
    const history = await openHistory(REPLAYED, NOTES, course);
    const { fleet } = history;
    const entries: Entry[] = [];
    let head: Head = GENESIS;
    for (let slice = await fleet.journal.read(head, LIMITS.readEntriesMax); slice.length > 0;) {
      entries.push(...slice);
      head = slice.at(-1) ?? head;
      slice = await fleet.journal.read(head, LIMITS.readEntriesMax);
    }
    const fold = (): void => {
      let state = INITIAL_STATE;
      for (const entry of entries) state = evolve(state, entry);
    };
    return {
      floor: () => Promise.resolve(FOLD_PER_SECOND),
      measure: () => perSecond(entries.length, fold),
      close: () => history.close(),
    };
  },
};

/** Opening a long history, half of it admissions of the dead, against opening a short one. */
export const opening: Bench = {
  name: `opening ${LONG.toLocaleString("en-US")} entries`,
  unit: "ms",
  floorName: `opening ${SHORT.toLocaleString("en-US")}`,
  target: { ratio: 1.2, better: "lower" },
  rounds: 15,
  async prepare(course): Promise<Trials> {
    const short = await openHistory(SHORT, 0, course);
    const long = await openHistory(LONG, 0, course).catch(async (error: unknown) => {
      await short.close();
      throw error;
    });
    await short.fleet.close();
    await long.fleet.close();
    return {
      floor: () => openingMs(short.fleet.folder),
      measure: () => openingMs(long.fleet.folder),
      async close() {
        await short.remove();
        await long.remove();
      },
    };
  },
};

const OPENINGS = 5;

async function openingMs(folder: string): Promise<number> {
  const perSec = await perSecond(OPENINGS, async () => {
    for (let opened = 0; opened < OPENINGS; opened += 1) {
      const fleet = await openFleetIn(folder);
      // Closing signs nothing new, so every opening meets the same journal.
      await fleet.close();
    }
  });
  return 1_000 / perSec;
}

interface History {
  readonly fleet: BenchFleet;
  close(): Promise<void>;
  remove(): Promise<void>;
}

/** A journal of at least `count` entries: short lives, each with some notes in between. */
async function openHistory(count: number, notes: number, course: Course): Promise<History> {
  const folder = await makeFolder();
  try {
    const before = await openFleetIn(folder.path);
    await carryPair(before.loop);
    await endAll(before.loop);
    await lengthen(before.journal, { count, notes, course });
    await before.close();
    // The first look at the lengthened journal folds it, and signs a head at its end.
    const fleet = await openFleetIn(folder.path);
    await fleet.close();
    const ready = await openFleetIn(folder.path);
    const close = async (): Promise<void> => {
      await ready.close();
      await folder.remove();
    };
    return { fleet: ready, close, remove: () => folder.remove() };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Appends admissions and their ends up to `count` entries, a full slice at a time. */
async function lengthen(
  journal: Journal,
  so: { readonly count: number; readonly notes: number; readonly course: Course },
): Promise<void> {
  const { count, notes, course } = so;
  let head = await journal.head();
  let made = 0;
  while (head.seq < count) {
    course.signal.throwIfAborted();
    course.tell(`preparing, entry ${head.seq.toLocaleString("en-US")}`);
    const lives = Math.ceil(Math.min(LIMITS.readEntriesMax, count - head.seq) / (2 + notes));
    const first = made + 1;
    made += lives;
    const outcome = await journal.append(head, (atMs) =>
      Array.from({ length: lives }, (_, index) => lifeOf(first + index, { atMs, notes })).flat(),
    );
    if (outcome.kind === "moved") throw new Error("nobody else writes in a bench");
    head = outcome.entries.at(-1) ?? head;
  }
}

/** The entries of a short life: admission, notes, end. */
function lifeOf(
  number: number,
  { atMs, notes }: { readonly atMs: number; readonly notes: number },
): readonly Draft[] {
  const instance = `w-${number.toString(36).padStart(16, "a")}`;
  const shared = {
    fleet: "f-bench",
    rules: RULES,
    actor: OPERATOR,
    command: null,
  };
  const manifest = {
    version: 1,
    fleet: "f-bench",
    instance,
    name: "short",
    parent: null,
    root: instance,
    depth: 0,
    state: {},
    budget: {},
    regions: ["**"],
    network: "none",
    issued_at_ms: atMs,
    register_by_ms: atMs + 1,
    expires_at_ms: atMs + 1,
    contract_hash: "c",
    key_id: "k",
  } as const;
  const noted = Array.from({ length: notes }, (_, index): Draft => {
    const data = { worker: instance, text: NOTE_TEXT };
    return { ...shared, id: `n-${number}-${index}`, event: { kind: "worker.noted", data } };
  });
  return [
    {
      ...shared,
      id: `a-${number}`,
      event: { kind: "worker.admitted", data: { manifest, reason: "bench", degraded: [] } },
    },
    ...noted,
    {
      ...shared,
      id: `e-${number}`,
      event: {
        kind: "worker.stopped",
        data: {
          worker: instance,
          reason: "completed",
          evidence: { grade: "settled", facts: {} },
          outcome: { exit_code: 0 },
        },
      },
    },
  ];
}

async function readRaw(journal: Journal): Promise<void> {
  let seq = 0;
  for (;;) {
    const rows = await journal.readStored(seq, LIMITS.readEntriesMax);
    for (const { text } of rows) {
      createHash("sha256").update(text).digest("hex");
      JSON.parse(text);
    }
    if (rows.length === 0) return;
    seq += rows.length;
  }
}
