import { hostname } from "node:os";
import { durationOption } from "../../config/amount.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { SaidByBeat } from "../../kernel/roster/sighting.ts";
import type { Beat, Envelope } from "../../ports/bus.ts";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import type { Call, Said } from "../call.ts";
import { Beater, type BeatLine } from "../roll/beater.ts";
import { REMOTE_OPTIONS, remoteBus } from "../roll/remote.ts";
import { durationText } from "../text/duration.ts";
import { countText } from "../text/size.ts";
import type { Given, Verb } from "../verb.ts";

const beat: Verb = {
  name: "beat",
  summary: "Say that an instance of a service is alive, again and again",
  details:
    "Beats for one instance until Ctrl-C, and then says goodbye: the roll shows it as stopped, " +
    "and not as gone silent. No supervisor need run when it begins; one that dies is waited " +
    "for. What is asked of the instance meanwhile is printed, one line each; `stop` ends it, " +
    "with a goodbye. With --once it gives one beat and ends, as --said has it: that is what a " +
    "program calls that does its own timing. With --url the beats go to a server of `stint up`, " +
    "by a token of the role service, from whatever host.",
  options: [
    { flags: "--name <name>", description: "the name of the service", isRequired: true },
    { flags: "--instance <id>", description: "which of its instances (default: host and pid)" },
    {
      flags: "--every <duration>",
      description: "how often it beats, 1s to 1h (default: 10s)",
      parse: durationOption("--every"),
    },
    { flags: "--said <word>", description: "with --once: up, stopping or stopped", parse: wordOf },
    { flags: "--progress <count>", description: "how much work it has done", parse: progressOf },
    {
      flags: "--extra <json>",
      description: "an object to be shown, 4 KiB at most",
      parse: objectOf,
    },
    { flags: "--once", description: "give one beat, and end" },
    ...REMOTE_OPTIONS,
  ],
  examples: [
    "stint beat --name api",
    "stint beat --name api --instance blue --every 5s",
    "stint beat --name backup --instance nightly --said stopped --once",
  ],
  run,
};

/** The verb that beats. */
export const VERBS: readonly Verb[] = [beat];

interface Typed {
  readonly name: string;
  readonly instance?: string;
  readonly every?: number;
  readonly said?: SaidByBeat;
  readonly progress?: number;
  readonly extra?: JsonObject;
  readonly once?: boolean;
}

async function run(call: Call, { options }: Given): Promise<Said> {
  const typed = options as unknown as Typed;
  if (typed.said !== undefined && typed.once !== true) {
    const expected = "given with --once (what goes on says up, and stopped at its end)";
    throw new InputError("usage", [{ path: "--said", expected, got: "without" }]);
  }
  const connect = await lineOf(call, options);
  const asked = new AbortController();
  const beating = beatOf(typed);
  const { everyMs } = beating;
  const beater = new Beater({
    ...beating,
    connect,
    onReached: (isReached) =>
      call.note(
        isReached
          ? "stint: a supervisor answers again"
          : "stint: no supervisor answers; the beats go on until one does",
      ),
    onControl: (envelope) => {
      tellControl(call, envelope);
      if (envelope.body["action"] === "stop") asked.abort();
    },
  });
  try {
    if (typed.once === true) return await sayOnce(beater, beating.beat, typed.said ?? "up");
    call.note(`stint: ${idOf(beating.beat)} beats every ${durationText(everyMs)}; Ctrl-C ends it`);
    await beater.run(AbortSignal.any([call.signal, asked.signal]));
    const saidGoodbye = (await beater.say("stopping")) && (await beater.say("stopped"));
    return saidOf(beater, beating.beat, saidGoodbye);
  } finally {
    await beater.close();
  }
}

/** How beats are given: to the server that is named, else to this host's supervisor. */
async function lineOf(
  call: Call,
  options: Given["options"],
): Promise<() => Promise<BeatLine | undefined>> {
  const remote = remoteBus(options);
  if (remote !== undefined) return () => Promise.resolve(remote);
  const { stateDir } = await call.place();
  const { connectSupervisor } = await import("../../client/supervisor.ts");
  return () => connectSupervisor({ stateDir });
}

async function sayOnce(beater: Beater, given: Beat, word: SaidByBeat): Promise<Said> {
  if (await beater.say(word)) return saidOf(beater, given, word === "stopped");
  const message =
    "a supervisor must answer to take the beat, none does; start one: stint supervise";
  throw new Fault("supervisor_unreachable", message, { retryable: true });
}

function saidOf(beater: Beater, given: Beat, saidGoodbye: boolean): Said {
  const { name, instance } = given;
  const data = { name, instance, beat_count: beater.beatCount, said_goodbye: saidGoodbye };
  const goodbye = saidGoodbye ? ", the last was a goodbye" : "";
  return { data, text: `${idOf(given)}: ${countText(beater.beatCount, "beat")} taken${goodbye}` };
}

function beatOf(typed: Typed): { readonly beat: Beat; readonly everyMs: number } {
  const { name, every: everyMs = LIMITS.rollEveryMsDefault, progress, extra } = typed;
  const host = hostname().slice(0, 64);
  const instance = typed.instance ?? `${host.replaceAll(/[^A-Za-z0-9_-]/g, "-")}-${process.pid}`;
  const more = {
    ...(progress === undefined ? {} : { progress }),
    ...(extra === undefined ? {} : { extra }),
  };
  const given = { name, instance: instance.slice(-64), interval_ms: everyMs, host, ...more };
  return { beat: { ...given, pid: process.pid }, everyMs };
}

function idOf({ name, instance }: Beat): string {
  return `${name}/${instance}`;
}

function tellControl(call: Call, { body }: Envelope): void {
  call.line({ kind: "control", ...body });
  const { action, data } = body;
  const word = typeof action === "string" ? action : JSON.stringify(action);
  call.print(`${word}${data === undefined ? "" : ` ${JSON.stringify(data)}`}`);
}

function wordOf(text: string): SaidByBeat {
  if (text === "up" || text === "stopping" || text === "stopped") return text;
  throw wrong("--said", "one of up, stopping, stopped", text);
}

function progressOf(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count;
  throw wrong("--progress", "a whole number from 0 on", text);
}

function objectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    // JSON that is an object is a JsonObject.
    if (isPlainObject(value)) return value as JsonObject;
  } catch {
    // Told below, as what is JSON and no object.
  }
  throw wrong("--extra", "a JSON object", text);
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
