import { resolve } from "node:path";
import { closeSync, openSync, writeSync } from "node:fs";
import type { supervise as superviseHere, SuperviseOptions } from "../../compose/supervisor.ts";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { closeInherited } from "../../system/descriptors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Call, Said } from "../call.ts";
import { laneOption } from "../ground/asked.ts";
import { integerText } from "../text/integer.ts";
import { UsageError } from "../report.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

type Supervisor = Awaited<ReturnType<typeof superviseHere>>;

/** How long workers are given to end by themselves when this process is told to end, ms. */
const STOP_GRACE_MS = 5_000;

const supervise: Verb = {
  name: "supervise",
  summary: "Plan, or carry out, what keeps so many workers on lanes; without both, supervise",
  details:
    "With --plan it says what is to be done so that as many workers as are aimed at get " +
    "somewhere on lanes: whom to let be, to look at, to stop because it is stalled, to propose a " +
    "halt for, and on which free lanes to start a worker. Nothing is written. With --apply it is " +
    "done: each action only if it would be planned again at that moment, of the very holder, " +
    "leases and fences that were seen; else it is skipped, and that is said. Nobody who gets " +
    "anywhere is stopped, and no lease of an outside party is touched. The command after -- is " +
    "the template of a worker, {lane} in it the lane; it runs under `stint lease with` on that " +
    "lane, and ends where the lease is refused. Target, lanes and template may stand in " +
    "[supervise] of stint.toml, too.\n\nWithout both it is the supervisor of a fleet, in this " +
    "process, until it is idle or told to end. " +
    "`run`, `spawn` and the library start that by themselves, detached. It says on stdout that " +
    "it serves, as one line of JSON, or that another process does; then it lets go of its " +
    "terminal and writes to `supervisor.log` in the state folder. On SIGTERM it takes no more " +
    "starts, stops its workers and leaves. On the upper rungs of containment its workers end " +
    "with it, however it ends.",
  parameters: "[command...]",
  options: [
    { flags: "--plan", description: "say what is to be done, and do nothing" },
    { flags: "--apply", description: "do it" },
    {
      flags: "--target <count>",
      description: "how many workers are to be alive on the lanes",
      parse: (text) => integerText("--target", 0, LIMITS.replicasMax)(text),
    },
    {
      flags: "--lanes <names>",
      description: "lanes, those to be filled first first, with commas (default: all)",
      parse: parseLanes,
    },
    { flags: "--dir <folder>", description: "the state folder (default: that of the fleet)" },
    {
      flags: "--idle-ms <ms>",
      description: "leave after so long without workers and requests",
      parse: parseMs,
    },
    { flags: "--rung <name>", description: "force a rung of containment", parse: parseRung },
    {
      flags: "--driver <name>",
      description: "what new workers are run in from now on: process or container",
      parse: parseDriver,
    },
    { flags: "--image <name>", description: "with `container`: the image, which is there" },
    { flags: "--socket <path>", description: "with `container`: the engine's socket" },
  ],
  examples: [
    "stint supervise --plan --target 2 --lanes api,docs",
    "stint supervise --apply --target 2 -- ./agent.sh {lane}",
  ],
  run,
};

/** The verb `supervise`. */
export const VERBS: VerbFile["VERBS"] = [supervise];

const RUNGS = ["best", "cgroup", "pid-namespace", "process-group"] as const;

function parseRung(text: string): (typeof RUNGS)[number] {
  const rung = RUNGS.find((known) => known === text);
  if (rung !== undefined) return rung;
  const expected = `one of ${RUNGS.join(", ")}`;
  throw new InputError("usage", [{ path: "--rung", expected, got: text }]);
}

const DRIVERS = ["process", "container"] as const;

function parseDriver(text: string): (typeof DRIVERS)[number] {
  const driver = DRIVERS.find((known) => known === text);
  if (driver !== undefined) return driver;
  const expected = `one of ${DRIVERS.join(", ")}`;
  throw new InputError("usage", [{ path: "--driver", expected, got: text }]);
}

/** What new workers are to be run in; undefined where that is not said. */
function driverOf({ driver, image, socket }: Given["options"]): SuperviseOptions["driver"] {
  if (driver === "container") {
    if (typeof image !== "string" || image === "") {
      const expected = "the name of an image that the engine has, beside --driver container";
      throw new InputError("usage", [{ path: "--image", expected, got: describeValue(image) }]);
    }
    return { driver, image, ...(typeof socket === "string" ? { socket: resolve(socket) } : {}) };
  }
  for (const [name, value] of Object.entries({ image, socket })) {
    if (value === undefined) continue;
    const expected = "absent without --driver container";
    throw new InputError("usage", [{ path: `--${name}`, expected, got: describeValue(value) }]);
  }
  return driver === undefined ? undefined : { driver: "process" };
}

function parseMs(text: string): number {
  const ms = Number(text);
  if (/^\d{1,10}$/.test(text) && ms > 0) return ms;
  throw new InputError("usage", [{ path: "--idle-ms", expected: "a number of ms", got: text }]);
}

function parseLanes(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  return names.map((name) => laneOption("--lanes")(name));
}

/** What is said of the supervisor itself, and what of a plan. */
const OWN_OPTIONS = ["dir", "idleMs", "rung", "driver", "image", "socket"];
const PLAN_OPTIONS = ["target", "lanes"];

async function run(call: Call, given: Given): Promise<Said> {
  const { options, parameters } = given;
  const { plan, apply } = options;
  const isPlanned = plan === true || apply === true;
  if (plan === true && apply === true)
    throw new UsageError("--plan and --apply must not be given together");
  for (const name of isPlanned ? OWN_OPTIONS : PLAN_OPTIONS)
    if (options[name] !== undefined)
      throw isPlanned
        ? unwanted(flagOf(name), "--plan and --apply", options[name])
        : lacking(flagOf(name), options[name]);
  if (!isPlanned && parameters.flat().length > 0) throw lacking("COMMAND", parameters.flat()[0]);
  if (!isPlanned) return runSupervisor(call, given);
  const { runPlan } = await import("../supervising/run-plan.ts");
  return runPlan(call, given);
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function unwanted(path: string, beside: string, got: unknown): InputError {
  const expected = `absent beside ${beside}`;
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}

function lacking(path: string, got: unknown): InputError {
  const expected = "absent without --plan or --apply";
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}

async function runSupervisor(call: Call, { options }: Given): Promise<Said> {
  // Before anything is opened here; no worker is to write to what somebody else has open.
  closeInherited();
  const { supervise: begin, AlreadySupervised } = await import("../../compose/supervisor.ts");
  // A terminal that is closed is no reason for its workers to end.
  process.on("SIGHUP", () => undefined);
  try {
    await serve(call, await begin(await optionsOf(call, options)));
    // All is said and released: what is still open here is nobody's.
    process.exit(0);
  } catch (error) {
    if (error instanceof AlreadySupervised) {
      const { pid = null, socket = null } = error.about;
      const data = { already: true, pid, socket };
      if (!call.isJson) say({ ok: true, data });
      return { data, text: "" };
    }
    if (!call.isJson && error instanceof Fault) {
      const { code, message, retryable } = error;
      say({ ok: false, error: { code, message, retryable } });
    }
    throw error;
  }
}

/** Says that it serves, and does until it has left. A signal has it stop its workers and leave. */
async function serve({ signal }: Call, supervisor: Supervisor): Promise<void> {
  say({ ok: true, data: { ...supervisor.status } });
  letGoOfStdio();
  const drain = (): void => void supervisor.drain({ stopGraceMs: STOP_GRACE_MS });
  if (signal.aborted) drain();
  signal.addEventListener("abort", drain, { once: true });
  await supervisor.untilLeft();
}

async function optionsOf(call: Call, options: Given["options"]): Promise<SuperviseOptions> {
  const { dir, idleMs, rung } = options;
  const driver = driverOf(options);
  return {
    ...(driver === undefined ? {} : { driver }),
    dir: await stateDirOf(call, dir),
    ...(typeof idleMs === "number" ? { idleMs } : {}),
    ...(rung === undefined ? {} : { rung: rung as (typeof RUNGS)[number] }),
  };
}

/** The state folder by its own name, as programs give it, or of the fleet that is meant. */
async function stateDirOf(call: Call, dir: unknown): Promise<string> {
  if (typeof dir !== "string") return (await call.place()).stateDir;
  if (call.fleetDir === undefined) return dir;
  const expected = "absent beside --dir, which names the state folder";
  throw new InputError("usage", [{ path: "--fleet", expected, got: describeValue(call.fleetDir) }]);
}

/** One line, whole, before anything else: whoever started this waits for it. */
function say(answer: object): void {
  try {
    writeSync(1, `${JSON.stringify(answer)}\n`);
  } catch {
    // Nobody reads it any more; the fleet is served all the same.
  }
}

/** Lets whoever started this see the end of its pipe, and keeps later descriptors off 0 and 1. */
function letGoOfStdio(): void {
  for (const descriptor of [0, 1]) {
    closeSync(descriptor);
    openSync("/dev/null", "r+");
  }
}
