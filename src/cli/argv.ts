import { nearest } from "../kernel/lane/nearest.ts";
import { givenAgain, UsageError } from "./report.ts";
import { VERB_FILES } from "./verbs.ts";

/** A command line, split into the frame's own part and what is for the verb. */
export interface Typed {
  /** The verb's name, `worker show` say; undefined where none was typed. */
  readonly verb: string | undefined;
  /** The first word of several verbs, when nothing was typed after it but options. */
  readonly group: string | undefined;
  /** What follows the verb, untouched. */
  readonly rest: readonly string[];
  readonly isJson: boolean;
  readonly fleet: string | undefined;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
}

/** What was typed before the verb. */
interface Before {
  readonly index: number;
  readonly isJson: boolean;
  readonly fleet: string | undefined;
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
}

/** Splits a command line. Throws a UsageError that names the nearest verb or option. */
export function splitArgv(argv: readonly string[]): Typed {
  const { index, ...before } = readBefore(argv);
  const words = argv.slice(index);
  const [first, second] = words;
  const none = { ...before, verb: undefined, group: undefined, rest: [] };
  if (first === undefined) return none;
  if (first === "help") return splitArgv([...words.slice(1), "--help"]);
  if (Object.hasOwn(VERB_FILES, first)) return { ...none, verb: first, rest: words.slice(1) };
  if (!isGroup(first)) throw unknownVerb(first);
  if (second === undefined || second.startsWith("-")) {
    const wantsHelp = before.wantsHelp || second === "--help" || second === "-h";
    return { ...none, group: first, wantsHelp, rest: words.slice(1) };
  }
  const verb = `${first} ${second}`;
  if (!Object.hasOwn(VERB_FILES, verb)) throw unknownVerb(verb);
  return { ...none, verb, rest: words.slice(2) };
}

/** The names of the verbs of a group. */
export function verbsOf(group: string): readonly string[] {
  return Object.keys(VERB_FILES).filter((name) => name.startsWith(`${group} `));
}

function readBefore(argv: readonly string[]): Before {
  let index = 0;
  let isJson = false;
  let fleet: string | undefined;
  let wantsHelp = false;
  let wantsVersion = false;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    if (!word.startsWith("-")) break;
    if (word === "--json") isJson = true;
    else if (word === "--help" || word === "-h") wantsHelp = true;
    else if (word === "--version" || word === "-V") wantsVersion = true;
    else if (word === "--fleet" || word.startsWith("--fleet=")) {
      if (fleet !== undefined) throw givenAgain("--fleet");
      if (word === "--fleet") index += 1;
      fleet = word === "--fleet" ? argv[index] : word.slice("--fleet=".length);
      if (fleet === undefined) throw new UsageError("--fleet must be followed by a folder");
    } else throw unknownOption(word);
  }
  return { index, isJson, fleet, wantsHelp, wantsVersion };
}

function isGroup(word: string): boolean {
  return verbsOf(word).length > 0;
}

/** What other programs call it, and what it is called here. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  ps: "did you mean `stint workers`?",
  ls: "did you mean `stint workers`?",
  list: "did you mean `stint workers`?",
  status: "did you mean `stint` alone, or `stint workers`?",
  version: "did you mean `stint --version`?",
  uninstall:
    "`stint kill` ends the fleet, `stint where` names the folder to remove; npm has the package",
};

function unknownVerb(typed: string): UsageError {
  if (Object.hasOwn(OTHER_WORDS, typed))
    return new UsageError(`stint has no verb "${typed}"; ${OTHER_WORDS[typed]}`);
  const [group = ""] = typed.split(" ", 1);
  const names = isGroup(group)
    ? verbsOf(group)
    : Object.keys(VERB_FILES).map((name) => name.split(" ", 1)[0] ?? name);
  const like = nearest(typed, names);
  const hint = like === undefined ? "see `stint --help`" : `did you mean \`stint ${like}\`?`;
  return new UsageError(`stint has no verb "${typed}"; ${hint}`);
}

function unknownOption(word: string): UsageError {
  // `-v` is the version of many programs, and too short to be like anything.
  const like =
    word === "-v" ? "--version" : nearest(word, ["--json", "--fleet", "--help", "--version"]);
  const hint = like === undefined ? "see `stint --help`" : `did you mean ${like}?`;
  return new UsageError(`stint has no option ${word} before a verb; ${hint}`);
}
