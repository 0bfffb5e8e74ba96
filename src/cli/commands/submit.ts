import { readFile } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { connectAsWorker } from "../../client/worker-connection.ts";
import { Refused, refusedAnswer } from "../../library/refused.ts";
import type { PlainAnswer } from "../../library/plain-command.ts";
import { parseCommand } from "../../protocol/command.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import { freshCommandId } from "../../runtime/base32.ts";
import { systemRandom } from "../../system/random.ts";
import type { Call, Said } from "../call.ts";
import type { Given, Verb } from "../verb.ts";

const submit: Verb = {
  name: "submit",
  summary: "Give one command as JSON and show how it is decided",
  details:
    'Gives one command in the journal\'s own words, {"kind", "data", "id"?}, from a file or, for ' +
    "`-`, from stdin, as the operator; for scripts, and for those who study the rules. Under the " +
    "same id the same command is decided once. The answer has the entries that it wrote; an " +
    "admission also has the sealed manifest, which worker.register takes as data.envelope; " +
    "for an outside party's lease the token itself is shown, as data.claim.token. A " +
    "refusal exits with its code. A worker gives it as itself.",
  parameters: "<file>",
  examples: [
    `echo '{"kind":"fleet.pause","data":{"reason":"drill"}}' | stint submit -`,
    "stint submit admit.json --json",
  ],
  isForWorkers: true,
  run,
};

/** The verb that gives a command in the journal's own words. */
export const VERBS: readonly Verb[] = [submit];

async function run(call: Call, { parameters }: Given): Promise<Said> {
  const { id, command } = await readOrder(parameters[0], call.signal);
  const answer =
    call.workerTokenFile === undefined
      ? await (await call.openFleet({ steward: false })).submit(command, id === null ? {} : { id })
      : await giveAsWorker(call.workerTokenFile, command, id);
  if (!answer.ok) throw new Refused(refusedAnswer(answer.refusal).refusal, answer.seq);
  const { seq, entries, envelope } = answer;
  // Entries and envelopes are documents: JSON, whatever their types say.
  const written = entries as unknown as readonly JsonObject[];
  const sealed = envelope === undefined ? {} : { envelope: envelope as unknown as JsonObject };
  const kinds = entries.map(({ kind }) => kind);
  return {
    data: { entries: [...written], ...sealed },
    text: kinds.length === 0 ? "granted: nothing was to be done" : `granted: ${kinds.join(", ")}`,
    seq,
  };
}

async function giveAsWorker(
  tokenFile: string,
  given: unknown,
  id: string | null,
): Promise<PlainAnswer> {
  const command = parseCommand(given);
  const door = await connectAsWorker(tokenFile);
  try {
    return await door.submit({ id: id ?? freshCommandId(systemRandom()), command });
  } finally {
    await door.close();
  }
}

interface Order {
  readonly command: unknown;
  readonly id: string | null;
}

async function readOrder(source: unknown, signal: AbortSignal): Promise<Order> {
  const given = parse(await readSource(String(source), signal));
  if (!isPlainObject(given))
    throw wrong("the command", "an object with kind and data", describeValue(given));
  const { id = null, ...command } = given;
  if (id !== null && typeof id !== "string") throw wrong("id", "a text", describeValue(id));
  return { command, id };
}

async function readSource(source: string, signal: AbortSignal): Promise<string> {
  // Whoever types a command may think better of it.
  const stdin = (): Promise<string> => readAll(addAbortSignal(signal, process.stdin));
  const text = source === "-" ? await stdin() : await readNamed(source);
  const { entryBytesMax } = LIMITS;
  const bytes = Buffer.byteLength(text);
  if (bytes <= entryBytesMax) return text;
  throw new InputError("limit_exceeded", [
    { path: "the command", expected: `at most ${entryBytesMax} bytes`, got: String(bytes) },
  ]);
}

async function readNamed(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw wrong("the file", "a file that can be read, or -", got);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const got = error instanceof Error ? error.message : String(error);
    throw wrong("the command", "JSON", got);
  }
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
