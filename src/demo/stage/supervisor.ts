import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stintFile } from "../task.ts";
import { readRow, type Row } from "../outside/table.ts";
import { Missed, type Awaited } from "./patience.ts";

/** How long a supervisor may take until it serves, ms. */
const SERVES_MS_MAX = 60_000;

/** The rungs of containment that a supervisor can be told to use. */
export type RungName = "cgroup" | "pid-namespace" | "process-group";

/**
 * Starts the supervisor of a state folder on one rung, detached, as `stint run` does it, and waits
 * until it serves. `onStart` is told its process at once, for whoever has to end it if all breaks
 * off. Throws an Error with its own words when it does not come to serve.
 */
export async function startSupervisor(
  stateDir: string,
  rung: RungName,
  onStart: (row: Row) => void,
): Promise<void> {
  const file = join(stateDir, "supervisor.log");
  const log = openSync(file, "a", 0o600);
  const args = [stintFile(), "supervise", "--dir", stateDir, "--rung", rung];
  const child = spawn(process.execPath, args, {
    cwd: stateDir,
    detached: true,
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  const row = child.pid === undefined ? undefined : readRow(child.pid);
  if (row !== undefined) onStart(row);
  const said = await firstLine(child);
  if (said.includes('"ok":true')) return;
  const words = said === "" ? readFileSync(file, "utf8").slice(-500) : said;
  throw new Error(`the supervisor must serve, it does not: ${words.trim()}`);
}

/** What it says first, or "" when it ends without a word. */
async function firstLine(child: ChildProcess): Promise<string> {
  const awaited: Awaited = { what: "the supervisor serves", withinMs: SERVES_MS_MAX };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(new Missed(awaited)), awaited.withinMs);
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
    if (text.includes("\n")) resolve(text);
  });
  child.once("close", () => resolve(text));
  child.once("error", reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.stdout?.destroy();
    child.unref();
  }
}
