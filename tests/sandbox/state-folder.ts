// A state folder with a driver over it, cleared away after each test, whatever it left running.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { environmentOf, listProcesses } from "../support/process-table.ts";
import type { Ending, Sandbox } from "../../src/ports/sandbox.ts";
import {
  openProcessSandbox,
  type ProcessSandboxOptions,
} from "../../src/sandbox/process/process-sandbox.ts";
import { type Case, needsRung } from "./rungs.ts";

/** The folder of the small programs that these tests run. */
export const fixtures = join(import.meta.dirname, "fixtures");

/** What a test works with; made anew for each. */
export interface Ground {
  folder: string;
  /** Unlike any other test's: marks are told apart by it, and test files run side by side. */
  fleet: string;
  sandbox: Sandbox;
  /** Opens another driver over the same folder; closed after the test. */
  open(options?: Partial<ProcessSandboxOptions>): Promise<Sandbox>;
}

/**
 * Gives each test of a file, or of a `describe`, a folder, a fleet and a driver of its own, and
 * ends what is left. On a rung that does not work here its tests are skipped loudly.
 */
export function useGround(on?: Case): Ground {
  const opened: Sandbox[] = [];
  const ground: Ground = {
    folder: "",
    fleet: "",
    sandbox: undefined as unknown as Sandbox,
    async open(options = {}) {
      const base = { stateFolder: ground.folder, fleet: ground.fleet, ...on?.options };
      const sandbox = await openProcessSandbox({ ...base, ...options });
      opened.push(sandbox);
      return sandbox;
    },
  };
  beforeEach(async () => {
    if (on !== undefined) await needsRung(on);
    ground.fleet = `f-${randomBytes(8).toString("hex")}`;
    ground.folder = mkdtempSync(join(tmpdir(), "stint-sandbox-"));
    ground.sandbox = await ground.open();
  });
  afterEach(async () => {
    // Where the host cannot do what a test needs there was never a driver.
    if (opened.length === 0) return;
    for (const { instance } of await ground.sandbox.list()) await kill(ground.sandbox, instance);
    for (const sandbox of opened.splice(0)) await sandbox.close();
    rmSync(ground.folder, { recursive: true });
  });
  return ground;
}

/** The processes that bear the marks of a fleet, counted from outside. */
export function marked(fleet: string): number[] {
  const mark = `STINT_FLEET=${fleet}`;
  return listProcesses()
    .filter((row) => environmentOf(row.pid).includes(mark))
    .map((row) => row.pid);
}

/** Stops an instance without asking it first. */
export function kill(sandbox: Sandbox, instance: string): Promise<Ending | undefined> {
  return sandbox.stop(instance, { graceMs: 0, deadlineMs: 10_000, by: "test" });
}
