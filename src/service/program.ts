import { spawn, type ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { codeOf } from "../ports/error-code.ts";

/** How much of what a program says is kept, bytes: as much as a reason needs. */
const saidBytesMax = 16_384;

/** How long a reason may be, characters. */
const reasonCharsMax = 200;

/** How long what a program has still to say is waited for when it has ended, ms. */
const lastWordsMs = 100;

/** How a program is run. */
export interface ProgramOptions {
  readonly cwd: string;
  /** After so long its process group is killed, ms. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** How a program ended. */
export type Ended =
  | { readonly kind: "exited"; readonly code: number; readonly out: string; readonly err: string }
  | { readonly kind: "signalled"; readonly by: string; readonly err: string }
  | { readonly kind: "not_found"; readonly why: string }
  | { readonly kind: "late" | "given_up" };

/**
 * Runs a program until its first process ends, in a process group of its own, without input and
 * without what names this process's worker, lease or fleet in its environment. What it leaves
 * running runs on; only one that is late or given up is killed with its group. Never rejects.
 */
export async function runProgram(
  [file, ...args]: readonly [string, ...string[]],
  { cwd, deadlineMs, signal }: ProgramOptions,
): Promise<Ended> {
  if (signal?.aborted === true) return { kind: "given_up" };
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const said = { out: "", err: "" };
  const child = spawn(file, args, {
    cwd,
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out = (said.out + text).slice(0, saidBytesMax);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err = (said.err + text).slice(0, saidBytesMax);
  });
  child.once("error", (error) => resolve(notRun(error, file)));
  // Not `close`: a daemon that it leaves behind may hold on to its output for ever.
  child.once("exit", (code, by) => {
    void pause(lastWordsMs).then(() => {
      const { out, err } = said;
      resolve(
        code === null
          ? { kind: "signalled", by: by ?? "a signal", err }
          : { kind: "exited", code, out, err },
      );
    });
  });
  const end = (kind: "late" | "given_up") => (): void => {
    resolve({ kind });
    killGroup(child);
  };
  const timer = setTimeout(end("late"), deadlineMs);
  const giveUp = end("given_up");
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }
}

/** Why a program did not do what it was to do, in one line. */
export function reasonOf(ended: Ended): string {
  switch (ended.kind) {
    case "exited":
      return oneLine(ended.err || ended.out, `it exited with ${ended.code}`);
    case "signalled":
      return oneLine(ended.err, `it was ended by ${ended.by}`);
    case "not_found":
      return ended.why.slice(0, reasonCharsMax);
    case "late":
      return "it did not end in time, and was killed";
    case "given_up":
      return "the call was interrupted, and it was killed";
  }
}

/** What was said last that is not empty, behind how it ended. */
function oneLine(text: string, how: string): string {
  const line = text.split("\n").find((one) => one.trim() !== "");
  return (line === undefined ? how : `${how}: ${line.trim()}`).slice(0, reasonCharsMax);
}

function notRun(error: Error, file: string): Ended {
  const isMissing = ["ENOENT", "ENOTDIR"].includes(codeOf(error));
  const why = isMissing
    ? `there is no program ${file}`
    : `${file} could not be run: ${error.message}`;
  return { kind: "not_found", why };
}

/** A service outlives who starts it, and runs as his user: it is to have nothing of his rights. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("STINT_"));
  return Object.fromEntries(kept);
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended between the look and the signal.
  }
}
