import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { Camel } from "../../library/names.ts";
import { codeOf } from "../../ports/error-code.ts";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError } from "../../protocol/input.ts";

/*
 * A command's process and its group exist before its program does: a shell waits for a line on
 * descriptor 3 and then becomes the program. When it reads the end of the pipe it exits, and
 * nothing ran. Nothing of its own is left to the program: no descriptor, no variable.
 */
const SCRIPT = `
read -r stint_go <&3 || exit 125
[ "$stint_go" = "go" ] || exit 125
unset stint_go
exec 3<&-
[ "$1" = "PWD" ] || unset PWD
shift
case $1 in -*) exec -- "$@" ;; esac
exec "$@"
`;

/** Where a program is looked for when the caller names no folders. */
const PATH_DEFAULT = "/usr/bin:/bin";

/** A plain shell forgets variables of other names; this one passes them on. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const FAITHFUL_SHELLS = ["/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash"];

/** A command that is to run in a process group of its own. */
export interface HeldCommand {
  readonly command: readonly [string, ...string[]];
  readonly env: NodeJS.ProcessEnv;
  /** Its three streams. */
  readonly stdio: readonly ["inherit", "inherit" | 2, "inherit" | 2];
}

/** A command with all that it has started and that has not left its process group. */
export class CommandGroup {
  readonly ended: Promise<Camel<Outcome>>;
  readonly pid: number;
  readonly #child: ChildProcess;
  #isOver = false;

  constructor(child: ChildProcess, pid: number) {
    this.pid = pid;
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once("exit", (exitCode, signal) => {
        resolve(signal === null ? { exitCode: exitCode ?? 1 } : { signal });
      });
    });
  }

  /** Lets the command begin. One that is gone already is noticed by its end. */
  letGo(): void {
    const pipe = this.#child.stdio[3];
    if (pipe !== undefined && pipe !== null && "write" in pipe) pipe.end("go\n");
  }

  /** Sends all of it a signal; nothing when it is over. */
  kill(signal: NodeJS.Signals): void {
    if (this.#isOver) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      // Nobody is left in it; anything else cannot be: its members are this user's, or root's.
      if (!["ESRCH", "EPERM"].includes(codeOf(error))) throw error;
    }
  }

  /** Kills what is left of it; from then on its number is another's and never signalled. */
  async end(): Promise<void> {
    this.kill("SIGKILL");
    this.#isOver = true;
    await this.ended;
  }
}

/**
 * Starts what becomes a command when it is let go, and exits when this program ends before. Throws
 * an InputError when there is no such program, and a `Fault` `sandbox_failed` when the system
 * starts nothing.
 */
export async function holdCommand({ command, env, stdio }: HeldCommand): Promise<CommandGroup> {
  demandProgram(command[0], env);
  const pwd = env["PWD"] === undefined ? "" : "PWD";
  const options = { env, detached: true, stdio: [...stdio, "pipe"] as StdioOptions };
  try {
    const child = spawn(...shellFor(env, ["stint-command", pwd, ...command]), options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once("spawn", resolve);
    child.once("error", reject);
    // EPIPE: it was killed meanwhile, and its exit says so.
    child.stdio?.[3]?.on("error", () => undefined);
    await promise;
    // It has one: it runs.
    return new CommandGroup(child, child.pid ?? 0);
  } catch (error) {
    const message = `lease with must be able to start a command, got: ${codeOf(error)}`;
    throw new Fault("sandbox_failed", message, { cause: error });
  }
}

/** The shell that waits, and what it is told. */
function shellFor(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): [program: string, args: string[]] {
  const isPlain = Object.keys(env).every((name) => SHELL_NAME.test(name));
  const faithful = isPlain ? undefined : FAITHFUL_SHELLS.find((path) => existsSync(path));
  // By the standard it reads no file of the user's first.
  const how = faithful === undefined ? [] : ["--posix"];
  return [faithful ?? "/bin/sh", [...how, "-c", SCRIPT, ...args]];
}

/** Looks for a program as the system does, to say in words of this program's that there is none. */
function demandProgram(program: string, env: NodeJS.ProcessEnv): void {
  const folders = (env["PATH"] ?? PATH_DEFAULT).split(delimiter);
  const paths = program.includes("/")
    ? [program]
    : folders.map((folder) => join(folder === "" ? "." : folder, program));
  const codes = paths.map((path) => codeOfRunning(path));
  if (codes.includes("")) return;
  const code = codes.find((one) => one === "EACCES") ?? "ENOENT";
  const got = `${describeValue(program)} (${code})`;
  throw new InputError("usage", [{ path: "COMMAND", expected: "a program to run", got }]);
}

/** Why a path cannot be run as a program; "" where it can. */
function codeOfRunning(path: string): string {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? "" : "EACCES";
  } catch (error) {
    return codeOf(error);
  }
}
