import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { LeaseHandle } from "../../library/lease/hold.ts";
import type { Camel } from "../../library/names.ts";
import { codeOf } from "../../ports/error-code.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call } from "../call.ts";
import { guard } from "../launching/guardian.ts";
import { TOKEN_FILE, TOKEN_VARIABLE } from "./credential.ts";

/** What is run, and how long it may take to end when it is told to. */
export interface Running {
  readonly command: readonly [string, ...string[]];
  readonly graceMs: number;
}

/** How a command ended, and why it was stopped where it was. */
export interface CommandEnd {
  readonly outcome: Camel<Outcome>;
  /** True where it was stopped because its lease was about to lapse or was lost. */
  readonly isStopped: boolean;
}

/** How often it is looked how long the lease can be relied on yet, ms at most, and in a ttl. */
const lookEveryMsMax = 250;
const looksPerTtl = 40;

/**
 * Of the time that a lease lasts a command is given this part at most to end by itself. A lease
 * that is renewed after each third of its time, and of which every second renewal is recorded, can
 * be relied on for a fifth of it at any time: what is left of that is never less in order.
 */
const gracePart = 8;

/** How long a command may take at most to end under a lease of so long a ttl, ms. */
export function graceMsMax(ttlMs: number): number {
  return Math.floor(ttlMs / gracePart);
}

/**
 * Runs a command under a lease, in a process group of its own, on the streams of this process:
 *
 *     runs ──▶ ends by itself ──▶ what it left running in its group is killed ──▶ answered
 *      │
 *      ├─ Ctrl-C, SIGTERM: passed on; the second kills the group
 *      ├─ this program is killed: a guardian ends the group, by SIGTERM and then SIGKILL
 *      └─ the lease is lost, or could not be renewed and has only the grace left:
 *         SIGTERM to the group, SIGKILL when the grace is over, or the lease's time
 *
 * Resolves when the command has ended, which is before the lease can lapse. Throws an InputError
 * when it cannot be run.
 */
export async function runUnderLease(
  call: Call,
  lease: LeaseHandle,
  { command, graceMs }: Running,
): Promise<CommandEnd> {
  const credential = keepToken(lease.token);
  try {
    const child = await start(call, command, environmentOf(lease, credential?.file));
    const group = new Group(child);
    const { ttlMs } = lease.view();
    const stopping = new Stopping(group, Math.min(graceMs, graceMsMax(ttlMs)));
    const { pid: pgid } = group;
    const guardian = guard({ pgid, graceMs: stopping.graceMs, file: credential?.file });
    const stopWatching = watch(call, lease, { group, stopping, ttlMs });
    try {
      const outcome = await group.ended;
      return { outcome, isStopped: stopping.hasBegun };
    } finally {
      stopWatching();
      stopping.cancel();
      // What it has left behind holds no lease any more.
      group.kill("SIGKILL");
      await guardian.dismiss();
    }
  } finally {
    credential?.remove();
  }
}

/** A command with all that it has started and that has not left its process group. */
class Group {
  readonly ended: Promise<Camel<Outcome>>;
  readonly pid: number;

  constructor(child: ChildProcess) {
    // It runs: `start` has waited for that.
    this.pid = child.pid ?? 0;
    this.ended = new Promise((resolve) => {
      child.once("exit", (exitCode, signal) => {
        resolve(signal === null ? { exitCode: exitCode ?? 1 } : { signal });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      // Nobody is left in it; anything else cannot be: its members are this user's, or root's.
      if (!["ESRCH", "EPERM"].includes(codeOf(error))) throw error;
    }
  }
}

/** Ends a group: once asked, and killed when the grace is over. */
class Stopping {
  hasBegun = false;
  readonly #group: Group;
  readonly graceMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(group: Group, graceMs: number) {
    this.#group = group;
    this.graceMs = graceMs;
  }

  begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.#group.kill("SIGTERM");
    // What is stopped, as by Ctrl-Z, hears nothing else.
    this.#group.kill("SIGCONT");
    this.#timer = setTimeout(() => this.#group.kill("SIGKILL"), this.graceMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

/** Watches the lease and the terminal while a command runs. Returns how to stop that. */
function watch(
  call: Call,
  lease: LeaseHandle,
  so: { readonly group: Group; readonly stopping: Stopping; readonly ttlMs: number },
): () => void {
  const { group, stopping, ttlMs } = so;
  const look = (): void => {
    // The grace has to pass before the lease cannot be relied on any more.
    const leftMs = lease.trustedUntil - performance.now();
    if (leftMs <= stopping.graceMs) stopping.begin();
  };
  const timer = setInterval(look, Math.min(lookEveryMsMax, ttlMs / looksPerTtl));
  const onLost = (): void => {
    // Where the time is over there is none left to wait.
    if (stopping.hasBegun) group.kill("SIGKILL");
    else stopping.begin();
  };
  const onInterrupted = (): void => group.kill(signalOf(call.signal));
  const onForced = (): void => group.kill("SIGKILL");
  const heard = [
    [lease.signal, onLost],
    [call.signal, onInterrupted],
    [call.force, onForced],
  ] as const;
  for (const [signal, act] of heard) {
    if (signal.aborted) act();
    else signal.addEventListener("abort", act, { once: true });
  }
  return () => {
    clearInterval(timer);
    for (const [signal, act] of heard) signal.removeEventListener("abort", act);
  };
}

const PASSED_ON: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** The signal by which a call was interrupted; SIGTERM where it was none. */
function signalOf({ reason }: AbortSignal): NodeJS.Signals {
  const name: unknown = reason instanceof Error ? reason.message : undefined;
  return PASSED_ON.find((signal) => signal === name) ?? "SIGTERM";
}

async function start(
  { isJson }: Call,
  [program, ...args]: Running["command"],
  env: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  // Stdout is the answer's alone where a program reads it.
  const stdio = isJson ? (["inherit", 2, 2] as const) : "inherit";
  const child = spawn(program, args, { stdio: stdio as "inherit", env, detached: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once("spawn", resolve);
  child.once("error", reject);
  try {
    await promise;
    return child;
  } catch (error) {
    const got = `${describeValue(program)} (${codeOf(error)})`;
    throw new InputError("usage", [{ path: "COMMAND", expected: "a program to run", got }]);
  }
}

function environmentOf(
  { id, fence }: LeaseHandle,
  tokenFile: string | undefined,
): NodeJS.ProcessEnv {
  const { [TOKEN_VARIABLE]: _, [TOKEN_FILE]: __, ...others } = process.env;
  const own = tokenFile === undefined ? {} : { [TOKEN_FILE]: tokenFile };
  return { ...others, STINT_LEASE_ID: id, STINT_LEASE_FENCE: String(fence), ...own };
}

/** A file of this user's with the token: in no argument and no variable that others can read. */
function keepToken(
  token: string | null,
): { readonly file: string; readonly remove: () => void } | undefined {
  if (token === null) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "stint-lease-"));
  const file = join(folder, "token");
  chmodSync(folder, 0o700);
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
