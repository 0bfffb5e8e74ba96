// A worker's process exists before its program does:
//
//     starter                         launcher (/bin/sh, in a group and session of its own)
//     spawn ────────────────────────▶ waits for a line on descriptor 3
//     write its pid to the record
//     say "go" ─────────────────────▶ joins its control group, if it has one, then looks for the
//                                     permits, then becomes the program, or what encloses it
//
// If the starter dies before it says "go", the launcher reads the end of the pipe and exits, and
// nothing ran. The permits are looked at by the launcher, when the process table already shows it:
// whoever removes a permit and then sweeps finds the launcher, or the launcher finds no permit.
//
// On the upper rungs it becomes the program that sets the namespaces up, and the keeper in them
// goes on from there (see rung/keeper.ts).

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ok } from "../../kernel/assert.ts";
import type { SandboxSpec } from "../../ports/sandbox.ts";
import { Fault } from "../../ports/fault.ts";
import { OWN_FILES } from "../folder/notes.ts";
import { keeperCommand } from "./rung/keeper.ts";
import type { Nest } from "./rung/nest.ts";
import { isBelow } from "../folder/paths.ts";
import { SYSTEM_PATH } from "./rung/programs.ts";

/** How long a start waits to see the launcher become the program, ms. */
export const EXEC_MS = 5_000;

/** How often it looks, ms. */
export const LOOK_EVERY_MS = 1;

/** How much of a launcher's complaint is put into a fault, characters. */
const complaintCharsMax = 500;

/** How much of a program's name or working directory is put into a fault, characters. */
const shownCharsMax = 200;

/** What a program gets from the environment of its starter, where it is set there. */
const INHERITED = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"];

// The trap tells a launcher that failed from a program that exited by itself with the same code.
// bash drops its traps before an exec that fails, unless it is told to survive that.
const SCRIPT = `
stint_why=starter
stint_note=$1
trap 'echo "$stint_why" > "$stint_note"' EXIT
read -r stint_go <&3 || exit 125
[ "$stint_go" = go ] || exit 125
stint_why=cgroup
stint_permit=$2 stint_fleet_permit=$3 stint_line=$4 stint_files=$5 stint_joins=$6
shift 6
while [ "$stint_joins" -gt 0 ]; do
  echo 0 > "$1" || exit 125
  shift
  stint_joins=$((stint_joins - 1))
done
stint_why=permit
[ -e "$stint_permit" ] || exit 125
[ -z "$stint_fleet_permit" ] || [ -e "$stint_fleet_permit" ] || exit 125
stint_why=limit
ulimit -c 0 && { [ -z "$stint_files" ] || ulimit -n "$stint_files"; } || exit 125
stint_why=program
[ "$stint_line" = keep ] && stint_why=wrapper || exec 3<&-
[ -z "\${BASH_VERSION-}" ] || shopt -s execfail
exec "$@"
exit 127
`;

/** What a launcher is started with. */
export interface Launch {
  readonly spec: SandboxSpec;
  readonly folder: string;
  readonly fleet: string;
  readonly host: string;
  /** The fleet's permit, where it has one. */
  readonly permitFile: string | undefined;
  /** On the upper rungs: what sets the namespaces up, to be followed by the keeper's command. */
  readonly wrapper?: readonly string[];
  /** Files of a control group; who writes to each of them has joined it. */
  readonly joinFiles?: readonly string[];
  /** How many descriptors each of its processes may have open; as its starter where absent. */
  readonly openFiles?: number;
  /** What it may write to of its own, where that is not what its user may. */
  readonly nest?: Nest;
  /** Whether the output goes to pipes, `stdout` and `stderr` of the child, and not to a file. */
  readonly isPiped?: boolean;
}

/**
 * Starts a launcher that waits for {@link letGo}, its output going to the sandbox's file or to
 * pipes. Throws `Fault` `sandbox_failed` when the system starts no process, and the file system's
 * own error when that file cannot be opened.
 */
export async function spawnLauncher(launch: Launch): Promise<ChildProcess> {
  if (launch.isPiped === true) return spawnInto(launch, "pipe");
  const output = await open(join(launch.folder, OWN_FILES.output), "a", 0o600);
  try {
    return await spawnInto(launch, output.fd);
  } finally {
    await output.close();
  }
}

async function spawnInto(launch: Launch, output: number | "pipe"): Promise<ChildProcess> {
  try {
    return await spawnShell(launch, output);
  } catch (error) {
    throw asStartFault(error, launch.spec);
  }
}

/** Lets a launcher become its program. A launcher that is gone is noticed by its exit. */
export function letGo(child: ChildProcess): void {
  const pipe = child.stdio[3];
  ok(pipe !== undefined && pipe !== null && "write" in pipe, "a launcher has a pipe to wait on");
  // EPIPE: it was killed meanwhile, and its exit says so.
  pipe.on("error", () => undefined);
  pipe.end("go\n");
}

/**
 * Waits until a launcher has become its program or has exited.
 * Throws `Fault` `sandbox_failed` when it exited without having become it.
 */
export async function awaitProgram(
  child: ChildProcess,
  launch: Launch,
  readComplaint = async (): Promise<string | undefined> => undefined,
): Promise<void> {
  const deadline = performance.now() + EXEC_MS;
  while (isUp(child)) {
    if (isProgram(child.pid) || performance.now() >= deadline) return;
    await sleep(LOOK_EVERY_MS);
  }
  const why = await readUnlaunched(launch);
  if (why !== undefined) throw await launchFault(why, launch, await readComplaint());
}

/** Whether a child has not exited, as far as this process was told. */
export function isUp(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Why a launcher became nothing, in a word of its own; undefined when it did not say. */
export async function readUnlaunched({ folder }: Launch): Promise<string | undefined> {
  const why = (await readText(join(folder, OWN_FILES.unlaunched))).trim();
  return why === "" ? undefined : why;
}

/**
 * The fault for a launcher that became nothing: `why` in its own word, `complaint` as it was read
 * from a pipe, if it was.
 */
export async function launchFault(
  why: string,
  launch: Launch,
  complaint: string | undefined,
): Promise<Fault> {
  const said = complaint ?? (await readText(join(launch.folder, OWN_FILES.output)));
  const message = explain(why, launch, said.trim().slice(-complaintCharsMax));
  // A mount of the host's went while bubblewrap bound it: nothing was run, and nothing is wrong.
  const retryable = why === "wrapper" && /remount .*No such file or directory/.test(said);
  return new Fault("sandbox_failed", message, { retryable });
}

/** Checks what a shell would not pass on faithfully; throws `Fault` `sandbox_failed`. */
export function demandLaunchable(spec: SandboxSpec): void {
  const [program] = spec.run;
  if (program === "" || program.startsWith("-")) {
    const message = `a program must be named, and not begin with "-", got "${program}"`;
    throw new Fault("sandbox_failed", message);
  }
  const name = Object.keys(spec.env ?? {}).find((key) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
  if (name !== undefined) {
    const message = `names in env must be letters, digits and "_", got "${name}"`;
    throw new Fault("sandbox_failed", message);
  }
  const texts = [...spec.run, ...Object.values(spec.env ?? {}), spec.cwd ?? ""];
  if (texts.some((text) => text.includes("\0"))) {
    throw new Fault("sandbox_failed", "run, env and cwd must not hold a NUL character");
  }
}

/** The environment of a program. */
export function environmentOf({ spec, fleet, host, nest }: Launch): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    // A worker that opens the fleet itself must find its own host's sandboxes there.
    STINT_HOST_ID: host,
    ...spec.env,
    ...(nest === undefined ? {} : { TMPDIR: temporaryFor(nest, spec.env?.["TMPDIR"]) }),
    // Last, so that nothing replaces them: sweeps find what left its group and session by these.
    STINT_INSTANCE: spec.instance,
    STINT_FLEET: fleet,
  };
}

/** Where temporary files go: where it was asked for, if they can be written there. */
function temporaryFor({ temporary, writable }: Nest, asked: string | undefined): string {
  const isOpen = writable.some((one) => asked !== undefined && isBelow(join(asked, "x"), one));
  return isOpen && asked !== undefined ? asked : (temporary[0] ?? "/tmp");
}

/** The environment of what sets the namespaces up: nothing that a worker has a say in. */
function trustedEnvironment({ spec, fleet }: Launch): Record<string, string> {
  const path = process.env["PATH"] ?? SYSTEM_PATH;
  return { PATH: path, STINT_INSTANCE: spec.instance, STINT_FLEET: fleet };
}

/** Spawns a launcher's shell. Errors of the system are thrown at once or emitted: both reject. */
function spawnShell(launch: Launch, output: number | "pipe"): Promise<ChildProcess> {
  const { spec, folder, wrapper, joinFiles = [], openFiles } = launch;
  const note = join(folder, OWN_FILES.unlaunched);
  const permits = [join(folder, OWN_FILES.permit), launch.permitFile ?? ""];
  const line = wrapper === undefined ? "drop" : "keep";
  const command = wrapper === undefined ? spec.run : [...wrapper, ...keeperCommand(spec.run)];
  const bounds = [String(openFiles ?? ""), String(joinFiles.length)];
  const before = [note, ...permits, line, ...bounds, ...joinFiles];
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", SCRIPT, "sh", ...before, ...command], {
      cwd: spec.cwd ?? process.cwd(),
      env: wrapper === undefined ? environmentOf(launch) : trustedEnvironment(launch),
      detached: true,
      stdio: ["ignore", output, output, "pipe"],
    });
    child.once("spawn", () => resolve(child));
    child.once("error", reject);
  });
}

/** The fault for what the system said to a start; any other error is a bug and stays what it is. */
function asStartFault(error: unknown, spec: SandboxSpec): unknown {
  if (!(error instanceof Error) || !("errno" in error)) return error;
  const where = shorten(spec.cwd ?? process.cwd());
  const message = `${shorten(spec.run[0])} must be startable in ${where}, got: ${error.message}`;
  return new Fault("sandbox_failed", message, { cause: error });
}

function shorten(text: string): string {
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}

/** Whether a process no longer is the launcher that it was started as. */
function isProgram(pid: number | undefined): boolean {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    // A zombie has an empty command line; its exit will be told in a moment.
    return argv[0] !== "" && argv[2] !== SCRIPT;
  } catch {
    // It ended.
    return false;
  }
}

function explain(why: string, { spec }: Launch, complaint: string): string {
  switch (why) {
    case "permit":
      return `${spec.instance} must have its permit to start, it was stopped before it began`;
    case "starter":
      return `${spec.instance} must be let go by its starter, it was not`;
    case "cgroup":
      return `${spec.instance} must be able to join its control group, it was not: ${complaint}`;
    case "limit":
      return `${spec.instance} must be held to its open files, it was not: ${complaint}`;
    case "wrapper":
      return `${spec.instance} must get namespaces of its own, it did not: ${complaint}`;
    default:
      return notExecutable(spec.run[0], complaint);
  }
}

/** Says why a program could not be run, in other words than the shell's where those are known. */
function notExecutable(program: string, complaint: string): string {
  const named = `"${shorten(program)}"`;
  const isPath = program.includes("/");
  if (/not found|no such file/i.test(complaint))
    return isPath
      ? `the program ${named} must be there, it or the interpreter that it names was not found`
      : `the program ${named} must be on PATH, it was not found there`;
  if (/permission denied/i.test(complaint))
    return `the program ${named} must be executable, it is not`;
  return `the program ${named} must be executable, it could not be run: ${complaint}`;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    // Missing, as is usual, or the folder was forgotten meanwhile.
    return "";
  }
}
