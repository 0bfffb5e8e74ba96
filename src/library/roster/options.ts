import type { Expected, Roster } from "../../kernel/roster/roster.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { parseRoster } from "../../protocol/roster/roster.ts";
import { demandFields } from "../given-options.ts";
import { absentLeftOut } from "../lease/options.ts";

/** A service that is expected to live. */
export interface ServiceOptions {
  /** 1 to 64 letters, digits, `_` and `-`. */
  readonly name: string;
  /** How often each of its instances is to beat, ms; default 10 s. */
  readonly everyMs?: number;
  /** How many of it must be ok; default 1. */
  readonly instances?: number;
  /** The command line that starts it. */
  readonly start?: readonly [string, ...string[]];
  /** The command line that stops it. */
  readonly stop?: readonly [string, ...string[]];
  /** The systemd unit that it is, in place of `start` and `stop`. */
  readonly unit?: string;
}

/** A service that is expected by the roster in force. */
export interface ServiceView {
  readonly name: string;
  readonly everyMs: number;
  readonly instances: number;
  readonly start: readonly string[] | null;
  readonly stop: readonly string[] | null;
  readonly unit: string | null;
}

const SERVICE_FIELDS = ["name", "everyMs", "instances", "start", "stop", "unit"];

/** Parses who is expected; `path`: the caller's name of it. Throws an InputError. */
export function parseServices(given: unknown, path: string): Roster {
  if (!Array.isArray(given))
    throw new InputError("usage", [
      { path, expected: "an array of services", got: describeValue(given) },
    ]);
  const expected = given.map((one: unknown, index): Expected => {
    demandFields(one, {
      known: SERVICE_FIELDS,
      expected: "a service",
      path: `${path}[${index}]`,
    });
    const { everyMs = LIMITS.rollEveryMsDefault, instances = 1, ...others } = one as ServiceOptions;
    return absentLeftOut({ ...others, every_ms: everyMs, instances });
  });
  const rename = (field: string): string => (field === "every_ms" ? "everyMs" : field);
  try {
    return parseRoster({ expected }, { path: "", rename });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    // What is an array of its own here is a field of the document that is enacted.
    const named = error.problems.map((one) => ({
      ...one,
      path: one.path.replace(/^\.expected/, path),
    }));
    throw new InputError(error.code, named);
  }
}

/** The roster in force as it is shown. */
export function viewRoster({ expected }: Roster): readonly ServiceView[] {
  const copy = (words: readonly string[] | undefined): readonly string[] | null =>
    words === undefined ? null : Object.freeze([...words]);
  return Object.freeze(
    expected.map(({ name, every_ms: everyMs, instances, start, stop, unit = null }) =>
      Object.freeze({ name, everyMs, instances, start: copy(start), stop: copy(stop), unit }),
    ),
  );
}
