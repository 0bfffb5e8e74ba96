import type { ArmedSight } from "../../kernel/armed/sight.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { errorText } from "../../library/error-text.ts";
import { CANARY_LIFE_MS } from "../../library/process/canary.ts";
import type { Seat } from "../../library/seat.ts";
import { settledWithin } from "../../library/waiting.ts";
import type { Sandbox } from "../../ports/sandbox.ts";
import { isRunning } from "../../system/process.ts";
import { SUPERVISED_FILE } from "../reconcile.ts";
import { findTraces, type Trace } from "./traces.ts";

/** How long a canary may take until it is seen as it should be, ms. */
const SEEN_WITHIN_MS = 10_000;

/** How long what was ended may still be in the process table, ms. */
const GONE_WITHIN_MS = 2_000;

/** The pause between two looks at the process table, ms. */
const LOOK_EVERY_MS = 50;

/** What the process is called, in its first argument, that has left its session. */
const CHILD = "-child";

/**
 * Ignores what asks it to end, and leaves a child behind that does so too, in a session of its own
 * where there is a `setsid`. Each ends by itself after a while, should all else fail.
 */
const PROGRAM = `trap '' TERM
leave() { if command -v setsid >/dev/null; then setsid "$@" & else "$@" & fi; }
leave /bin/sh -c 'trap "" TERM; sleep ${CANARY_LIFE_MS / 1_000}; :' "$0${CHILD}"
sleep ${CANARY_LIFE_MS / 1_000}; :`;

/** What a canary needs of a driver. */
export type CanaryDriver = Pick<Sandbox, "rung" | "start" | "stop" | "forget">;

/** What a canary is run with. */
export interface CanaryOptions {
  readonly seat: Pick<Seat, "clock" | "timers">;
  readonly driver: CanaryDriver;
  /** Its sandbox. */
  readonly instance: string;
  /** Fires when it is to be ended at once, whatever has been seen. */
  readonly hurry: AbortSignal;
}

/** What was seen of a canary, and whether its sandbox has been forgotten. */
export interface Flown {
  readonly sight: ArmedSight;
  /** False: something may be left of it, and is to be ended again. */
  readonly isGone: boolean;
}

/**
 * Starts a canary, sees it run, ends it as a kill would, and looks by itself whether anything is
 * left, besides what the driver says. Never throws; whatever happens, its end is tried.
 */
export async function flyCanary(so: CanaryOptions): Promise<Flown> {
  const { seat, driver, instance } = so;
  const beganMs = seat.clock.monotonicMs();
  const seen = await startCanary(so).catch((error: unknown) => errorText(error));
  const ended = await endCanary(so).catch((error: unknown) => ({ problem: errorText(error) }));
  const left = await untilGone(so);
  const sight = (grade: ArmedSight["grade"], problem: string | undefined): ArmedSight => {
    const took_ms = Math.round(seat.clock.monotonicMs() - beganMs);
    const cut = problem === undefined ? {} : { problem: cutTo(problem) };
    return { grade, rung: driver.rung, took_ms, ...cut };
  };
  if ("problem" in ended) return { sight: sight(null, seen ?? ended.problem), isGone: false };
  const survived =
    left.length === 0
      ? undefined
      : `its end is ${ended.grade}, and ${left.length} of its processes were alive after it`;
  for (const trace of left) endTrace(trace);
  try {
    await driver.forget(instance);
  } catch (error) {
    return { sight: sight(ended.grade, seen ?? survived ?? errorText(error)), isGone: false };
  }
  return { sight: sight(ended.grade, seen ?? survived), isGone: true };
}

/** Starts it and waits until it is seen; answers what is wrong with it, if something is. */
async function startCanary(so: CanaryOptions): Promise<string | undefined> {
  const { seat, driver, instance, hurry } = so;
  if (hurry.aborted) return "it was given up";
  await driver.start({
    instance,
    run: ["/bin/sh", "-c", PROGRAM, instance],
    cwd: "/",
    env: { STINT_CANARY: instance },
    // A supervisor that comes after this one ends what has it in its folder.
    files: { [SUPERVISED_FILE]: `${JSON.stringify({ version: 1 })}\n` },
    limits: { wall_ms: CANARY_LIFE_MS },
    network: "none",
    writable: [],
  });
  const deadlineMs = seat.clock.monotonicMs() + SEEN_WITHIN_MS;
  while (seat.clock.monotonicMs() < deadlineMs) {
    if (hurry.aborted) return "it was given up";
    const traces = await findTraces(instance);
    if (traces.some((one) => one.ignoresTerm && one.args.includes(instance + CHILD)))
      return undefined;
    await seat.timers.wait(LOOK_EVERY_MS);
  }
  return `the canary must be seen running within ${SEEN_WITHIN_MS} ms, it was not`;
}

type Ended = { readonly grade: NonNullable<ArmedSight["grade"]> } | { readonly problem: string };

/** Ends it as a kill does: without asking. */
async function endCanary({ seat, driver, instance }: CanaryOptions): Promise<Ended> {
  const deadlineMs = LIMITS.killSweepMs;
  const stopping = driver.stop(instance, { graceMs: 0, deadlineMs, by: "armed check" });
  // A driver that never answers is one that cannot kill.
  const settled = await settledWithin(stopping, 2 * deadlineMs, seat.timers);
  if (settled.kind === "failed") return { problem: errorText(settled.error) };
  if (settled.kind === "late") return { problem: `its end took more than ${2 * deadlineMs} ms` };
  const { value: ending } = settled;
  if (ending === undefined)
    return { problem: `something of the canary was alive after ${deadlineMs} ms` };
  return { grade: ending.evidence.grade };
}

/** Whoever is left of it when its time is up, by an own look at the process table. */
async function untilGone({ seat, instance }: CanaryOptions): Promise<readonly Trace[]> {
  const deadlineMs = seat.clock.monotonicMs() + GONE_WITHIN_MS;
  for (;;) {
    const left = await findTraces(instance);
    if (left.length === 0 || seat.clock.monotonicMs() >= deadlineMs) return left;
    await seat.timers.wait(LOOK_EVERY_MS);
  }
}

/** A driver that has left somebody will not end it any more. */
function endTrace(trace: Trace): void {
  try {
    if (isRunning(trace)) process.kill(trace.pid, "SIGKILL");
  } catch {
    // It has ended, or is another user's; it ends by itself in a minute.
  }
}

function cutTo(problem: string): string {
  const bytes = Buffer.from(problem);
  const max = LIMITS.armedProblemBytesMax;
  // A letter that was cut through is no letter.
  return bytes.length <= max
    ? problem
    : bytes
        .subarray(0, max - 3)
        .toString()
        .replace(/\ufffd$/, "");
}
