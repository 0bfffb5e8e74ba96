// How this process acts in the mount namespace of a sandbox: by a program that enters it, for a
// thread of Node's cannot. The namespaces are held by descriptors before the process that they are
// of is looked at once more, so no pid that was given to another leads anywhere else.

import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { getuid } from "node:process";
import { isRunning, type ProcessIdentity } from "../../../system/process.ts";
import { findProgram, SYSTEM_PATH } from "../rung/programs.ts";
import { tryRealpath } from "../../folder/paths.ts";

/** How long what is done in a namespace may take, ms. */
const entryMs = 10_000;

/** How much of what is complained of is kept, characters. */
const complaintCharsMax = 500;

/** The programs that are needed, by their real paths: they are looked up from inside. */
interface Programs {
  readonly nsenter: string;
  readonly shell: string;
}

/** The processes through which a sandbox's namespaces are entered. */
export interface Gate {
  /** In the namespace that its own was made from, and in the user namespace that owns both. */
  readonly launcher: ProcessIdentity;
  /** The first process inside. */
  readonly keeper: ProcessIdentity;
}

/** Which of the two namespaces is meant: where things are mounted for it, or its own. */
export type Side = "outside" | "inside";

/** What is run, and where. */
export interface Order {
  readonly script: string;
  readonly args: readonly string[];
  /** A descriptor of the folder that it is run in, which no path need lead to; else it is `/`. */
  readonly folder?: number;
}

/** Whether this host has what it takes. */
export function canEnter(): boolean {
  return findPrograms() !== undefined;
}

/**
 * Runs a shell script in a mount namespace of a sandbox, with the rights to mount there. Answers
 * what was wrong, if something was; `gone` where the sandbox has ended.
 */
export async function runIn(
  gate: Gate,
  side: Side,
  { script, args, folder }: Order,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: string }> {
  const programs = findPrograms();
  if (programs === undefined) return { ok: false, why: "nsenter is not installed" };
  const held = hold(gate, side);
  if (held === undefined) return GONE;
  const [user, mount] = held;
  const userArgs = user === undefined ? [] : ["--user=/proc/self/fd/4", "--preserve-credentials"];
  const at = folder === undefined ? [] : ["--wd=/proc/self/fd/5"];
  const enter = [...userArgs, "--mount=/proc/self/fd/3", ...at, "--", programs.shell];
  const stdio = ["ignore", "ignore", "pipe", mount, user ?? "ignore", folder ?? "ignore"] as const;
  try {
    const what = ["-c", script, "stint-ground", ...args];
    return await run([programs.nsenter, ...enter, ...what], [...stdio]);
  } finally {
    for (const fd of held) if (fd !== undefined) closeSync(fd);
  }
}

const GONE = { ok: false, why: "the sandbox has ended" } as const;

/** Descriptors of the user namespace, where there is one to enter, and of the mount namespace. */
function hold(gate: Gate, side: Side): readonly [number | undefined, number] | undefined {
  const inside = side === "inside" ? gate.keeper : gate.launcher;
  const fds: number[] = [];
  try {
    const mount = openSync(`/proc/${inside.pid}/ns/mnt`, "r");
    fds.push(mount);
    const user = getuid?.() === 0 ? undefined : openSync(`/proc/${gate.launcher.pid}/ns/user`, "r");
    if (user !== undefined) fds.push(user);
    if (isRunning(inside) && isRunning(gate.launcher)) return [user, mount];
  } catch {
    // ENOENT: it has ended.
  }
  for (const fd of fds) closeSync(fd);
  return undefined;
}

function run(
  [program = "", ...args]: readonly string[],
  stdio: ("ignore" | "pipe" | number)[],
): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: "/",
      // Nothing of this process's: what runs there has rights that no worker has.
      env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
      stdio,
      timeout: entryMs,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString("utf8")).slice(-complaintCharsMax);
    });
    child.once("error", (error) => resolve({ ok: false, why: error.message }));
    child.once("close", (code, signal) => {
      const why = said.trim() || `it ended by ${signal ?? `code ${code}`}`;
      resolve(code === 0 ? { ok: true } : { ok: false, why });
    });
  });
}

function findPrograms(): Programs | undefined {
  const [nsenter, shell] = [findProgram("nsenter"), tryRealpath("/bin/sh")];
  if (nsenter === undefined || shell === undefined || findProgram("mount") === undefined)
    return undefined;
  return { nsenter, shell };
}
