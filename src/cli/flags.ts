import type { Parsed } from "./parse.ts";
import type { Verb, VerbOption } from "./verb.ts";

/**
 * Parses what follows a verb when it is plain, as `stint lease acquire --lane api --json` is: its
 * own long options, each with its value in the next word, and its operands. Calls of programs
 * mostly are, and must not wait for a parser of everything else to load.
 *
 * Undefined for any other line, which says nothing about it: what is taken here is taken as the
 * other parser does, and what that one would refuse is left to it. Throws what the verb's own
 * parsers throw.
 */
export function parseFlags(verb: Verb, words: readonly string[]): Parsed | undefined {
  const operands = shapeOf(verb.parameters ?? "");
  if (operands === undefined) return undefined;
  const known = new Map((verb.options ?? []).map((option) => [flagOf(option), option]));
  const reading = new PlainLine(known, words);
  if (!reading.isPlain) return undefined;
  const { options, typed, isJson, fleet } = reading;
  if ([...known.values()].some((one) => one.isRequired === true && !isGiven(options, one)))
    return undefined;
  const parameters = operands(typed);
  if (parameters === undefined) return undefined;
  return { given: { parameters, options }, isJson, fleet };
}

/** Reads words one by one; stops being plain at the first that is not. */
class PlainLine {
  readonly options: Record<string, unknown> = {};
  readonly typed: string[] = [];
  isJson = false;
  fleet: string | undefined;
  isPlain = true;
  readonly #known: ReadonlyMap<string | undefined, VerbOption>;
  readonly #words: readonly string[];
  #at = 0;

  constructor(known: ReadonlyMap<string | undefined, VerbOption>, words: readonly string[]) {
    this.#known = known;
    this.#words = words;
    while (this.isPlain && this.#at < words.length) this.#read(words[this.#at] ?? "");
  }

  #read(word: string): void {
    this.#at += 1;
    if (word === "--json") this.isJson = true;
    else if (word === "--fleet") this.#readFleet();
    else if (!word.startsWith("-")) this.typed.push(word);
    else this.#readOption(word);
  }

  #readFleet(): void {
    if (this.fleet === undefined) this.fleet = this.#value();
    else this.isPlain = false;
  }

  #readOption(flag: string): void {
    const option = this.#known.get(flag);
    if (option === undefined) this.isPlain = false;
    else if (!option.flags.includes("<")) this.options[camel(flag)] = true;
    else if (option.isList === true) this.#readList(option, camel(flag));
    else this.#readValue(option, camel(flag));
  }

  #readValue(option: VerbOption, name: string): void {
    const value = this.#value();
    // Of one that is given twice it matters which counts.
    if (value === undefined || Object.hasOwn(this.options, name)) this.isPlain = false;
    else this.options[name] = option.parse === undefined ? value : option.parse(value);
  }

  /** A list of `<words...>` goes on to the next option; any may go on after it. */
  #readList(option: VerbOption, name: string): void {
    const before = this.options[name];
    const values: unknown[] = Array.isArray(before) ? [...(before as readonly unknown[])] : [];
    const most = option.flags.endsWith("...>") ? Infinity : 1;
    const first = this.#at;
    while (this.#at < this.#words.length && this.#at - first < most) {
      const word = this.#words[this.#at] ?? "";
      if (word.startsWith("-")) break;
      values.push(option.parse === undefined ? word : option.parse(word));
      this.#at += 1;
    }
    if (this.#at === first) this.isPlain = false;
    this.options[name] = values;
  }

  /** The word after an option; one that looks like an option is left to the other parser. */
  #value(): string | undefined {
    const word = this.#words[this.#at];
    this.#at += 1;
    if (word === undefined || word.startsWith("-")) {
      this.isPlain = false;
      return undefined;
    }
    return word;
  }
}

function isGiven(options: Readonly<Record<string, unknown>>, option: VerbOption): boolean {
  return Object.hasOwn(options, camel(flagOf(option) ?? ""));
}

/** The one long name of an option; undefined for one with a short name, or one that says no. */
function flagOf({ flags }: VerbOption): string | undefined {
  return /^(--(?!no-)[a-z-]+)( <[a-z]+(\.\.\.)?>)?$/.exec(flags)?.[1];
}

/** Makes operands of the words that are no options; undefined where there are too few or many. */
type Shape = (typed: readonly string[]) => readonly unknown[] | undefined;

/** How the operands of a verb are read; undefined for those of another program. */
function shapeOf(parameters: string): Shape | undefined {
  const names = parameters === "" ? [] : parameters.split(" ");
  if (parameters.includes("command...")) return undefined;
  const leastCount = names.filter((name) => name.startsWith("<")).length;
  const isOpen = names.at(-1)?.includes("...") === true;
  return (typed) => {
    if (typed.length < leastCount || (!isOpen && typed.length > names.length)) return undefined;
    const rest = names.length - 1;
    const single = names.slice(0, isOpen ? rest : names.length).map((_, at) => typed[at]);
    return isOpen ? [...single, typed.slice(rest)] : single;
  };
}

function camel(flag: string): string {
  return flag.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
