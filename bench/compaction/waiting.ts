import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cp, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { RULES } from "../../src/kernel/entry.ts";
import type { Draft, Journal } from "../../src/ports/journal.ts";
import { systemClock } from "../../src/system/clock.ts";
import { makeFolder, OPERATOR } from "../fleet.ts";
import type { Bench, Course, Trials } from "../measure.ts";

const COMPACTING = fileURLToPath(new URL("./compacting.ts", import.meta.url));

/** A tenth of what the target is about, unless asked: a million entries take minutes to write. */
const ENTRIES = Number(process.env["STINT_BENCH_ENTRIES"] ?? 100_000);
const WAIT_MS_MAX = 100;
const AT_ONCE = 500;
/** How often the writer appends, ms: as a fleet that works hard does. */
const EVERY_MS = 5;

/** The longest append beside a compaction of the whole journal, by another process. */
export const compacting: Bench = {
  name: `compaction of ${ENTRIES.toLocaleString("en-US")}: longest append beside it`,
  unit: "ms",
  floorName: "the bar, as a constant",
  target: { ratio: 1, better: "lower" },
  rounds: 3,
  async prepare(course): Promise<Trials> {
    const folder = await makeFolder();
    const origin = `${folder.path}/origin`;
    await fill(origin, course);
    let trialCount = 0;
    const copy = async (): Promise<string> => {
      trialCount += 1;
      const to = `${folder.path}/trial-${trialCount}`;
      await cp(origin, to, { recursive: true });
      await synced(to);
      return to;
    };
    return {
      floor: () => Promise.resolve(WAIT_MS_MAX),
      measure: async () => {
        const trial = await copy();
        return longestAppend(trial, compact(trial));
      },
      close: () => folder.remove(),
    };
  },
};

async function fill(folder: string, course: Course): Promise<void> {
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  for (let count = 0; count < ENTRIES; count += AT_ONCE) {
    course.signal.throwIfAborted();
    course.tell(`${count} of ${ENTRIES} entries`);
    await append(journal, count, AT_ONCE);
  }
  const state = "{}";
  const stateHash = createHash("sha256").update(state).digest("hex");
  await journal.saveSnapshot({ ...(await journal.head()), rules: RULES, state, stateHash });
  await journal.close();
}

/** Waits until the files of a folder are on disk: else an append waits for theirs. */
async function synced(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name), "r+");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

async function compact(folder: string): Promise<void> {
  const args = [...process.execArgv, COMPACTING, folder, String(ENTRIES - 1)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const [moved] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (child.exitCode === 0 && Number(moved) === ENTRIES - 1) return;
  const got = `got "${moved}" and exit ${child.exitCode}`;
  throw new Error(`all but the newest entry must be moved, ${got}`);
}

/** Appends one entry after another until something is over; answers the longest wait, ms. */
async function longestAppend(folder: string, until: Promise<void>): Promise<number> {
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  const over = new AbortController();
  const ended = until.finally(() => over.abort());
  let longestMs = 0;
  for (let count = ENTRIES; !over.signal.aborted; count += 1) {
    const beganMs = performance.now();
    await append(journal, count, 1);
    longestMs = Math.max(longestMs, performance.now() - beganMs);
    await pause(EVERY_MS);
  }
  await ended;
  await journal.close();
  return longestMs;
}

async function append(journal: Journal, from: number, count: number): Promise<void> {
  const drafts = Array.from({ length: count }, (_, index) => draftOf(from + index));
  const outcome = await journal.append(await journal.head(), () => drafts);
  if (outcome.kind === "moved") throw new Error("nobody else writes entries here");
}

/** An entry of about 600 bytes, as most are. */
function draftOf(number: number): Draft {
  const data = { worker: `w-${String(number % 1_000).padStart(16, "a")}`, text: "y".repeat(80) };
  return {
    fleet: "f-benchbenchbench",
    rules: RULES,
    id: `c-${number}`,
    actor: OPERATOR,
    command: { kind: "worker.note", data },
    event: { kind: "worker.noted", data },
  };
}
