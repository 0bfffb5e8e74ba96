import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Fault, FAULT_CODES, type FaultCode } from "../ports/fault.ts";
import { isPlainObject } from "../protocol/input.ts";
import type { Supervision } from "../ports/supervision.ts";
import { statePlaces } from "../system/places.ts";
import { connectSupervisor } from "./supervisor.ts";

/** How long a supervisor may take until it answers, ms: it first sweeps what another has left. */
const startMs = 15_000;

/** How often it is asked whether another one that was started at the same time answers, ms. */
const askEveryMs = 50;

/** How much of the log is shown when none came to answer, bytes. */
const tailBytes = 2_000;

/** How much a supervisor may say before it serves, bytes. */
const lineBytesMax = 65_536;

/** What a supervisor must not have of whoever happens to start it: what names worker or lease. */
const NOT_INHERITED = [
  "STINT_WORKER_TOKEN_FILE",
  "STINT_INSTANCE",
  "STINT_FLEET",
  "STINT_SANDBOX",
  // It lives long, and whoever runs as its user can read its environment.
  "STINT_LEASE_TOKEN",
  "STINT_LEASE_TOKEN_FILE",
  "STINT_LEASE_ID",
  "STINT_LEASE_FENCE",
];

/** How a supervisor is started. */
export interface StartSupervisorOptions {
  /** The state folder of the fleet; it must hold one. */
  readonly stateDir: string;
  /** How Stint's command line is run; `supervise --dir STATE_DIR` is added to it. */
  readonly command: readonly [string, ...string[]];
}

/**
 * Starts the supervisor of a fleet, detached, and connects to it; of several that are started at
 * once one remains, and all callers are connected to that one. It outlives this process.
 *
 * Throws the fault that it could not serve for, and `Fault` `supervisor_unreachable` with the end
 * of its log when it did not say so within 15 s.
 */
export async function startSupervisor({
  stateDir,
  command,
}: StartSupervisorOptions): Promise<Supervision> {
  const deadlineAtMs = performance.now() + startMs;
  const running = await connectAnswering(stateDir);
  if (running !== undefined) return running;
  const { said, exitCode } = await untilSaid(launch(stateDir, command), startMs);
  if (isPlainObject(said) && said["ok"] === false) throwFailure(said["error"]);
  // What was started may have found another one that is about to serve: then that is the one.
  const mayCome = said !== undefined || exitCode === 0;
  for (const untilMs = mayCome ? deadlineAtMs : 0; ; await pause(askEveryMs)) {
    const supervision = await connectAnswering(stateDir);
    if (supervision !== undefined) return supervision;
    if (performance.now() >= untilMs) break;
  }
  const tail = await readTail(statePlaces(stateDir).log);
  const words = tail === "" ? "its log is empty" : `its log ends: ${tail}`;
  const what = typeof exitCode === "number" ? `it ended with ${exitCode}` : "it does not";
  const message = `a supervisor must serve within ${startMs} ms of its start, ${what}: `;
  throw new Fault("supervisor_unreachable", message + words, { retryable: true });
}

/** Connects to a supervisor that answers: one that is dying takes connections to the last. */
async function connectAnswering(stateDir: string): Promise<Supervision | undefined> {
  const supervision = await connectSupervisor({ stateDir });
  try {
    await supervision?.status();
    return supervision;
  } catch {
    // It hangs or is gone: a successor finds out which.
    await supervision?.close();
    return undefined;
  }
}

function launch(
  stateDir: string,
  [program, ...args]: readonly [string, ...string[]],
): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.includes(name));
  // A supervisor that breaks before its log is open says so on stderr: that goes there, too.
  const log = openSync(statePlaces(stateDir).log, "a", 0o600);
  try {
    return spawn(program, [...args, "supervise", "--dir", stateDir], {
      // It must not keep the folder busy in which somebody happened to start it.
      cwd: stateDir,
      env: Object.fromEntries(inherited),
      detached: true,
      stdio: ["ignore", "pipe", log],
    });
  } finally {
    closeSync(log);
  }
}

/** What came of the start: its one line as JSON, and the exit code of one that ended. */
interface Word {
  /** Undefined when it said nothing, or nothing that is JSON. */
  readonly said?: unknown;
  readonly exitCode?: number | null;
}

/** Waits for its one line, its end or the time to be up. After that it keeps us no longer. */
async function untilSaid(child: ChildProcess, withinMs: number): Promise<Word> {
  const { promise, resolve } = Promise.withResolvers<Word>();
  const timer = setTimeout(() => resolve({}), withinMs);
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
    const end = text.indexOf("\n");
    if (end >= 0 || text.length > lineBytesMax) resolve({ said: parse(text.slice(0, end)) });
  });
  child.once("close", (exitCode) => resolve({ said: parse(text), exitCode }));
  child.once("error", () => resolve({}));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    child.stdout?.destroy();
    child.unref();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Whatever it was, whether it serves is what counts.
    return undefined;
  }
}

function throwFailure(error: unknown): void {
  if (!isPlainObject(error)) return;
  const { code, message, retryable } = error;
  if (!(FAULT_CODES as readonly unknown[]).includes(code)) return;
  const text = typeof message === "string" ? message : "the supervisor did not say why";
  throw new Fault(code as FaultCode, text, { retryable: retryable === true });
}

/** The end of a file as text, or "" where nothing can be read. */
async function readTail(path: string): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const position = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(tailBytes), 0, tailBytes, position);
    return buffer.toString("utf8", 0, bytesRead).trim();
  } catch {
    // It never came to write one.
    return "";
  }
}
