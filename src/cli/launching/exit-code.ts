import { constants } from "node:os";
import type { Outcome } from "../../kernel/worker/evidence.ts";
import type { Camel } from "../../library/names.ts";

/** A shell reports a death by signal as this and the signal's number. */
const SIGNAL_BASE = 128;

/** What is reported of a program whose exit nobody saw: it did not end well, as far as is known. */
const UNSEEN = 1;

/**
 * The exit code that stands for how a program ended: its own, 128 and the number of the signal
 * that ended it, 137 when it was killed and no signal is known, else 1.
 */
export function exitCodeOf(outcome: Camel<Outcome>): number {
  const { exitCode, signal, killedBy, oomKilled, timedOut } = outcome;
  const number = signal === undefined ? undefined : signalNumberOf(signal);
  if (number !== undefined) return SIGNAL_BASE + number;
  if (exitCode !== undefined) return exitCode;
  const isKilled = killedBy !== undefined || oomKilled === true || timedOut === true;
  return isKilled ? SIGNAL_BASE + constants.signals.SIGKILL : UNSEEN;
}

function signalNumberOf(name: string): number | undefined {
  return (constants.signals as Readonly<Record<string, number>>)[name];
}
