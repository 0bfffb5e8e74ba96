import type { Outcome } from "../../kernel/worker/evidence.ts";
import { toWire, type Camel } from "../../library/names.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { Fault } from "../../ports/fault.ts";
import type { Call } from "../call.ts";
import { durationOption } from "../../config/amount.ts";
import { exitCodeOf } from "../launching/exit-code.ts";
import { ENVIRONMENT_HELP, launchOptions, parseLaunch } from "../launching/launch.ts";
import { passOn, type Sinks } from "../launching/passing-on.ts";
import type { Running } from "../launching/running.ts";
import { startHere } from "../launching/starting.ts";
import { hasUnreadInput } from "../launching/unread-input.ts";
import { countText } from "../text/size.ts";
import type { Verb } from "../verb.ts";

/** How long a command is given to end by itself after Ctrl-C, ms. */
const graceMsDefault = 5_000;

const NETWORK = "open";

const run: Verb = {
  name: "run",
  summary: "Run a command as a worker, pass its output on and exit with its code",
  details:
    "Runs a command as a worker: admitted by the contract, contained, limited, and in the " +
    "journal. Its output comes as it is written, on the stream that it was written to; the exit " +
    "code is the command's own, or 128 and the number of the signal that ended it. The command " +
    "reads nothing from this terminal. Ctrl-C stops the worker and what it has started, with a " +
    "grace; a second one kills it. With --json the answer is on stdout and the output in the " +
    "log alone. Called by a worker, it runs a child of that worker, whose output is in the log." +
    "\n\nThe log is bounded: of output that is read more slowly than it is written, what falls " +
    "out of the log is lost, and how much is said on stderr." +
    `\n\n${ENVIRONMENT_HELP}`,
  parameters: "<command...>",
  options: [
    ...launchOptions(NETWORK),
    {
      flags: "--grace <duration>",
      description: "how long it may take to end after Ctrl-C (default: 5s)",
      parse: durationOption("--grace"),
    },
    { flags: "--tee", description: "with --json: copy its output to stderr" },
  ],
  examples: [
    "stint run -- npm test",
    "stint run --name build --cpu 2 --memory 1GiB --wall 10m -- make -j4",
    "stint run --run-id nightly-2026-05-04 --json -- ./nightly.sh",
  ],
  isForWorkers: true,
  async run(call, given) {
    const launch = parseLaunch(given, { network: NETWORK, env: process.env });
    const { grace: graceMs = graceMsDefault, tee = false } = given.options as {
      readonly grace?: number;
      readonly tee?: boolean;
    };
    if (hasUnreadInput())
      call.note("note: stdin of the command is empty: what stint is given there is not passed on");
    const running = await startHere(call, launch);
    try {
      const interrupts = listenForInterrupts(call, running, graceMs);
      const sinks = sinksFor(call, tee);
      const output = running.output;
      const passing = sinks === null || output === null ? undefined : passOn(output, sinks);
      const end = await running.ended;
      await passing;
      await interrupts.settled();
      if (end.isSupervisorLost === true && !call.signal.aborted) throw lost(running);
      const { outcome } = end;
      noteUnusual(call, outcome, end.reason);
      const data: JsonObject = {
        worker_id: running.id,
        outcome: toWire(outcome, "outcome") as JsonObject,
        reason: end.reason,
      };
      const exit = call.signal.aborted ? {} : { exit: exitCodeOf(outcome) };
      return { data, text: "", ...(end.seq === undefined ? {} : { seq: end.seq }), ...exit };
    } finally {
      running.close();
    }
  },
};

/** The fault of a run whose worker has ended with its supervisor. */
function lost({ id }: Running): Fault {
  const message =
    `the supervisor must live as long as ${id}, it was lost, and the worker was ended: ` +
    "how far its command came is not known";
  return new Fault("supervisor_unreachable", message);
}

/** Stops the worker on the first interrupt and kills it on the second; failures are told. */
function listenForInterrupts(
  call: Call,
  running: Running,
  graceMs: number,
): { settled(): Promise<void> } {
  const stops: Promise<void>[] = [];
  const stop = (withinMs: number): void => {
    const stopping = running.stop(withinMs).catch((error: unknown) => {
      call.note(`${running.id} could not be stopped: ${String(error)}`);
    });
    stops.push(stopping);
  };
  onAbort(call.signal, () => {
    // Only somebody who has typed Ctrl-C can type it again.
    const reason: unknown = call.signal.reason;
    if (reason instanceof Error && reason.message === "SIGINT")
      call.note(`stopping ${running.id}; again to kill it`);
    stop(graceMs);
  });
  onAbort(call.force, () => stop(0));
  return { settled: async () => void (await Promise.all(stops)) };
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

/** Where the output goes; null where it stays in the log. */
function sinksFor(call: Call, isTee: boolean): Sinks | null {
  const { stdout, stderr } = process;
  const onLost = (bytes: number): void => {
    call.note(`${countText(bytes, "byte")} of output were lost: the log is bounded`);
  };
  if (!call.isJson) return { stdout, stderr, onLost };
  return isTee ? { stdout: stderr, stderr, onLost } : null;
}

/** Says in a sentence why a command ended that did not end by itself. */
function noteUnusual(call: Call, outcome: Camel<Outcome>, reason: string): void {
  if (outcome.oomKilled === true) call.note("the worker was ended: it used up its memory");
  else if (outcome.timedOut === true) call.note("the worker was ended: its wall time was over");
  else if (outcome.killedBy !== undefined && !call.signal.aborted)
    call.note(`the worker was ended: ${reason} (${outcome.killedBy})`);
}

/** The verb that runs a command and waits for it. */
export const VERBS: readonly Verb[] = [run];
