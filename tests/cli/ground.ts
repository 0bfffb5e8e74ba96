// A folder with a fleet of its own, as a user has one, and the command line called in it. What it
// started is ended, and counted by the process table, when the running test is over.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { awaitGone, commandOf, listProcesses, type ProcessRow } from "../support/process-table.ts";
import { startStint, stint, type Answer, type Called, type CallOptions } from "../support/cli.ts";

// Every call is a program of its own: on a busy machine a test of many takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** How long a supervisor and its workers may take to be gone when a test is over, ms. */
const goneMs = 20_000;

/** A fleet in a folder, and calls in it. */
export interface Ground {
  readonly dir: string;
  readonly stateDir: string;
  readonly fleetId: string;
  /** What every call has in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Calls `stint` in the folder. */
  call(args: readonly string[], options?: CallOptions): Promise<Called>;
  /** Calls `stint` as {@link call} does; throws what it printed when it does not exit with 0. */
  done(args: readonly string[], options?: CallOptions): Promise<Called>;
  /** Spawns a worker of a name, or more words and a program after `--`; answers its id. */
  spawn(name: string, ...more: readonly string[]): Promise<string>;
  /** Starts `stint` in the folder; it is the caller's to end. */
  begin(args: readonly string[], options?: CallOptions): ReturnType<typeof startStint>;
  /** The processes whose command line has a text, calls of `stint` left out. */
  processesWith(text: string): readonly ProcessRow[];
  /** Ends the supervisor as a crash would; fails the test when none runs. */
  killSupervisor(): void;
  /** Stops it from running, until the test is over: what it runs lives, and it does nothing. */
  freezeSupervisor(): void;
  /** The process that supervises. Throws when none ever did. */
  supervisorPid(): number;
}

/** What is particular about a ground. */
export interface GroundOptions {
  /** The size of a disk of its own, which needs root. */
  readonly diskBytes?: number;
  /** The `stint.toml` that lies there when the fleet is begun. */
  readonly config?: string;
}

/** Begins a fleet in a fresh folder. */
export async function makeGround(so: GroundOptions = {}): Promise<Ground> {
  const base = mkdtempSync(join(tmpdir(), "stint-cli-"));
  const dir = join(base, "site");
  mkdirSync(dir);
  if (so.diskBytes !== undefined)
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${so.diskBytes}`, "tmpfs", dir]);
  if (so.config !== undefined) writeFileSync(join(dir, "stint.toml"), so.config);
  const env = {
    XDG_RUNTIME_DIR: join(base, "run"),
    XDG_STATE_HOME: join(base, "state"),
    STINT_HOST_ID: "h-tests",
    NO_COLOR: "1",
  };
  const call = (args: readonly string[], options: CallOptions = {}): Promise<Called> =>
    stint(args, { ...options, cwd: options.cwd ?? dir, env: { ...env, ...options.env } });
  const begun = await stint(["init", dir, "--json"], { cwd: base, env });
  demandDone(begun);
  const { fleet_id: fleetId, state_dir: stateDir } = begun.json().data;
  const done = async (args: readonly string[], options?: CallOptions): Promise<Called> =>
    demandDone(await call(args, options));
  const ground: Ground = {
    dir,
    stateDir,
    fleetId,
    env,
    call,
    done,
    spawn: async (name, ...more) => {
      const program = more.includes("--") ? [] : ["--", "sleep", "300"];
      const spawned = await done(["spawn", "--json", "--name", name, ...more, ...program]);
      return spawned.json().data.worker_id;
    },
    begin: (args, options = {}) =>
      startStint(args, { ...options, cwd: options.cwd ?? dir, env: { ...env, ...options.env } }),
    processesWith: (text) => listProcesses().filter(({ pid }) => isOfWorker(pid, text)),
    killSupervisor: () => signalSupervisor(stateDir, "SIGKILL"),
    freezeSupervisor: () => signalSupervisor(stateDir, "SIGSTOP"),
    supervisorPid: () => demandSupervisor(stateDir),
  };
  onTestFinished(async () => {
    await leave(ground);
    // Whatever still had a file open there has been ended.
    if (so.diskBytes !== undefined) execFileSync("umount", ["-l", dir]);
    rmSync(base, { recursive: true, force: true });
  });
  return ground;
}

function demandDone(called: Called): Called {
  if (called.exit === 0) return called;
  throw new Error(`must exit with 0, got ${called.exit}: ${called.stdout}${called.stderr}`);
}

async function leave(ground: Ground): Promise<void> {
  const pid = readSupervisorPid(ground.stateDir);
  if (pid !== undefined && isSupervisor(pid)) process.kill(pid, "SIGCONT");
  await ground.call(["kill", "--reason", "end of test", "--yes", "--json"]);
  if (pid === undefined) return;
  const rows = listProcesses().filter((row) => row.pid === pid && isSupervisor(row.pid));
  for (const row of rows) process.kill(row.pid, "SIGTERM");
  const left = await awaitGone(rows, goneMs);
  for (const row of left) endQuietly(row.pid);
  if (left.length > 0) throw new Error("the supervisor must leave when it is told to");
}

/** The call that runs a command bears its text as well. */
function isOfWorker(pid: number, text: string): boolean {
  const command = commandOf(pid);
  return command.includes(text) && !command.includes("bin/stint.cjs");
}

function isSupervisor(pid: number): boolean {
  return commandOf(pid).includes("supervise");
}

function signalSupervisor(stateDir: string, signal: NodeJS.Signals): void {
  process.kill(demandSupervisor(stateDir), signal);
}

function demandSupervisor(stateDir: string): number {
  const pid = readSupervisorPid(stateDir);
  // Never 0 by mistake: that would be the group of the test itself.
  if (pid === undefined || !isSupervisor(pid)) throw new Error("a supervisor must run here");
  return pid;
}

function readSupervisorPid(stateDir: string): number | undefined {
  const file = join(stateDir, "supervisor.json");
  if (!existsSync(file)) return undefined;
  const { pid } = JSON.parse(readFileSync(file, "utf8")) as { readonly pid: number };
  return pid;
}

/** Ends a process that was listed; its supervisor's death may be quicker. */
function endQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

/** Acquires for an outside party and answers the data; throws when it is refused. */
export async function acquire(
  ground: Ground,
  holder: string,
  ...words: readonly string[]
): Promise<Answer> {
  const typed = ["lease", "acquire", "--holder", holder, ...words, "--json"];
  return (await ground.done(typed)).json().data;
}
