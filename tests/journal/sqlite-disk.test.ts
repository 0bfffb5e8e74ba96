import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { verifyJournal } from "../../src/journal/verify.ts";
import { systemClock } from "../../src/system/clock.ts";
import { needs } from "../support/require-all.ts";
import { Child } from "./fixtures/child.ts";
import { freshFolder } from "./fixtures/folder.ts";

const FILLER = new URL("./fixtures/filler.ts", import.meta.url);
const LIMITED = new URL("./fixtures/limited.ts", import.meta.url);

/** Runs a command in a mount namespace of its own, as root of it: what it mounts ends with it. */
const IN_NAMESPACE = ["unshare", "--map-root-user", "--mount", "--"];

function mayMount(folder: string): boolean {
  const [command = "", ...args] = IN_NAMESPACE;
  const mounted = spawnSync(command, [...args, "mount", "-t", "tmpfs", "none", folder]);
  return mounted.status === 0;
}

interface Filled {
  readonly codes: readonly string[];
  readonly fullSeq: number;
  readonly headWhenFull: number;
  readonly another: string;
  readonly verifiedSeq: number;
  readonly reopenedSeq: number;
}

test("[JN24] a full disk is storage_full, loses nothing, and goes on with room", async () => {
  const disk = join(freshFolder(), "disk");
  mkdirSync(disk);
  needs(mayMount(disk), "a small tmpfs cannot be mounted: no mount namespaces here");

  const mount = `mount -t tmpfs -o size=2m none ${disk} && exec "$@"`;
  const within = [...IN_NAMESPACE, "sh", "-c", mount, "sh"];
  const filler = new Child(FILLER, [join(disk, "state"), join(disk, "ballast")], within);
  expect(await filler.end()).toBe(0);
  const report = JSON.parse(await filler.output) as Filled;
  expect(report.codes).toEqual(["storage_full", "storage_full"]);
  expect(report.fullSeq).toBeGreaterThan(10);
  expect(report.headWhenFull).toBe(report.fullSeq);
  expect(report.another).toBe("storage_full");
  expect(report.verifiedSeq).toBe(report.fullSeq + 1);
  expect(report.reopenedSeq).toBe(report.fullSeq + 1);
}, 20_000);

test("[JN29] a COMMIT that fails halfway is append_unknown, and loses nothing", async () => {
  const folder = freshFolder();
  // In blocks of 512 bytes: the write-ahead log may grow to a megabyte.
  const within = ["sh", "-c", 'ulimit -f 2048 && exec "$@"', "sh"];
  const limited = new Child(LIMITED, [folder], within);
  expect(await limited.end()).toBe(0);
  const { ackedSeq, ...fault } = JSON.parse(await limited.output) as { ackedSeq: number };
  expect(fault).toEqual({ code: "append_unknown", retryable: true });
  expect(ackedSeq).toBeGreaterThan(10);

  const journal = await openSqliteJournal({ folder, clock: systemClock() });
  const { head } = await verifyJournal(journal, { verifySignature: () => false });
  await journal.close();
  // Unknown means that the last one may be there.
  expect([ackedSeq, ackedSeq + 1]).toContain(head.seq);
}, 20_000);
