import { durationOption, writeDuration } from "../../config/amount.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { LeaseHandle } from "../../library/lease/hold.ts";
import { LeaseLost } from "../../library/lease/lost.ts";
import type { OwnAcquireOptions } from "../../library/lease/options.ts";
import { toWire } from "../../library/names.ts";
import { Refused } from "../../library/refused.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import {
  ACQUIRE_OPTIONS,
  HOLDER_HELP,
  readAcquire,
  type TypedAcquire,
} from "../ground/acquiring.ts";
import { graceMsMax, runUnderLease, type CommandEnd, type Running } from "../ground/under-lease.ts";
import { tellingPlace } from "../queue/telling.ts";
import { exitCodeOf } from "../launching/exit-code.ts";
import type { Given, Verb } from "../verb.ts";

const graceMsDefault = 5_000;

const withLease: Verb = {
  name: "lease with",
  summary: "Run a command under a lease, and exit with its code",
  details:
    "Acquires a lease, runs the command on the streams of this terminal, renews the lease " +
    "meanwhile and releases it when the command has ended, with what is left of its process " +
    "group. The exit code is the command's own, or 128 and the number of the signal that ended " +
    "it. When the lease is lost, or cannot be renewed in time, the group is told to end by " +
    "SIGTERM and killed when its grace is over, before the lease can lapse; then the call is " +
    "refused as lease_ended. Ctrl-C is passed on; a second one kills. The command has " +
    "STINT_LEASE_ID and STINT_LEASE_FENCE in its environment, and for an outside party " +
    "STINT_LEASE_TOKEN_FILE, a file that goes with it. With --json the command's output goes to " +
    "stderr. The command begins when a guardian watches its group: where this program itself is " +
    "killed by SIGKILL, the group is told to end and killed after the grace all the same, and " +
    "the lease lapses. Without the guardian nothing runs. Ctrl-Z stops the command too; it runs " +
    "on when the lease was renewed, and is killed when that was lost meanwhile. Whoever stops " +
    "this program by SIGSTOP leaves the command running while the lease lapses. What leaves the " +
    `process group, as by setsid, is neither stopped nor ended.\n\n${HOLDER_HELP}`,
  parameters: "<command...>",
  options: [
    // The lease is the command's alone: two calls with one key would share it.
    ...ACQUIRE_OPTIONS.filter(({ flags }) => flags !== "--key <key>"),
    {
      flags: "--grace <duration>",
      description:
        "how long it may take to end when the lease is lost (default: 5s); at most an eighth " +
        "of the ttl",
      parse: durationOption("--grace"),
    },
  ],
  examples: [
    "stint lease with --lane api --holder alice -- npm test",
    "stint lease with --region 'docs/**' --holder 'ci job 7' --ttl 1m -- ./publish.sh",
    "stint lease with --lane release --holder alice --wait 1h -- make release",
  ],
  isForWorkers: true,
  run,
};

/** The verb that runs a command under a lease. */
export const VERBS: readonly Verb[] = [withLease];

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const typed = options as TypedAcquire & { readonly grace?: number };
  const running = { command: readCommand(parameters), graceMs: typed.grace ?? graceMsDefault };
  noteShorterGrace(call, typed);
  const held: Held = {};
  try {
    await holdWhile(call, typed, async (lease) => {
      held.lease = lease;
      held.end = await runUnderLease(call, lease, running);
    });
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    throw lostRefusal(held, error.message);
  }
  const { lease, end } = held;
  if (end?.isStopped === true)
    throw lostRefusal(held, `lease ${lease?.id ?? ""} must be renewed in time, it was not`);
  const outcome = end?.outcome ?? {};
  const data: JsonObject = {
    lease_id: lease?.id ?? null,
    fence: lease?.fence ?? null,
    outcome: toWire(outcome, "outcome") as JsonObject,
  };
  return { data, text: "", exit: exitCodeOf(outcome) };
}

/** A grace that was asked for and cannot be given is not cut without a word. */
function noteShorterGrace(call: Call, typed: { readonly ttl?: number; readonly grace?: number }) {
  const { ttl = LIMITS.leaseTtlMsDefault, grace = 0 } = typed;
  const most = graceMsMax(ttl);
  if (grace <= most) return;
  call.note(
    `stint: the grace is ${writeDuration(most)}, an eighth of the ttl, not ${writeDuration(grace)}`,
  );
}

/** What is known of a command under a lease so far. */
interface Held {
  lease?: LeaseHandle;
  end?: CommandEnd;
}

type Work = (lease: LeaseHandle) => Promise<void>;

/** Does something under the lease that was typed, as the operator or as the worker that calls. */
async function holdWhile(call: Call, typed: TypedAcquire, work: Work): Promise<void> {
  const options = await optionsOf(call, typed);
  const { workerTokenFile: tokenFile } = call;
  if (tokenFile === undefined) {
    if (typed.holder === undefined) throw wrong("--holder", "who is to hold the lease", undefined);
    const fleet = await call.openFleet({ steward: false });
    return fleet.withLease({ ...options, holder: typed.holder }, work);
  }
  const { openWorkerHolding } = await import("../../compose/worker-desk.ts");
  const holding = await openWorkerHolding(tokenFile);
  try {
    const { holder = "self" } = typed;
    if (holder !== "self" && holder !== holding.self)
      throw wrong("--holder", `absent, or ${holding.self}, which calls`, holder);
    return await holding.leases.withLease(options, work);
  } finally {
    await holding.close();
  }
}

/** What was typed in the words of the library. */
async function optionsOf(call: Call, typed: TypedAcquire): Promise<OwnAcquireOptions> {
  const asked = await readAcquire(call, typed);
  const { lanes, region, mode, ttl_ms, run_id, also_held, worktree, wait_ms } = asked;
  return {
    ...(lanes === undefined ? {} : { any: lanes }),
    ...(region === undefined ? {} : { region }),
    ...(mode === undefined ? {} : { mode }),
    ttlMs: ttl_ms,
    ...(run_id === undefined ? {} : { runId: run_id }),
    ...(also_held === undefined ? {} : { alsoHeld: also_held }),
    ...(worktree === undefined ? {} : { worktree }),
    ...(wait_ms === undefined
      ? {}
      : { waitMs: wait_ms, signal: call.signal, onWaiting: tellingPlace(call, wait_ms) }),
  };
}

/** The refusal of a command that was stopped, or had not ended, when its lease was lost. */
function lostRefusal({ lease, end }: Held, why: string): Refused {
  const outcome = { ...end?.outcome };
  const how = end?.isStopped === true ? "the command was stopped" : "the command ended by itself";
  const facts = { leaseId: lease?.id ?? null, outcome, isStopped: end?.isStopped === true };
  return new Refused({ code: "lease_ended", message: `${why}; ${how}`, facts });
}

function readCommand(parameters: readonly unknown[]): Running["command"] {
  const [program, ...args] = parameters.flat() as readonly string[];
  if (program !== undefined && program !== "") return [program, ...args];
  throw wrong("COMMAND", "a program to run, after --", program);
}

function wrong(path: string, expected: string, got: string | undefined): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
