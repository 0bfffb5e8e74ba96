import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import { LIMITS } from "../../src/kernel/limits.ts";
import { GENESIS } from "../../src/ports/journal.ts";
import { systemClock } from "../../src/system/clock.ts";
import { appendAll, noteDraft } from "../../src/testing/journal/case.ts";
import { Child } from "./fixtures/child.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { killRounds } from "./fixtures/kill-rounds.ts";

const APPENDER = new URL("./fixtures/appender.ts", import.meta.url);
const STOPPER = new URL("./fixtures/stopper.ts", import.meta.url);

const children: Child[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.signal("SIGKILL");
    await child.end();
  }
});

function start(program: URL, ...args: string[]): Child {
  const child = new Child(program, args);
  children.push(child);
  return child;
}

test("[JN16] eight processes at once write one chain (replication A2)", async () => {
  const folder = freshFolder();
  const writers = Array.from({ length: 8 }, (_, index) =>
    start(APPENDER, folder, `${index}`, "25", "2"),
  );
  for (const writer of writers) expect(await writer.end()).toBe(0);
  const acks = (await Promise.all(writers.map((writer) => writer.output))).flatMap((output) =>
    output.trimEnd().split("\n"),
  );
  expect(acks).toHaveLength(200);

  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  await verifyJournal(journal, { verifySignature: () => false });
  const entries = await journal.read(GENESIS, LIMITS.readEntriesMax);
  expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
  for (const ack of acks) {
    const [seq = "", hash, id, expected] = ack.split(" ");
    expect(entries[Number(seq) - 1]).toMatchObject({ hash, id });
    // It was decided on the very head it stands on.
    expect(Number(expected)).toBe(Number(seq) - 1);
  }
  await journal.close();
}, 60_000);

test("[JN17] what killed writers acknowledged is there, whole (replication B8)", async () => {
  const ackCount = await killRounds({ folder: freshFolder(), roundCount: 20, seed: Date.now() });
  // A round may be cut off before its first acknowledgement, but not all of them.
  expect(ackCount).toBeGreaterThan(20);
}, 60_000);

test("[CK12] a process stopped on the way to its commit decides anew", async () => {
  const moments = ["before reading 1", "after reading 1", "in make", "before reading 2"];
  const reports = await Promise.all(moments.map((moment) => stopAndGoOn(moment)));
  expect(reports.map((report) => report.makeCount)).toEqual([1, 2, 2, 2]);
  for (const { atMs, resumedAtMs, wallMs } of reports) {
    // Journal time began with the wall clock; both went on together.
    expect(atMs).toBeGreaterThanOrEqual(resumedAtMs - 50);
    expect(atMs).toBeLessThanOrEqual(wallMs + 50);
  }
}, 20_000);

interface StopReport {
  readonly makeCount: number;
  readonly atMs: number;
  readonly wallMs: number;
  readonly resumedAtMs: number;
}

/** Stops an append at this moment for longer than a decision may age, then lets it go on. */
async function stopAndGoOn(moment: string): Promise<StopReport> {
  const stopper = start(STOPPER, freshFolder(), moment);
  await stopper.stopped();
  // What is tested is the passing of time itself, on the clocks of the host.
  await pause(LIMITS.decisionAgeMsMax + 100);
  const resumedAtMs = Date.now();
  stopper.signal("SIGCONT");
  expect(await stopper.end()).toBe(0);
  return { ...(JSON.parse(await stopper.output) as StopReport), resumedAtMs };
}

test("[JN25] a writer frozen with the lock in its hand blocks nobody's event loop", async () => {
  const folder = freshFolder();
  const clock = systemClock();
  const holder = start(STOPPER, folder, "in make");
  await holder.stopped();

  const journal = await openSqliteJournal({ folder, clock, busyMs: 1_000 });
  expect(await journal.head()).toEqual(GENESIS);
  let longestMs = 0;
  let lastAtMs = performance.now();
  const ticking = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastAtMs);
    lastAtMs = performance.now();
  }, 1);
  const append = appendAll(journal, [noteDraft("c-1", "mine")]);
  await expect(append).rejects.toMatchObject({ code: "storage_busy", retryable: true });
  clearInterval(ticking);
  // The last tick may still be due.
  longestMs = Math.max(longestMs, performance.now() - lastAtMs);
  expect(longestMs).toBeLessThan(500);

  holder.signal("SIGCONT");
  expect(await holder.end()).toBe(0);
  const [entry] = await appendAll(journal, [noteDraft("c-1", "mine")]);
  expect(entry?.seq).toBe(2);
  await journal.close();
}, 20_000);

test("[JN12] a watcher is told of what another process appends", async () => {
  const folder = freshFolder();
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  const told = Promise.withResolvers<void>();
  journal.watch(() => {
    void journal.head().then(({ seq }) => seq === 3 && told.resolve());
  });
  const writer = start(APPENDER, folder, "a", "1", "3");
  await told.promise;
  expect(await writer.end()).toBe(0);
  await journal.close();
});
