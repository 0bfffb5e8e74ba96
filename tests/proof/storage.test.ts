// Leases on a store that has no room left. What is durable is read by another process, later.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFleet, sqlite } from "stint";
import { expect, onTestFinished, test } from "vitest";
import { LIMITS } from "../../src/kernel/limits.ts";
import { needs } from "../support/require-all.ts";
import { FROM_SOURCE } from "../support/from-source.ts";
import { makeSite } from "./contest.ts";
import { auditLeases, readEntries } from "./outside-journal.ts";

const PROGRAM = join(import.meta.dirname, "filler.case.ts");

/** What became of a process that takes leases until there is no room. */
interface Filled {
  readonly codes: readonly string[];
  /** The leases that it was told it has. */
  readonly told: readonly string[];
  /** How long each of the failed ones took, ms. */
  readonly failedMs: readonly number[];
  /** Those that it saw when the disk was full. */
  readonly live: readonly string[];
}

/** Runs that process, by a command that runs it in turn. */
function fill(within: readonly string[], args: readonly string[]): Filled {
  const [command = "", ...rest] = [...within, process.execPath, FROM_SOURCE, PROGRAM, ...args];
  const ran = spawnSync(command, rest, { encoding: "utf8", timeout: 100_000 });
  expect({ status: ran.status, stderr: ran.stderr }).toMatchObject({ status: 0 });
  return JSON.parse(ran.stdout) as Filled;
}

test("[LP5] on a full disk no grant is told that is not durable (leases H08)", async () => {
  needs(process.getuid?.() === 0, "a small disk is mounted, which needs root");
  const disk = mkdtempSync(join(tmpdir(), "stint-proof-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk]);
  expect(mounted.status).toBe(0);
  onTestFinished(() => {
    spawnSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  });
  const stateDir = await makeSite(disk);
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, Buffer.alloc(300_000));
  const { codes, told, live } = fill([], [stateDir, ballast]);
  expect(codes).toEqual(["storage_full", "storage_full"]);
  expect(told.length).toBeGreaterThan(10);
  // Who was refused for want of room holds nothing; whoever was told so before has it still.
  expect(live).toEqual(told.slice(0, -1));
  const audit = auditLeases(readEntries(stateDir));
  expect([...audit.leases.keys()]).toEqual(told);
  expect(audit.wrongs).toEqual([]);
}, 120_000);

test("[LP6] a grant that failed halfway is found, or is none, and ends (leases H53)", async () => {
  const stateDir = await makeSite();
  // In blocks of 512 bytes: the write-ahead log may grow to half a megabyte.
  const within = ["sh", "-c", 'ulimit -f 1024 && exec "$@"', "sh"];
  const { codes, told, failedMs } = fill(within, [stateDir]);
  // Whoever asked is told soon, however long the disk goes on to fail.
  expect(Math.max(...failedMs)).toBeLessThan(3 * LIMITS.appendUnknownMs);
  expect(codes[0]).toMatch(/^(append_unknown|storage_full|storage_failed)$/);
  expect(told.length).toBeGreaterThan(10);
  const audit = auditLeases(readEntries(stateDir));
  const durable = [...audit.leases.values()];
  expect(durable.map(({ id }) => id).slice(0, told.length)).toEqual(told);
  // Not known means that the last one may be there; it has an end like every other.
  expect(durable.length - told.length).toBeLessThanOrEqual(1);
  expect(durable.every(({ endsAtMs }) => Number.isSafeInteger(endsAtMs))).toBe(true);

  // Whoever asks again under the same name gets it, whichever it was, and once.
  const fleet = await openFleet({ store: sqlite({ dir: stateDir }) });
  onTestFinished(() => fleet.close());
  const holder = `${told.length} ${"x".repeat(200)}`;
  const again = await fleet.acquire({ holder, region: `part-${told.length}/**` });
  expect(again.id).toBe(durable[told.length]?.id ?? again.id);
  expect(auditLeases(readEntries(stateDir)).leases.size).toBe(told.length + 1);
}, 120_000);
