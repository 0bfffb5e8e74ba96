import { setTimeout as sleep } from "node:timers/promises";
import { connectSupervisor } from "../../client/supervisor.ts";
import { supervisorProcess } from "../../client/supervisor-process.ts";
import { durationOption } from "../../config/amount.ts";
import { isLive } from "../../kernel/state.ts";
import { Refused } from "../../library/refused.ts";
import { Fault } from "../../ports/fault.ts";
import { isRunning } from "../../system/process.ts";
import type { Call, Said } from "../call.ts";
import { plainText } from "../text/plain.ts";
import { countText } from "../text/size.ts";
import type { Given, Verb, VerbFile } from "../verb.ts";

const down: Verb = {
  name: "down",
  summary: "End the supervisor; with --stop its workers first",
  details:
    "Ends the fleet's supervisor on this host when no worker lives. With live workers it lists " +
    "them and stays (exit 3, workers_live), unless --stop is given: then they are stopped first. " +
    "The fleet is not harmed: the next `stint run` starts a supervisor again.",
  options: [
    { flags: "--stop", description: "stop the live workers first" },
    {
      flags: "--grace <duration>",
      description: "how long each may take to end by itself (default: 5s)",
      parse: durationOption("--grace"),
    },
  ],
  examples: ["stint down", "stint down --stop --grace 10s"],
  run,
};

/** The verb `down`. */
export const VERBS: VerbFile["VERBS"] = [down];

const graceMsDefault = 5_000;

/** How long a supervisor may take to be gone once it has begun to leave, ms. */
const goneMs = 30_000;
const pollEveryMs = 50;

async function run(call: Call, { options }: Given): Promise<Said> {
  const { stateDir } = await call.place();
  const supervision = await connectSupervisor({ stateDir });
  if (supervision === undefined) return sayNone(call);
  const { grace } = options;
  const stopGraceMs = typeof grace === "number" ? grace : graceMsDefault;
  try {
    const status = await unlessGone(stateDir, () => supervision.status());
    if (status === undefined) return await sayNone(call);
    const { pid } = status;
    const process = supervisorProcess(stateDir, pid);
    const live = await unlessGone(stateDir, () =>
      supervision.leave(options["stop"] === true ? { stopGraceMs } : {}),
    );
    if (live !== undefined && live.length > 0) throw await liveRefusal(call, live);
    await until(async () => !(await isServing(stateDir)), call.signal);
    // Its doors are closed first; only then does it sign the journal's end and let go of it.
    if (process !== undefined) await until(async () => !isRunning(process), call.signal);
    const data = { supervisor_pid: pid, was_running: true };
    return { data, text: `The supervisor (pid ${pid}) has left.` };
  } finally {
    await supervision.close();
  }
}

/**
 * What a supervisor answers; undefined when it has left instead: by itself, as that of a killed
 * fleet does, or before its answer was out.
 */
async function unlessGone<T>(stateDir: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isLost = error instanceof Fault && error.code === "supervisor_unreachable";
    if (!isLost || (await isServing(stateDir))) throw error;
    return undefined;
  }
}

/** Nothing to end; workers that others hold are still worth a word. */
async function sayNone(call: Call): Promise<Said> {
  const { state, seq } = await call.read();
  const live = [...state.workers.values()].filter(isLive).map(({ id }) => id);
  if (live.length > 0) throw await liveRefusal(call, live);
  const data = { supervisor_pid: null, was_running: false };
  return { data, text: "No supervisor runs, and no worker lives.", seq };
}

async function liveRefusal(call: Call, ids: readonly string[]): Promise<Refused> {
  const { state } = await call.read();
  const names = ids.map((id) => {
    const name = state.workers.get(id)?.name;
    return name === undefined ? `  ${id}` : `  ${id}  ${plainText(name)}`;
  });
  const many = countText(ids.length, "worker");
  const hint = "`stint stop --all` or `stint down --stop` stops them";
  return new Refused({
    code: "workers_live",
    message: `every worker must have ended first, ${many} live; ${hint}:\n${names.join("\n")}`,
    facts: { workers: [...ids] },
  });
}

async function isServing(stateDir: string): Promise<boolean> {
  const supervision = await connectSupervisor({ stateDir });
  await supervision?.close();
  return supervision !== undefined;
}

async function until(isGone: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const deadlineAtMs = performance.now() + goneMs;
  while (!(await isGone())) {
    if (performance.now() > deadlineAtMs) {
      const message = `the supervisor must be gone ${goneMs} ms after leaving, it is there still`;
      throw new Fault("supervisor_unreachable", message, { retryable: true });
    }
    await sleep(pollEveryMs, undefined, { signal });
  }
}
