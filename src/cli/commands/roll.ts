import { setTimeout as wait } from "node:timers/promises";
import { durationOption } from "../../config/amount.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { Fault } from "../../ports/fault.ts";
import type { RollDocument } from "../../ports/bus.ts";
import type { Supervision } from "../../ports/supervision.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import type { RemoteBus } from "../../client/http/bus-line.ts";
import { REMOTE_OPTIONS, remoteBus } from "../roll/remote.ts";
import { rollText } from "../roll/table.ts";
import { instantText } from "../text/duration.ts";
import { plainText } from "../text/plain.ts";
import type { Given, Verb } from "../verb.ts";

const everyMsDefault = 2_000;
const everyMsMin = 100;

const roll: Verb = {
  name: "roll",
  summary: "Show who is alive: the supervisor, services by name, workers",
  details:
    "Lists the supervisor itself, every name that the roster expects ([roster] in stint.toml), " +
    "heard or not, then names that beat and are not expected, then workers of other names. An " +
    "instance is ok while it beats, stale after three intervals of silence, stopping and " +
    "stopped when it said so, and unknown when it was never heard. Silence is counted by the " +
    "supervisor's own clock. Where no supervisor runs nobody listens: then each row is unknown, " +
    "with when it was last heard. With --watch it looks again and again: a terminal shows the " +
    "newest table, anything else gets a line for each change.",
  options: [
    { flags: "--watch", description: "look again and again, until Ctrl-C" },
    {
      flags: "--every <duration>",
      description: "how often --watch looks (default: 2s)",
      parse: everyOption,
    },
    ...REMOTE_OPTIONS,
  ],
  examples: ["stint roll", "stint roll --json", "stint roll --watch --every 1s"],
  run,
};

/** The verb that shows who is alive. */
export const VERBS: readonly Verb[] = [roll];

function everyOption(text: string): number {
  const ms = durationOption("--every")(text);
  if (ms >= everyMsMin) return ms;
  const expected = `a duration of at least ${everyMsMin}ms`;
  throw new InputError("usage", [{ path: "--every", expected, got: describeValue(text) }]);
}

async function run(call: Call, { options }: Given): Promise<Said> {
  const look = new Look(call, remoteBus(options));
  try {
    if (options["watch"] === true) return await watch(call, look, options["every"]);
    const document = await look.now();
    return { data: document as unknown as JsonObject, text: textOf(call, document) };
  } finally {
    await look.close();
  }
}

async function watch(call: Call, look: Look, every: unknown): Promise<Said> {
  const everyMs = typeof every === "number" ? every : everyMsDefault;
  let before = new Map<string, string>();
  while (!call.signal.aborted) {
    const document = await look.now();
    const statuses = statusesOf(document);
    const changes = changesOf(before, statuses);
    if (changes.length > 0) call.line({ kind: "roll", ...(document as unknown as JsonObject) });
    if (call.isOutTerminal) call.print(`${CLEAR}${textOf(call, document)}`);
    else for (const change of changes) call.print(`${instantText(document.at_ms)}  ${change}`);
    before = statuses;
    // Woken by the abort: that is its end, and no error.
    await wait(everyMs, undefined, { signal: call.signal }).catch(() => undefined);
  }
  return { data: {}, text: "" };
}

/** Takes what a terminal shows away, and goes to its first line. */
const CLEAR = "\u001B[2J\u001B[H";

function textOf(call: Call, document: RollDocument): string {
  const widthMax = call.isOutTerminal ? call.columns : undefined;
  return rollText(document, { isColour: call.isColour, widthMax });
}

/** Every name and every instance with its status. */
function statusesOf({ sections }: RollDocument): Map<string, string> {
  const { expected, unexpected, workers } = sections;
  const statuses = new Map<string, string>();
  for (const { name, status, instances } of [...expected, ...unexpected, ...workers]) {
    statuses.set(name, status);
    for (const row of instances) statuses.set(`${name}/${row.instance}`, row.status);
  }
  return statuses;
}

function changesOf(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const changes: string[] = [];
  for (const [key, status] of after) {
    const was = before.get(key);
    if (was === status) continue;
    changes.push(`${plainText(key)} ${was === undefined ? "" : `${was} → `}${status}`);
  }
  for (const key of before.keys()) if (!after.has(key)) changes.push(`${plainText(key)} forgotten`);
  return changes;
}

/** Looks at the roll: at the supervisor's while one answers, else at what is on record. */
class Look {
  readonly #call: Call;
  readonly #remote: RemoteBus | undefined;
  #supervision: Supervision | undefined;

  constructor(call: Call, remote: RemoteBus | undefined) {
    this.#call = call;
    this.#remote = remote;
  }

  async now(): Promise<RollDocument> {
    // What a server does not say nobody here knows better: its fleet may be elsewhere.
    if (this.#remote !== undefined) return this.#remote.roll();
    const { stateDir } = await this.#call.place();
    const { connectSupervisor } = await import("../../client/supervisor.ts");
    this.#supervision ??= await connectSupervisor({ stateDir });
    let why: string | undefined;
    try {
      if (this.#supervision !== undefined) return await this.#supervision.roll();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await this.close();
      why = "no bus: the supervisor does not answer";
    }
    const { rollOnRecord } = await import("../../library/roll/on-record.ts");
    return rollOnRecord(await this.#call.read(), why);
  }

  async close(): Promise<void> {
    await this.#supervision?.close();
    this.#supervision = undefined;
  }
}
