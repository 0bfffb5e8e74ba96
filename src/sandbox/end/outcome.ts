import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { CgroupUse } from "../cgroup/cgroup.ts";
import type { Exit } from "../folder/notes.ts";

/** How a shell, and what passes a shell's code on, tells an end by a signal. */
const SIGNAL_CODES: Readonly<Record<number, string>> = { 137: "SIGKILL", 143: "SIGTERM" };

const KILLED_CODE = 137;

/** What is known of an end, from all sides. */
export interface KnownEnd {
  /** How the first process exited, where somebody saw it. */
  readonly exit: Exit | undefined;
  /** What was written down of the end before. */
  readonly prior: Partial<Outcome>;
  /** What its control group told. */
  readonly used: CgroupUse;
  /** Who stops it now. */
  readonly by: string;
  readonly wasAlive: boolean;
  readonly isAsked: boolean;
  /** Whether its exit was passed on by a keeper and a wrapper, as a shell's code. */
  readonly isEnclosed: boolean;
}

/** The outcome of a sandbox that has ended: only what was seen or measured is in it. */
export function outcomeOf(end: KnownEnd): Outcome {
  const { prior, used } = end;
  const isOomKilled = prior.oom_killed === true || (used.oom_kill_count ?? 0) > 0;
  const killedBy = prior.killed_by ?? (wasEnded(end) ? end.by : undefined);
  const peak = prior.peak_memory_bytes ?? used.peak_memory_bytes;
  const cpuMs = prior.cpu_ms ?? used.cpu_ms;
  return {
    ...howExited(end, { isKilled: killedBy !== undefined, isOomKilled }),
    ...(prior.timed_out === true ? { timed_out: true } : {}),
    ...(isOomKilled ? { oom_killed: true } : {}),
    ...(killedBy === undefined ? {} : { killed_by: killedBy }),
    ...(peak === undefined ? {} : { peak_memory_bytes: peak }),
    ...(cpuMs === undefined ? {} : { cpu_ms: cpuMs }),
  };
}

/** Whether this stop has ended it. Nobody exits with a code of SIGKILL: he was quicker than it. */
function wasEnded({ exit, wasAlive, isAsked, isEnclosed }: KnownEnd): boolean {
  const code = exit?.code ?? null;
  const isOwnCode = code !== null && !(isEnclosed && code === KILLED_CODE);
  return wasAlive && (isAsked || !isOwnCode);
}

/**
 * A wrapper tells a signal as a code, and so does a program that has chosen it. Where it is known
 * that the sandbox was killed or asked, it is told as the signal.
 */
function howExited(
  { exit, isEnclosed }: KnownEnd,
  { isKilled, isOomKilled }: { readonly isKilled: boolean; readonly isOomKilled: boolean },
): Pick<Outcome, "exit_code" | "signal"> {
  const { code = null, signal = null } = exit ?? {};
  if (signal !== null) return { signal };
  if (code === null) return {};
  const isSignalled = isEnclosed && (isKilled || (isOomKilled && code === KILLED_CODE));
  const named = isSignalled ? SIGNAL_CODES[code] : undefined;
  return named === undefined ? { exit_code: code } : { signal: named };
}
