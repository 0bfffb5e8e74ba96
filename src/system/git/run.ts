/*
 * Git as a program, with nothing of its user's, and with an end to what it takes: what it reads may
 * have been written by a worker, and git believes what an object says of its size.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { devNull } from "node:os";

/**
 * What each process of git may use. Memory is what it allocates, for which packs that are mapped
 * do not count; they count for addresses.
 */
const memoryKib = 768 * 2 ** 10;
const addressKib = 8 * 2 ** 20;
const processorSeconds = 90;

/** How long git may take, ms, unless it is told otherwise. */
const gitMs = 120_000;

const complaintCharsMax = 500;

/** What git is told to do without, whatever a configuration says. */
const NEUTRAL = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.alternateRefsCommand=true",
  "transfer.fsckObjects=true",
  "fetch.fsckObjects=true",
  "fetch.recurseSubmodules=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "protocol.allow=never",
];

/**
 * How git works within its limits: files larger than some MiB pass through it in parts, and of a
 * pack it has some parts in view. Each is a name in a section with its value.
 */
export const FRUGAL: readonly (readonly [section: string, name: string, value: string])[] = [
  ["core", "bigFileThreshold", "32m"],
  ["core", "packedGitWindowSize", "32m"],
  ["core", "packedGitLimit", "1g"],
  ["core", "deltaBaseCacheLimit", "64m"],
  ["pack", "threads", "1"],
  ["pack", "windowMemory", "64m"],
  ["pack", "deltaCacheSize", "64m"],
];

/** A run of git. */
export interface GitRun {
  /** What it is to do, and with what. */
  readonly args: readonly string[];
  /** Settings that it has besides, each `NAME=VALUE`. */
  readonly settings?: readonly string[];
  /** What its environment has besides. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Hears what it says, as it comes. */
  readonly onOutput?: (chunk: Buffer) => void;
  /** Ends it, with all that it has started. */
  readonly signal?: AbortSignal | undefined;
  /** How long it may take, ms; 2 minutes by default. */
  readonly withinMs?: number;
}

/**
 * Runs git to its end, without its user's configuration. Each of its processes has 768 MiB of
 * memory and 90 s of processor time. Throws what it complained of, or what it took too much of; the
 * reason of its signal once that has fired.
 */
export async function runGit(so: GitRun): Promise<void> {
  const { args, withinMs = gitMs, signal } = so;
  signal?.throwIfAborted();
  const child = begin(so);
  let isLate = false;
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString("utf8")).slice(-complaintCharsMax);
  });
  if (so.onOutput !== undefined) child.stdout?.on("data", so.onOutput);
  // What it does not read it has not asked for.
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(so.input ?? "");
  const onAbort = (): void => endGroup(child);
  signal?.addEventListener("abort", onAbort, { once: true });
  const late = setTimeout(() => {
    isLate = true;
    endGroup(child);
  }, withinMs);
  try {
    const end = await endOf(child);
    if (end === "code 0") return;
    signal?.throwIfAborted();
    const limits = `of ${memoryKib / 2 ** 10} MiB of memory and ${processorSeconds} s of processor`;
    const why = isLate ? `it took longer than ${withinMs / 1_000} s` : plain(said) || end;
    throw new Error(`git ${verbOf(args)}, within its limits ${limits}: ${why}`);
  } finally {
    clearTimeout(late);
    signal?.removeEventListener("abort", onAbort);
  }
}

/**
 * Limits itself and becomes git. A limit that is not ours to set has to be as low already. At the
 * soft limit of processor time git is ended by SIGXCPU, which tells it apart.
 */
const SCRIPT = `
limit() { ulimit "$1" "$2" 2> /dev/null || [ "$(ulimit "$1")" -le "$2" ]; }
if limit -d "$1" && limit -v "$2" && limit -t "$(($3 + 5))"; then
  ulimit -S -t "$3" 2> /dev/null
  shift 3
  exec git "$@"
fi
echo 'its memory and processor time could not be limited' >&2
exit 1`;

function begin({ args, settings = [], env = {}, cwd = "/", onOutput }: GitRun): ChildProcess {
  const frugal = FRUGAL.map(([section, name, value]) => `${section}.${name}=${value}`);
  const told = [...NEUTRAL, ...frugal, ...settings].flatMap((setting) => ["-c", setting]);
  const limits = [memoryKib, addressKib, processorSeconds].map(String);
  return spawn("/bin/sh", ["-c", SCRIPT, "stint-git", ...limits, ...told, ...args], {
    cwd,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: devNull,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: devNull,
      GIT_TERMINAL_PROMPT: "0",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_NO_LAZY_FETCH: "1",
      LC_ALL: "C",
      ...env,
    },
    stdio: ["pipe", onOutput === undefined ? "ignore" : "pipe", "pipe"],
    // A group of its own: what git starts is ended with it.
    detached: true,
  });
}

/** Resolves to how it ended, when it has said all. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    // What serves a git that has failed has nobody to serve.
    child.once("exit", (code) => {
      if (code !== 0) endGroup(child);
    });
    child.once("close", (code, signal) => {
      resolve(signal === null ? `code ${code}` : `it was ended by ${signal}`);
    });
  });
}

function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // ESRCH: all of it has ended.
  }
}

/** One line of what it said; some of it are a worker's own words. */
function plain(said: string): string {
  return said.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
}

/** What git is told to do: the first word that is no option, nor the value of one. */
function verbOf(args: readonly string[]): string {
  const at = args.findIndex(
    (word, n) => !word.startsWith("-") && !/^--(git-dir|work-tree)$/.test(args[n - 1] ?? ""),
  );
  return args[at] ?? "";
}
