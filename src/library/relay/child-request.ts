import { resolve } from "node:path";
import type { Json } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Random } from "../../ports/random.ts";
import type { ChildOrder } from "../../ports/worker-door.ts";
import { describeValue, InputError, isPlainObject } from "../../protocol/input.ts";
import { copyJson } from "../../protocol/json.ts";
import { freshCommandId, freshInstanceId } from "../../runtime/base32.ts";
import { toCamel, toWire } from "../names.ts";
import { childName } from "./child-name.ts";

/** What crosses the socket at most; the supervisor takes no larger request, bytes. */
const requestBytesMax = 2 ** 20;

/** How deep a request may nest: a state, and what it lies in. */
const nestingMax = LIMITS.stateNestingMax + 8;

/**
 * Copies what a user passes into a request, in the journal's names. The supervisor says what is
 * wrong with it as a document; here is said only what would not arrive as it was passed.
 * `path` is what the user calls it. Throws an InputError.
 */
export function toRequest(value: unknown, path: string): Readonly<Record<string, Json>> {
  return demandJson(toWire(value, path), path);
}

/** Copies JSON of the user's own, whose names stay as they are. Throws an InputError. */
export function demandJson(value: unknown, path: string): Readonly<Record<string, Json>> {
  if (!isPlainObject(value)) throw wrong(path, "an object", describeValue(value));
  const copy = copyJson(withoutAbsent(value), { bytesMax: requestBytesMax, nestingMax });
  if (copy.ok) return copy.value as Readonly<Record<string, Json>>;
  const { problem } = copy;
  const place = problem.path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`));
  throw new InputError(problem.tooLarge ? "limit_exceeded" : "usage", [
    { path: path + place.join(""), expected: problem.expected, got: problem.got },
  ]);
}

/** Makes the order of a child from what a user asks for it. Throws an InputError. */
export function childOrder(
  options: unknown,
  so: { readonly random: Random; readonly parentName: string },
): ChildOrder {
  const { run, cwd, env, ...asked } = toRequest(options ?? {}, "options");
  for (const own of ["parent", "degraded"])
    if (asked[own] !== undefined)
      throw wrong(`options.${own}`, "absent", describeValue(asked[own]));
  const { random, parentName } = so;
  const filled = {
    instance: freshInstanceId(random),
    name: childName(parentName),
    state: {},
    budget: {},
  };
  return {
    id: freshCommandId(random),
    // What is wrong with it the supervisor says, by the parser that the library has too.
    admission: { ...filled, ...asked } as unknown as ChildOrder["admission"],
    run: demandProgram(run),
    cwd: resolve(typeof cwd === "string" ? cwd : "."),
    env: (env ?? {}) as ChildOrder["env"],
  };
}

function demandProgram(run: Json | undefined): ChildOrder["run"] {
  const isProgram = Array.isArray(run) && run.length > 0;
  if (isProgram && run.every((part) => typeof part === "string"))
    return run as unknown as ChildOrder["run"];
  const expected = "a program and its arguments (a child of a supervised worker is a process)";
  throw wrong("options.run", expected, describeValue(run));
}

/**
 * Says what the supervisor found wrong in the words of who passed it: `admission.memory_bytes` is
 * `options.memoryBytes` to whoever passed options.
 */
export async function inOurWords<T>(path: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problems = error.problems.map((problem) => ({
      path: ourPath(problem.path, path),
      expected: problem.expected.replace(HINT, (hint) => toCamel(hint)),
      got: problem.got,
    }));
    throw new InputError(error.code, problems);
  }
}

/** The name of another field, as a message of the supervisor's proposes it. */
const HINT = /(?<=did you mean )\w+/;

/** What a document is called on its way: by the order it lies in, or the kind of its command. */
const WIRE_DOCUMENT =
  /^(admission|order|command\.data|worker\.[a-z_]+|lease\.[a-z_]+|budget\.charge)\.?/;

/** Below these the names are the user's own. */
const OWN_NAMES = /\b(state|units|env)\b/;

function ourPath(theirs: string, ours: string): string {
  const fields = theirs.replace(WIRE_DOCUMENT, "");
  const own = OWN_NAMES.exec(fields)?.index ?? fields.length;
  const renamed = toCamel(fields.slice(0, own)) + fields.slice(own);
  if (renamed === "" || renamed.startsWith(ours)) return renamed || ours;
  return `${ours}.${renamed}`;
}

function withoutAbsent(value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
