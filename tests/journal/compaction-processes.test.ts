import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import { systemClock } from "../../src/system/clock.ts";
import { seededRandom } from "../../src/testing/seeded-random.ts";
import { needs } from "../support/require-all.ts";
import { Child } from "./fixtures/child.ts";
import { freshFolder } from "./fixtures/folder.ts";
import { fillNotes, readAll } from "./fixtures/noted.ts";

const APPENDER = new URL("./fixtures/appender.ts", import.meta.url);
const COMPACTING = new URL("./fixtures/compacting.ts", import.meta.url);
const CRAMPED = new URL("./fixtures/cramped.ts", import.meta.url);
const READING = new URL("./fixtures/reading.ts", import.meta.url);

const children: Child[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.signal("SIGKILL");
    await child.end();
  }
});

function start(program: URL, ...args: readonly string[]): Child {
  const child = new Child(program, args);
  children.push(child);
  return child;
}

test("[CO12] compactions are killed beside a writer and a reader (leases H44)", async () => {
  const { folder, untilSeq, stored } = await fillNotes(freshFolder(), 2_000);
  const writer = start(APPENDER, folder, "writer", "1000000", "2");
  const reader = start(READING, folder);
  await Promise.all([writer.said(1), reader.said(1)]);
  const seed = Date.now();
  const random = seededRandom(seed);
  const ends: (string | number | null)[] = [];
  for (let round = 0; round < 40 && !ends.includes(0); round += 1) {
    const compacting = start(COMPACTING, folder, String(untilSeq), "500");
    await compacting.said(1);
    // Later and later, so that the last is let go to its end.
    await Promise.race([compacting.end(), pause(random.below(20 * (round + 1)))]);
    compacting.signal("SIGKILL");
    ends.push(await compacting.end());
  }
  expect(ends.at(-1), `seed ${seed}`).toBe(0);
  expect(ends.filter((end) => end === "SIGKILL").length).toBeGreaterThan(0);
  // Both have gone on all the while, and still do.
  expect([writer.process.exitCode, reader.process.exitCode]).toEqual([null, null]);
  await reader.said(2);
  writer.signal("SIGKILL");
  reader.signal("SIGKILL");
  await Promise.all([writer.end(), reader.end()]);

  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  await verifyJournal(journal, { verifySignature: () => false });
  const now = await readAll(journal);
  expect(now.slice(0, stored.length)).toEqual(stored);
  const hashes = new Map(now.map(({ seq, hash }) => [seq, hash]));
  const acks = (await writer.output).split("\n").slice(0, -1);
  expect(acks.length).toBeGreaterThan(10);
  for (const ack of acks) {
    const [seq, hash] = ack.split(" ");
    expect([seq, hashes.get(Number(seq))]).toEqual([seq, hash]);
  }
  const segments = await journal.segments();
  expect(segments.at(-1)?.last.seq).toBe(untilSeq);
  await journal.close();
}, 300_000);

test("[CO13] several processes that compact at once make one archive (leases H45)", async () => {
  const { folder, untilSeq, stored } = await fillNotes(freshFolder(), 1_000);
  const several = Array.from({ length: 4 }, () =>
    start(COMPACTING, folder, String(untilSeq), "100"),
  );
  for (const one of several) expect(await one.end()).toBe(0);
  const said = (await Promise.all(several.map((one) => one.output))).map(
    (output) => output.trimEnd().split("\n").at(-1) ?? "",
  );
  for (const last of said) expect(last).toMatch(/^(done \d+|fault storage_busy )/);
  const moved = said.map((last) => Number(/^done (\d+)/.exec(last)?.[1] ?? 0));
  expect(moved.reduce((sum, count) => sum + count, 0)).toBe(untilSeq);
  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  await verifyJournal(journal, { verifySignature: () => false });
  expect(await readAll(journal)).toEqual(stored);
  expect(await journal.segments()).toHaveLength(Math.ceil(untilSeq / 100));
  await journal.close();
}, 60_000);

/** Runs a command in a mount namespace of its own, as root of it: what it mounts ends with it. */
const IN_NAMESPACE = ["unshare", "--map-root-user", "--mount", "--"];

interface Room {
  /** In KiB. */
  readonly room: number;
  readonly said: string;
  readonly hasBegun: boolean;
  readonly wrote: string;
  readonly files: readonly string[];
  readonly isWhole: boolean;
}

/** Compacts 400 entries of a journal on a small disk, once with each of some rooms, in KiB. */
async function compactCramped(
  origin: string,
  when: "first" | "meanwhile",
  rooms: readonly number[],
): Promise<readonly Room[]> {
  const disk = join(freshFolder(), "disk");
  mkdirSync(disk);
  const [command = "", ...args] = IN_NAMESPACE;
  const tried = spawnSync(command, [...args, "mount", "-t", "tmpfs", "none", disk]);
  needs(tried.status === 0, "a small tmpfs cannot be mounted: no mount namespaces here");
  const mount = `mount -t tmpfs -o size=48m none ${disk} && exec "$@"`;
  const so = [disk, origin, "400", when, ...rooms.map(String)];
  const cramped = new Child(CRAMPED, so, [...IN_NAMESPACE, "sh", "-c", mount, "sh"]);
  children.push(cramped);
  expect(await cramped.end()).toBe(0);
  const lines = (await cramped.output).trimEnd().split("\n");
  const found = lines.map((line) => JSON.parse(line) as Room);
  expect(found.map(({ room }) => room)).toEqual(rooms);
  expect(found.filter(({ isWhole }) => !isWhole)).toEqual([]);
  return found;
}

/** As many KiB as a compaction never takes. */
const LEFT = 4_096;

test("[CO14] a disk that gets full at any step of a compaction loses nothing", async () => {
  const { folder } = await fillNotes(freshFolder(), 420);
  const rooms = [0, 16, 32, 48, 64, 96, 128, 256, 512, 1_024, 30_000];
  const found = await compactCramped(folder, "meanwhile", rooms);
  // The disk was large enough at first, and what it was checked for is gone.
  expect(found.map(({ said }) => said)).toEqual([
    ...rooms.slice(0, -1).map(() => "storage_full"),
    "moved 400",
  ]);
  expect(found.slice(0, -1).map(({ files }) => files)).toEqual(rooms.slice(1).map(() => ["lock"]));
}, 120_000);

test("[CO26] a compaction begins only where it leaves room for others", async () => {
  // The segment of the first 150 has more than a megabyte; 18 MiB are wanted besides it.
  const { folder } = await fillNotes(freshFolder(), 420, 2_000);
  const rooms = [512, LEFT, 18_000, 19_000, 30_000];
  const found = await compactCramped(folder, "first", rooms);
  const full = "storage_full";
  expect(found.map(({ said }) => said)).toEqual([full, full, full, full, "moved 400"]);
  expect(found.map(({ hasBegun }) => hasBegun)).toEqual([false, false, false, false, true]);
  expect(found.map(({ wrote }) => wrote)).toEqual(rooms.map(() => "wrote"));
  const nothing = [["lock"], ["lock"], ["lock"], ["lock"]];
  expect(found.slice(0, -1).map(({ files }) => files)).toEqual(nothing);
}, 120_000);

test("[CO26] a segment of which no row could be moved gives its room back", async () => {
  const { folder } = await fillNotes(freshFolder(), 420);
  // Killed right after the first segment was recorded.
  const compacting = start(COMPACTING, folder, "400", "150", "after", "7");
  expect(await compacting.end()).toBe("SIGKILL");
  expect((await compacting.output).trimEnd().split("\n").at(-1)).toBe("7 commit");
  const found = await compactCramped(folder, "first", [256, LEFT - 64, LEFT + 2_048]);
  expect(found.map(({ said }) => said)).toEqual(found.map(() => "storage_full"));
  expect(found.map(({ wrote }) => wrote)).toEqual(found.map(() => "wrote"));
  // With room to move them it stays, and the next is not begun.
  const moved = "0000000000000001-0000000000000150.jsonl";
  expect(found.map(({ files }) => files)).toEqual([["lock"], ["lock"], [moved, "lock"]]);
}, 120_000);
