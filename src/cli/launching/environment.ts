import { describeValue, InputError } from "../../protocol/input.ts";

/** What a worker has of its caller's environment; everything else is given by name. */
const PASSED_ON = ["PATH", "HOME", "USER", "LANG", "TZ", "TERM", "TMPDIR"];

/** All that names a worker and its token begins so: it is Stint's to set. */
const OWN_PREFIX = "STINT_";

/** One variable as `--env` takes it. */
export interface Variable {
  readonly name: string;
  readonly value: string;
}

/** Parses `NAME=value`; the value may be empty and may hold further `=`. Throws an InputError. */
export function parseVariable(text: string): Variable {
  const at = text.indexOf("=");
  const name = at < 0 ? text : text.slice(0, at);
  const isName = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && at > 0;
  if (!isName) throw wrong("NAME=value", text);
  if (name.startsWith(OWN_PREFIX)) throw wrong(`no ${OWN_PREFIX}… (those are Stint's)`, text);
  return { name, value: text.slice(at + 1) };
}

/**
 * The environment of a worker's program: what every program needs to find its way, then what was
 * given. Secrets of the caller's environment are not in it unless they are given by name.
 */
export function environmentFor(
  caller: Readonly<Record<string, string | undefined>>,
  given: readonly Variable[],
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
