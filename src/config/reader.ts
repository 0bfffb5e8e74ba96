import { nearest } from "../kernel/lane/nearest.ts";
import { describeValue, InputError, isPlainObject, type InputProblem } from "../protocol/input.ts";
import type { Lines } from "./lines.ts";

/** A table of TOML, not yet checked. */
export type Table = Readonly<Record<string, unknown>>;

/** Reads the parts of a parsed text and gathers what is wrong with them, each with its line. */
export class Reader {
  /** Everything that is wrong so far, in the order in which it was found. */
  readonly problems: InputProblem[] = [];
  readonly #file: string;
  readonly #lines: Lines;

  constructor(file: string, lines: Lines) {
    this.#file = file;
    this.#lines = lines;
  }

  /** Objects to every key that is not known. */
  keysOf(table: Table, path: readonly string[], known: readonly string[]): void {
    for (const [key, value] of Object.entries(table)) {
      if (known.includes(key)) continue;
      const like = nearest(key, known);
      const hint = like === undefined ? "" : `; did you mean ${like}?`;
      this.object([...path, key], `absent (no such key${hint})`, describeValue(value));
    }
  }

  /**
   * What `read` answers; what it throws as bad input is gathered. `at` is the place of what it
   * reads, where that is not what the read itself calls it.
   */
  part<T>(read: () => T, at?: readonly string[]): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { path, expected, got } of error.problems) {
        const [own = "", ...below] = segmentsOf(path);
        this.object([...(at ?? [own]), ...below], expected, got);
      }
      return undefined;
    }
  }

  /** A value as a table; an empty one, and an objection, where it is none. */
  table(value: unknown, path: readonly string[]): Table {
    if (isPlainObject(value)) return value;
    this.object(path, "a table", describeValue(value));
    return {};
  }

  /** Objects to what stands at a path. */
  object(path: readonly string[], expected: string, got: string): void {
    const where = `${this.#file}:${this.#lines.lineOf(path)}: ${shown(path)}`;
    this.problems.push({ path: where, expected, got });
  }
}

/** `contract.stop[0].when` → `contract`, `stop`, `0`, `when`. */
function segmentsOf(path: string): readonly string[] {
  return path.split(/\.|\[|\]\.?/).filter((part) => part !== "");
}

function shown(path: readonly string[]): string {
  return path.reduce((text, part) => {
    if (/^\d+$/.test(part)) return `${text}[${part}]`;
    const name = writeKey(part);
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/** A key as TOML writes it: bare where it can be. */
export function writeKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}
