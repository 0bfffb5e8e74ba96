import { chmodSync, mkdtempSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { LeaseHandle } from "../../library/lease/hold.ts";
import type { Camel } from "../../library/names.ts";
import { codeOf } from "../../ports/error-code.ts";
import { Fault } from "../../ports/fault.ts";
import type { Call } from "../call.ts";
import { holdCommand, type CommandGroup } from "../launching/command-group.ts";
import { guard, type Guardian } from "../launching/guardian.ts";
import { leftMsOf, Pausing } from "../launching/pausing.ts";
import { Stopping } from "../launching/stopping.ts";
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
 *      ├─ Ctrl-Z: stopped with this program; runs on when the lease still holds, else is killed
 *      ├─ this program is killed: a guardian ends the group, by SIGTERM and then SIGKILL
 *      └─ the lease is lost, or could not be renewed and has only the grace left:
 *         SIGTERM to the group, SIGKILL when the grace is over, or the lease's time
 *
 * Resolves when the command has ended, which is before the lease can lapse. Throws an InputError
 * when it cannot be run, and a `Fault` `sandbox_failed` when its group cannot be guarded, or is not
 * any more; then the command does not begin, or has been killed.
 */
export async function runUnderLease(
  call: Call,
  lease: LeaseHandle,
  { command, graceMs }: Running,
): Promise<CommandEnd> {
  const credential = keepToken(lease.token);
  try {
    const env = environmentOf(lease, credential?.file);
    // Stdout is the answer's alone where a program reads it.
    const stdio = call.isJson ? (["inherit", 2, 2] as const) : INHERITED;
    const group = await holdCommand({ command, env, stdio });
    try {
      const { ttlMs } = lease.view();
      const stopping = new Stopping(group, Math.min(graceMs, graceMsMax(ttlMs)));
      return await runGuarded(call, lease, { group, stopping, ttlMs, folder: credential?.folder });
    } finally {
      await group.end();
    }
  } finally {
    credential?.remove();
  }
}

const INHERITED = ["inherit", "inherit", "inherit"] as const;

/** Lets a command go when its group is guarded, and sees it to its end. */
async function runGuarded(
  call: Call,
  lease: LeaseHandle,
  so: Omit<Watched, "guardian" | "pausing"> & { readonly folder: string | undefined },
): Promise<CommandEnd> {
  const { group, stopping, folder } = so;
  const guardian = await guard({ pgid: group.pid, graceMs: stopping.graceMs, folder });
  try {
    const pausing = new Pausing(lease, { group, stopping, guardian });
    const stopWatching = watch(call, lease, { ...so, guardian, pausing });
    try {
      group.letGo();
      const outcome = await group.ended;
      guardian.lost.throwIfAborted();
      return { outcome, isStopped: stopping.hasBegun };
    } finally {
      stopWatching();
      stopping.cancel();
    }
  } finally {
    // What it has left behind holds no lease any more.
    await group.end();
    await guardian.dismiss();
  }
}

/** What there is of a command that runs. */
interface Watched {
  readonly group: CommandGroup;
  readonly stopping: Stopping;
  readonly guardian: Guardian;
  readonly pausing: Pausing;
  readonly ttlMs: number;
}

/** Watches the lease, the guardian and the terminal while a command runs. Returns how to stop. */
function watch(call: Call, lease: LeaseHandle, so: Watched): () => void {
  const { group, stopping, guardian, pausing, ttlMs } = so;
  const look = (): void => {
    // The grace has to pass before the lease cannot be relied on any more.
    if (!pausing.isPaused && leftMsOf(lease) <= stopping.graceMs) stopping.begin();
  };
  const timer = setInterval(look, Math.min(lookEveryMsMax, ttlMs / looksPerTtl));
  const onLost = (): void => {
    // Where the time is over there is none left to wait, and what is stopped is not to run on.
    if (stopping.hasBegun || pausing.isPaused) stopping.finish();
    else stopping.begin();
  };
  const onInterrupted = (): void => group.kill(signalOf(call.signal));
  const onForced = (): void => group.kill("SIGKILL");
  // Nobody would end it any more.
  const onUnguarded = (): void => stopping.finish();
  const heard = [
    [lease.signal, onLost],
    [call.signal, onInterrupted],
    [call.force, onForced],
    [guardian.lost, onUnguarded],
  ] as const;
  for (const [signal, act] of heard) {
    if (signal.aborted) act();
    else signal.addEventListener("abort", act, { once: true });
  }
  const stopPausing = pausing.listen();
  return () => {
    clearInterval(timer);
    stopPausing();
    for (const [signal, act] of heard) signal.removeEventListener("abort", act);
  };
}

const PASSED_ON: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** The signal by which a call was interrupted; SIGTERM where it was none. */
function signalOf({ reason }: AbortSignal): NodeJS.Signals {
  const name: unknown = reason instanceof Error ? reason.message : undefined;
  return PASSED_ON.find((signal) => signal === name) ?? "SIGTERM";
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
function keepToken(token: string | null): Credential | undefined {
  if (token === null) return undefined;
  const folder = makeFolder();
  const file = join(folder, "token");
  const remove = (): void => removeBoth(file, folder);
  try {
    chmodSync(folder, 0o700);
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    return { file, folder, remove };
  } catch (error) {
    remove();
    throw unkept(error);
  }
}

function makeFolder(): string {
  try {
    return resolve(mkdtempSync(join(tmpdir(), "stint-lease-")));
  } catch (error) {
    throw unkept(error);
  }
}

function unkept(cause: unknown): Fault {
  const message = `the lease's token must be kept in a file in ${tmpdir()}, got ${codeOf(cause)}`;
  return new Fault("storage_failed", message, { cause });
}

interface Credential {
  readonly file: string;
  readonly folder: string;
  readonly remove: () => void;
}

/** Removes the token and its folder, also where there is no descriptor left to read a folder by. */
function removeBoth(file: string, folder: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    // The command, or the write that failed, has left none.
    if (codeOf(error) !== "ENOENT") throw error;
  }
  try {
    rmdirSync(folder);
  } catch (error) {
    // The command has put more there, or has removed it all.
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(codeOf(error))) throw error;
    rmSync(folder, { recursive: true, force: true });
  }
}
