import { Command, CommanderError, Option } from "commander";
import { givenAgain, UsageError } from "./report.ts";
import type { Given, Verb, VerbOption } from "./verb.ts";

/** What was typed after a verb, and what of it is the frame's. */
export interface Parsed {
  readonly given: Given;
  readonly isJson: boolean;
  readonly fleet: string | undefined;
}

/**
 * Parses what follows a verb; undefined when its help is asked for. Throws a UsageError, and what
 * the verb's own parsers throw.
 */
export function parseVerb(verb: Verb, words: readonly string[]): Parsed | undefined {
  const command = commandOf(verb);
  try {
    command.parse([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return undefined;
    throw asUsage(verb, error);
  }
  // What commander has filled in: names of options to texts, flags and what the parsers made.
  const { json, fleet, ...options } = command.opts<Readonly<Record<string, unknown>>>();
  const parameters: readonly unknown[] = command.processedArgs;
  return {
    given: { parameters, options },
    isJson: json === true,
    fleet: typeof fleet === "string" ? fleet : undefined,
  };
}

/** The help of a verb, for a terminal or the documentation of so many columns. */
export function helpOf(verb: Verb, columns: number): string {
  const command = commandOf(verb).configureHelp({ helpWidth: columns });
  const examples = verb.examples.map((one) => `  $ ${one}`).join("\n");
  return `${command.helpInformation()}\nExamples:\n${examples}\n`;
}

function commandOf(verb: Verb): Command {
  const command = new Command(`stint ${verb.name}`)
    .exitOverride()
    // What is wrong is reported by the frame, in the form that was asked for.
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .description(verb.details === undefined ? `${verb.summary}.` : verb.details)
    .helpOption("-h, --help", "show this help");
  const parameters = verb.parameters ?? "";
  if (parameters !== "") command.arguments(parameters);
  // What belongs to somebody else's command line is not looked at.
  if (parameters.includes("command...")) command.passThroughOptions();
  for (const option of verb.options ?? []) command.addOption(optionOf(option));
  return command.option("--json", "answer with JSON on stdout").addOption(optionOf(FLEET_OPTION));
}

const FLEET_OPTION: VerbOption = {
  flags: "--fleet <dir>",
  description: "the fleet: a repository, a folder in one, or a state folder",
};

function optionOf({ flags, description, parse, isRequired, isList }: VerbOption): Option {
  const said = isRequired === true ? `${description} (required)` : description;
  const option = new Option(flags, said).makeOptionMandatory(isRequired === true);
  const read = parse ?? ((text: string): unknown => text);
  if (isList === true)
    return option.argParser((text, before: unknown) => [
      ...(Array.isArray(before) ? (before as readonly unknown[]) : []),
      read(text),
    ]);
  if (!flags.includes("<")) return option;
  // The last one would win in silence, and what is meant is granted or ended for good.
  return option.argParser((text, before: unknown) => {
    if (before === undefined) return read(text);
    throw givenAgain(option.long ?? flags);
  });
}

/** What is often typed, and the options that stand for it here. */
const MEANT: ReadonlyMap<string, readonly string[]> = new Map([
  ["--mode", ["--shared", "--exclusive", "--slot"]],
]);

/** The hint for an option that a verb does not have; undefined where nothing is known of it. */
function meantBy({ options = [] }: Verb, message: string): string | undefined {
  const [, typed = ""] = /^unknown option '(--[a-z-]+)/.exec(message) ?? [];
  const meant = MEANT.get(typed)?.filter((flag) => options.some(({ flags }) => flags === flag));
  if (meant === undefined || meant.length === 0) return undefined;
  return `(Did you mean ${meant.slice(0, -1).join(", ")} or ${meant.at(-1) ?? ""}?)`;
}

function asUsage(verb: Verb, { message }: CommanderError): UsageError {
  const [first = "", near = ""] = message.replace(/^error: /, "").split("\n");
  const hint = meantBy(verb, first) ?? near;
  const said = hint === "" ? first : `${first} ${hint}`;
  return new UsageError(`stint ${verb.name}: ${said}; see \`stint ${verb.name} --help\``);
}
