import { isatty } from "node:tty";
import { Fault } from "../ports/fault.ts";

/** The streams of this process, as far as a call needs them. */
export interface Terminal {
  /** Whether somebody can be asked: stdin and stderr are terminals. */
  readonly canAsk: boolean;
  readonly isOutTerminal: boolean;
  /** Characters in a line of stdout; 80 where it is no terminal, or does not know. */
  readonly columns: number;
  /** Writes to stdout; nothing once nobody reads it. */
  out(text: string): void;
  /** Writes to stderr. */
  note(text: string): void;
  /** Asks on stderr and answers what was typed, without blanks around it. */
  ask(question: string, signal: AbortSignal): Promise<string>;
  /**
   * Resolves when everything that was written has been handed to the system: to why stdout did not
   * take all of it, other than that nobody reads any more, or undefined.
   */
  drain(): Promise<Fault | undefined>;
}

const columnsDefault = 80;

/** Descriptors of the streams that are only looked at. */
const STDIN = 0;
const STDERR = 2;

/** Lets the event loop turn once, by when a stream has told of a failed write. */
const untilTold = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The terminal of this process. `onUnread` is called when stdout has lost its reader. */
export function processTerminal(onUnread: () => void): Terminal {
  const { stdout } = process;
  let stderr: NodeJS.WriteStream | undefined;
  // Node makes a stream when it is first asked for; most calls need neither stdin nor stderr.
  const errors = (): NodeJS.WriteStream => {
    // Nobody is left to be told where stderr fails.
    stderr ??= process.stderr.on("error", () => undefined);
    return stderr;
  };
  let isRead = true;
  let failure: Fault | undefined;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Every write that was under way fails: it is one reader that is gone, and not several.
    if (!isRead) return;
    // `stint journal tail | head` has what it wanted; anything else is output that is lost.
    isRead = false;
    if (error.code === "EPIPE") onUnread();
    else failure ??= lostOutput(error);
  });
  return {
    canAsk: isatty(STDIN) && isatty(STDERR),
    isOutTerminal: stdout.isTTY,
    // A terminal without a window, as of some CI, says that it is 0 wide.
    columns: stdout.isTTY && stdout.columns > 0 ? stdout.columns : columnsDefault,
    out(text) {
      if (isRead) stdout.write(text);
    },
    note(text) {
      errors().write(text);
    },
    async ask(question, signal) {
      // Seldom needed, and not free to load.
      const { createInterface } = await import("node:readline/promises");
      const lines = createInterface({ input: process.stdin, output: errors() });
      // A terminal that is read line by line hands Ctrl-C over instead of a signal.
      lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
      try {
        const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
        // Who closes the input has not agreed to anything.
        return (await Promise.race([lines.question(question, { signal }), closed])).trim();
      } finally {
        lines.close();
      }
    },
    async drain() {
      await Promise.all([flush(stdout), ...(stderr === undefined ? [] : [flush(stderr)])]);
      await untilTold();
      return failure;
    },
  };
}

function lostOutput(cause: NodeJS.ErrnoException): Fault {
  const isFull = cause.code === "ENOSPC" || cause.code === "EDQUOT";
  const message = `stdout must take all of the output, some of it is lost: ${cause.message}`;
  return new Fault(isFull ? "storage_full" : "storage_failed", message, { cause });
}

/** Pipes are written in the background on some systems; an exit would cut them short. */
async function flush(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return;
  await new Promise<void>((resolve) => {
    stream.write("", () => resolve());
    stream.once("close", () => resolve());
  });
}
