import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { Fault } from "../../ports/fault.ts";

/*
 * What a process group needs that must not outlive this program, not even when that is killed by a
 * signal that nobody hears. A shell says that it is there and reads lines from here; the end of its
 * input without a last one says that nobody is left who could write it:
 *
 *     reads "done" ─▶ exits
 *     reads "KILL", "TERM" ─▶ begins with this signal at the end
 *     reads the end ─▶ the signal to the group ─▶ waits until the group is gone, the grace at most
 *                   ─▶ SIGKILL to a group that never went ─▶ the folder removed
 *
 * It is in a session of its own: what ends the group, or comes from the terminal, leaves it alone.
 * A group that went is never signalled again: another may have its number by then.
 */
const SCRIPT = `
echo ready
signal=TERM
while read -r line; do
  [ "$line" = done ] && exit 0
  signal=$line
done
kill -s "$signal" -- "-$1"
[ "$signal" = KILL ] || kill -s CONT -- "-$1"
sleep "$2" &
while kill -s 0 -- "-$1"; do
  kill -s 0 "$!" || { kill -s KILL -- "-$1"; break; }
  sleep 0.02
done
kill "$!"
[ -z "$3" ] || rm -rf -- "$3"
`;

/** How long a guardian may take to be there, and to be gone when it is told to go, ms. */
const readyMsMax = 5_000;
const goneMsMax = 1_000;

/** Sees to it that a process group ends when this program does. */
export interface Guardian {
  /** Fires with a `Fault` when it ended before it was dismissed: nobody guards the group then. */
  readonly lost: AbortSignal;
  /** Says by which signal the group is to end from now on if nobody is left; first SIGTERM. */
  endBy(signal: "TERM" | "KILL"): void;
  /** Lets the group go; resolves when the guardian has exited, which may be by force. */
  dismiss(): Promise<void>;
}

/** Who is guarded, and how long it may take to end by itself, ms. */
export interface Guarded {
  readonly pgid: number;
  readonly graceMs: number;
  /** The absolute path of a folder of this program's that is to go with the group. */
  readonly folder?: string | undefined;
}

/**
 * Has a group guarded. Resolves when it is; then nothing that becomes of this program leaves it
 * running. Throws a `Fault` `sandbox_failed` when that cannot be had.
 */
export async function guard({ pgid, graceMs, folder = "" }: Guarded): Promise<Guardian> {
  const seconds = (graceMs / 1_000).toFixed(3);
  const args = ["-c", SCRIPT, "stint-guardian", String(pgid), seconds, folder];
  const shell = spawn("/bin/sh", args, {
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
    cwd: "/",
    // Nothing that a command under a lease may know is for a shell that waits.
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  const ended = endOf(shell);
  const { stdin, stdout } = shell;
  try {
    // Where there are no descriptors left it has none of them, whatever their types say.
    if (!isThere(stdin) || !isThere(stdout)) throw failed("be started", await ended);
    // It may have exited by itself: then nobody is there to read it.
    stdin.on("error", () => undefined);
    await untilReady(stdout, ended);
  } catch (error) {
    shell.kill("SIGKILL");
    throw error;
  }
  return guardianOf(shell, stdin, ended);
}

function guardianOf(shell: ChildProcess, stdin: Writable, ended: Promise<string>): Guardian {
  const lost = new AbortController();
  let isDismissed = false;
  void ended.then((how) => {
    if (!isDismissed) lost.abort(failed("run until its command has ended", how));
  });
  return {
    lost: lost.signal,
    endBy: (signal) => void stdin.write(`${signal}\n`),
    dismiss: async () => {
      isDismissed = true;
      stdin.end("done\n");
      const deadline = setTimeout(() => shell.kill("SIGKILL"), goneMsMax);
      await ended;
      clearTimeout(deadline);
    },
  };
}

/** Resolves with how a process ended, in words, also when it never began. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`it failed: ${error.message}`));
    child.once("exit", (exitCode, signal) => {
      resolve(signal === null ? `it exited with ${exitCode}` : `it was ended by ${signal}`);
    });
  });
}

async function untilReady(stdout: Readable, ended: Promise<string>): Promise<void> {
  const deadline = AbortSignal.timeout(readyMsMax);
  const ready = once(stdout, "data", { signal: deadline }).then(
    () => undefined,
    () => `it did not in ${readyMsMax} ms`,
  );
  const how = await Promise.race([ready, ended]);
  stdout.destroy();
  if (how !== undefined) throw failed("say that it is there", how);
}

function isThere<T>(stream: T | null | undefined): stream is T {
  return stream !== undefined && stream !== null;
}

function failed(what: string, how: string): Fault {
  return new Fault("sandbox_failed", `the guardian of a command must ${what}, ${how}`);
}
