import { spawn } from "node:child_process";

/*
 * What a process group needs that must not outlive this program, not even when that is killed by a
 * signal that nobody hears. A shell waits for a line from here; the end of its input without one
 * says that nobody is left who could write it:
 *
 *     reads a line ─▶ exits
 *     reads the end ─▶ SIGTERM to the group ─▶ the grace ─▶ SIGKILL to the group, file removed
 *
 * It is in a session of its own: what ends the group, or comes from the terminal, leaves it alone.
 */
const SCRIPT =
  'read -r line && exit 0; kill -s TERM -- "-$1"; kill -s CONT -- "-$1"; ' +
  'sleep "$2"; kill -s KILL -- "-$1"; [ -z "$3" ] || rm -f -- "$3"';

/** Sees to it that a process group ends when this program does. */
export interface Guardian {
  /** Lets the group go; resolves when the guardian has exited. */
  dismiss(): Promise<void>;
}

/** Who is guarded, and how long it may take to end by itself, ms. */
export interface Guarded {
  readonly pgid: number;
  readonly graceMs: number;
  /** A file of this program's that is to go with the group. */
  readonly file?: string | undefined;
}

/** Has a group guarded from now on. Where there is no shell it is not, and nothing else is lost. */
export function guard({ pgid, graceMs, file = "" }: Guarded): Guardian {
  const seconds = (graceMs / 1_000).toFixed(3);
  const args = ["-c", SCRIPT, "stint-guardian", String(pgid), seconds, file];
  const shell = spawn("/bin/sh", args, {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    // Nothing that a command under a lease may know is for a shell that waits.
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  const exited = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
    shell.once("error", () => resolve());
  });
  // It may have exited by itself: then nobody is there to read it.
  shell.stdin.on("error", () => undefined);
  return {
    dismiss: () => {
      shell.stdin.end("done\n");
      return exited;
    },
  };
}
