// A process that nobody can end for a while: it stands in a freezer of the host, not of Stint. A
// signal to end it waits until it is let go, as with one that hangs in a broken file system.
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { awaitGone, type ProcessRow } from "../support/process-table.ts";
import { needs } from "../support/require-all.ts";

// Version 1: what is frozen by version 2 can be killed.
const FREEZER = "/sys/fs/cgroup/freezer";

/** How long what was let go may take to die of the signals that have come meanwhile, ms. */
const dieWithinMs = 10_000;

/** Processes that cannot be ended. */
export interface Unkillable {
  /** Lets them go, and waits until they are gone: somebody must have tried to end them. */
  letGo(): Promise<void>;
}

/** Skips the running test loudly where no process can be made so. */
export function needsFreezer(): void {
  const isWritable = process.getuid?.() === 0 && existsSync(join(FREEZER, "cgroup.procs"));
  needs(isWritable, "a process is made unkillable by the freezer of cgroups version 1, as root");
}

/** Makes processes unkillable until they are let go, at the latest when the test is over. */
export async function makeUnkillable(rows: readonly ProcessRow[]): Promise<Unkillable> {
  const folder = join(FREEZER, `stint-test-${randomUUID()}`);
  mkdirSync(folder);
  const state = join(folder, "freezer.state");
  const letGo = async (): Promise<void> => {
    if (!existsSync(folder)) return;
    writeFileSync(state, "THAWED");
    expect(await awaitGone(rows, dieWithinMs)).toEqual([]);
    await expect.poll(() => readFileSync(join(folder, "cgroup.procs"), "utf8")).toBe("");
    rmdirSync(folder);
  };
  onTestFinished(letGo);
  for (const { pid } of rows) writeFileSync(join(folder, "cgroup.procs"), String(pid));
  writeFileSync(state, "FROZEN");
  await expect.poll(() => readFileSync(state, "utf8").trim()).toBe("FROZEN");
  return { letGo };
}
