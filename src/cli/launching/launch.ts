import { basename, resolve } from "node:path";
import { statSync } from "node:fs";
import type { JsonObject } from "../../kernel/json.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { Network } from "../../kernel/worker/manifest.ts";
import { coresOption, countOption, durationOption, sizeOption } from "../../config/amount.ts";
import { writeCores, writeDuration, writeSize } from "../../config/amount.ts";
import type { BudgetOptions } from "../../library/fleet/contract.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parseName, parseReason } from "../../protocol/worker.ts";
import type { Given, VerbOption } from "../verb.ts";
import { commandReason } from "./command-reason.ts";
import { objectOption, wordOption } from "./given-option.ts";
import {
  environmentFor,
  parseVariable,
  PASSED_ON,
  setVariables,
  type Variable,
} from "./environment.ts";

/** What the help of such a verb says of a command's environment. */
export const ENVIRONMENT_HELP =
  `The command has ${PASSED_ON.join(", ")} and LC_* of the caller's environment; everything else ` +
  "needs --env: `--env NAME=value`, or `--env NAME` to pass the caller's on.";

/** The options that every verb has which starts a worker; `network`: the default of `--network`. */
export function launchOptions(network: Network): readonly VerbOption[] {
  return [...COMMON_OPTIONS, networkOption(network), ...PROGRAM_OPTIONS];
}

function networkOption(network: Network): VerbOption {
  return {
    flags: "--network <network>",
    description:
      "none, controller (only the supervisor) or open " +
      `(default: ${network}, at most the parent's)`,
    parse: wordOption("--network", ["none", "controller", "open"]),
  };
}

const COMMON_OPTIONS: readonly VerbOption[] = [
  {
    flags: "--name <name>",
    description: "a label for the worker (default: the command's name)",
    parse: (text) => parseName(text, { path: "--name" }),
  },
  { flags: "--parent <id>", description: "the worker below which it stands" },
  {
    flags: "--cpu <cores>",
    description: "cores at most, e.g. 0.5",
    parse: amountOption(coresOption, "--cpu", { max: LIMITS.cpuMilliMax, write: writeCores }),
  },
  {
    flags: "--memory <size>",
    description: "memory at most, e.g. 256MiB",
    parse: amountOption(sizeOption, "--memory", { max: LIMITS.memoryBytesMax, write: writeSize }),
  },
  {
    flags: "--processes <count>",
    description: "processes and threads at most, e.g. 64",
    parse: amountOption(countOption, "--processes", { max: LIMITS.processesMax, write: String }),
  },
  {
    flags: "--wall <duration>",
    description: "time from its start until it is ended, e.g. 30s",
    parse: amountOption(durationOption, "--wall", { max: LIMITS.wallMsMax, write: writeDuration }),
  },
  {
    flags: "--state <json>",
    description: "its recorded state, a JSON object",
    parse: objectOption("--state"),
  },
  {
    flags: "--reason <text>",
    description: "why, for the record, before the command's name and digest",
    parse: (text) => parseReason(text, { path: "--reason" }),
  },
  {
    flags: "--run-id <id>",
    description: "start it once: the same id and command mean the same worker",
    parse: (text) => parseName(text, { path: "--run-id" }),
  },
];

const PROGRAM_OPTIONS: readonly VerbOption[] = [
  {
    flags: "--env <NAME[=value]>",
    description: "a variable for the command, or one to pass on; may be repeated",
    parse: parseVariable,
    isList: true,
  },
  { flags: "--cwd <dir>", description: "where the command starts (default: here)" },
];

/** An option that is an amount of which a worker needs some; what is said of it is as typed. */
function amountOption(
  reader: (flag: string) => (text: string) => number,
  flag: string,
  so: { readonly max: number; readonly write: (amount: number) => string },
): (text: string) => number {
  const read = reader(flag);
  return (text) => {
    const amount = read(text);
    if (amount >= 1 && amount <= so.max) return amount;
    const expected = `from ${so.write(1)} to ${so.write(so.max)}`;
    throw new InputError("usage", [{ path: flag, expected, got: describeValue(text) }]);
  };
}

/** A worker as it was typed: what is to run, as what, and within which bounds. */
export interface Launch {
  readonly name: string;
  readonly parent: string | undefined;
  readonly runId: string | undefined;
  /** For the record: what is run, and a digest of it, so that a repeated run can be told apart. */
  readonly reason: string;
  readonly state: JsonObject;
  readonly budget: BudgetOptions;
  /** What was typed; undefined where nothing was, and then the verb's default is meant. */
  readonly network: Network | undefined;
  readonly networkDefault: Network;
  readonly run: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Reads what was typed after `run` or `spawn`. Throws an InputError. */
export function parseLaunch(
  { parameters, options }: Given,
  so: { readonly network: Network; readonly env: Readonly<Record<string, string | undefined>> },
): Launch {
  // The options are what the parsers above have made of them.
  const given = options as {
    readonly name?: string;
    readonly parent?: string;
    readonly cpu?: number;
    readonly memory?: number;
    readonly processes?: number;
    readonly wall?: number;
    readonly state?: JsonObject;
    readonly runId?: string;
    readonly reason?: string;
    readonly network?: Network;
    readonly env?: readonly Variable[];
    readonly cwd?: string;
  };
  const run = commandOf(parameters);
  const cwd = folderOf(given.cwd ?? ".");
  const { name = labelOf(run[0]), state = {}, network, parent, runId } = given;
  const budget = withoutAbsent({
    cpuMilli: given.cpu,
    memoryBytes: given.memory,
    processes: given.processes,
    wallMs: given.wall,
  });
  const variables = setVariables(so.env, given.env ?? []);
  const env = environmentFor(so.env, variables);
  const reason = commandReason(run, { cwd, given: variables, why: given.reason });
  const asked = { name, parent, runId, reason, state, budget };
  return { ...asked, network, networkDefault: so.network, run, cwd, env };
}

function commandOf(parameters: readonly unknown[]): readonly [string, ...string[]] {
  // Commander gives the words of a variadic operand as one array.
  const [program, ...args] = parameters.flat() as readonly string[];
  if (program !== undefined && program !== "") return [program, ...args];
  const expected = "a program and its arguments after --";
  throw new InputError("usage", [{ path: "command", expected, got: describeValue(program) }]);
}

function folderOf(given: string): string {
  const folder = resolve(given);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  throw new InputError("usage", [
    { path: "--cwd", expected: "a folder", got: describeValue(given) },
  ]);
}

/** A label of what a program is called, in the letters that a name may have. */
function labelOf(program: string): string {
  const plain = basename(program).replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  const begun = plain.replace(/^[^A-Za-z0-9]+/, "").slice(0, LIMITS.nameCharsMax);
  return begun === "" ? "command" : begun;
}

function withoutAbsent(amounts: Readonly<Record<string, number | undefined>>): BudgetOptions {
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== undefined));
}
