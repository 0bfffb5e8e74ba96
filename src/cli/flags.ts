import type { Parsed } from "./parse.ts";
import type { Verb } from "./verb.ts";

/**
 * Parses what follows a verb when that is nothing but its own flags, as `stint workers --json` is:
 * calls of programs mostly are, and must not wait for a parser of everything else to load.
 * Undefined for any other line, which says nothing about it.
 */
export function parseFlags(verb: Verb, words: readonly string[]): Parsed | undefined {
  const options = verb.options ?? [];
  if (options.some(({ isRequired }) => isRequired === true)) return undefined;
  if (/(^| )</.test(verb.parameters ?? "")) return undefined;
  const flags = new Set(options.map(({ flags: typed }) => typed).filter(isPlainFlag));
  const given: Record<string, unknown> = {};
  let isJson = false;
  for (const word of words) {
    if (word === "--json") isJson = true;
    else if (flags.has(word)) given[camel(word)] = true;
    else return undefined;
  }
  return { given: { parameters: [], options: given }, isJson, fleet: undefined };
}

/** A flag of one long name that takes nothing and does not say no. */
function isPlainFlag(flags: string): boolean {
  return /^--(?!no-)[a-z-]+$/.test(flags);
}

function camel(flag: string): string {
  return flag.slice(2).replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
