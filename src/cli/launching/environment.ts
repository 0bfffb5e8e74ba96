import { describeValue, InputError } from "../../protocol/input.ts";

/** What a worker has of its caller's environment; everything else is given by name. */
export const PASSED_ON: readonly string[] = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "TZ",
  "TERM",
  "TMPDIR",
];

/** All that names a worker and its token begins so: it is Stint's to set. */
const OWN_PREFIX = "STINT_";

/** One variable as `--env` takes it. */
export interface Variable {
  readonly name: string;
  /** Undefined: that of the caller's variable of this name. */
  readonly value: string | undefined;
}

/** A variable as a worker's program gets it. */
export interface SetVariable extends Variable {
  readonly value: string;
}

/**
 * Parses `NAME=value`, where the value may be empty and may hold further `=`, or `NAME`, which
 * passes the caller's variable on. Throws an InputError.
 */
export function parseVariable(text: string): Variable {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
  if (!isName) throw wrong("NAME=value, or NAME to pass one on", text);
  if (name.startsWith(OWN_PREFIX)) throw wrong(`no ${OWN_PREFIX}… (those are Stint's)`, text);
  return { name, value: at < 0 ? undefined : text.slice(at + 1) };
}

/** Gives what is passed on by name its value. Throws an InputError for one that is not set. */
export function setVariables(
  caller: Readonly<Record<string, string | undefined>>,
  given: readonly Variable[],
): readonly SetVariable[] {
  return given.map(({ name, value = caller[name] }) => {
    if (value === undefined) throw wrong("a variable that is set here, or NAME=value", name);
    return { name, value };
  });
}

/**
 * The environment of a worker's program: what every program needs to find its way, then what was
 * given. Secrets of the caller's environment are not in it unless they are given by name.
 */
export function environmentFor(
  caller: Readonly<Record<string, string | undefined>>,
  given: readonly SetVariable[],
): Readonly<Record<string, string>> {
  const passed = Object.entries(caller).flatMap(([name, value]) => {
    const isPassed = PASSED_ON.includes(name) || name.startsWith("LC_");
    return isPassed && value !== undefined ? [[name, value] as const] : [];
  });
  return Object.fromEntries([...passed, ...given.map(({ name, value }) => [name, value] as const)]);
}

function wrong(expected: string, got: string): InputError {
  return new InputError("usage", [{ path: "--env", expected, got: describeValue(got) }]);
}
