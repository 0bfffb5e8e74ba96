import { parseDuration, writeDuration } from "../../config/amount.ts";
import { LEASE_MODES, type LeaseMode } from "../../kernel/lease/lease.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { describeValue, InputError } from "../../protocol/input.ts";

/** The ground that was typed: a region, or lanes of which the first free one is meant. */
export type AskedGround =
  { readonly region: readonly string[] } | { readonly lanes: readonly string[] };

/** Parses how long a lease is to last: `1s` to `24h`. Throws an InputError. */
export function ttlOption(text: string): number {
  const { leaseTtlMsMin: least, leaseTtlMsMax: most } = LIMITS;
  const bounds = `"${writeDuration(least)}" to "${writeDuration(most)}"`;
  const ms = parseDuration(text, "--ttl", `a duration, ${bounds}`);
  if (ms >= least && ms <= most) return ms;
  throw wrong("--ttl", bounds, describeValue(text));
}

/** Parses how long to wait for a lease: `1ms` to `24h`. Throws an InputError. */
export function waitOption(text: string): number {
  const { waitMsMin: least, waitMsMax: most } = LIMITS;
  const bounds = `"${writeDuration(least)}" to "${writeDuration(most)}"`;
  const ms = parseDuration(text, "--wait", `a duration, ${bounds}`);
  if (ms >= least && ms <= most) return ms;
  throw wrong("--wait", bounds, describeValue(text));
}

/** Parses a place's id, `q-17` say. Throws an InputError. */
export function placeIdText(text: unknown): string {
  if (typeof text === "string" && /^q-[1-9][0-9]{0,12}$/.test(text)) return text;
  throw wrong("PLACE", 'a place id ("q-" and a number)', describeValue(text));
}

/** Parses a lease's id, `l-17` say. Throws an InputError. */
export function leaseIdText(text: unknown, path = "ID"): string {
  if (typeof text === "string" && /^l-[1-9][0-9]{0,12}$/.test(text)) return text;
  throw wrong(path, 'a lease id ("l-" and a number)', describeValue(text));
}

/** Makes the parser of a text of 1 to so many bytes. Throws an InputError. */
export function textOption(path: string, bytesMax: number): (text: string) => string {
  return (text) => {
    const bytes = Buffer.byteLength(text);
    if (bytes === 0) throw wrong(path, "a text that is not empty", describeValue(text));
    if (bytes <= bytesMax) return text;
    const expected = `a text of at most ${bytesMax} bytes`;
    throw new InputError("limit_exceeded", [{ path, expected, got: `${bytes} bytes` }]);
  };
}

/**
 * Makes the parser of a holder: any text, spaces and newlines included, but not these alone, which
 * nobody types on purpose. Throws an InputError.
 */
export function holderOption(path: string): (text: string) => string {
  const read = textOption(path, LIMITS.holderBytesMax);
  return (text) => notBlank(read(text), path);
}

/** Parses a pattern of a region; what it means is for the rules to say. Throws an InputError. */
export function patternOption(path: string): (text: string) => string {
  return (text) => {
    // `--region --holder ada`: a value was forgotten, and the next option taken for it.
    if (!text.startsWith("--")) return notBlank(text, path);
    const expected = "a pattern (one for a name that begins with -- is ./--…)";
    throw wrong(path, expected, describeValue(text));
  };
}

function notBlank(text: string, path: string): string {
  if (text === "" || text.trim() !== "") return text;
  throw wrong(path, "a text that is not blank", describeValue(text));
}

/** Parses why something is done. Throws an InputError. */
export function reasonOption(text: string): string {
  return textOption("--reason", LIMITS.reasonBytesMax)(text);
}

/** Makes the parser of a key or the id of a run. Throws an InputError. */
export function keyOption(path: string): (text: string) => string {
  return textOption(path, LIMITS.keyBytesMax);
}

/** Parses the name of a worktree: that of a folder. Throws an InputError. */
export function worktreeOption(text: string): string {
  const isName = /^(?!\.{1,2}$)[^/\p{Cc}\p{Cs}\u2028\u2029]{1,255}$/u.test(text);
  if (isName) return text;
  throw wrong("--worktree", "the name of a worktree", describeValue(text));
}

/** Parses `--any`: names of lanes with commas between. Throws an InputError. */
export function anyOption(text: string): readonly string[] {
  const names = text.split(",").map((name) => laneOption("--any")(name.trim()));
  const { lanesAskedMax: most } = LIMITS;
  if (names.length <= most) return names;
  const expected = `at most ${most} lanes`;
  throw new InputError("limit_exceeded", [
    { path: "--any", expected, got: `${names.length} lanes` },
  ]);
}

/** Makes the parser of a lane's name or alias. Throws an InputError. */
export function laneOption(path: string): (text: string) => string {
  return textOption(path, LIMITS.nameCharsMax);
}

/** Reads what ground was typed; exactly one of the ways. Throws an InputError. */
export function askedGround(options: {
  readonly lane?: string;
  readonly any?: readonly string[];
  readonly region?: readonly string[];
  readonly exclude?: readonly string[];
}): AskedGround {
  const { lane, any, region, exclude } = options;
  const given = [
    ...(lane === undefined ? [] : ["--lane"]),
    ...(any === undefined ? [] : ["--any"]),
    ...(region === undefined ? [] : ["--region"]),
  ];
  if (given.length !== 1) {
    const got = given.length === 0 ? "nothing" : given.join(" and ");
    throw wrong("the ground", "named by --lane, --any or --region, one of them", got);
  }
  if (region !== undefined) return { region: regionOf(region, exclude) };
  if (exclude !== undefined)
    throw wrong("--exclude", "absent unless a --region is asked for", describeValue(exclude[0]));
  return { lanes: lane === undefined ? (any ?? []) : [lane] };
}

/**
 * The patterns of a region with those that it leaves out; what they mean is for the rules to say.
 * Throws an InputError when there are more of them, or longer ones, than are taken.
 */
export function regionOf(
  patterns: readonly string[],
  exclude: readonly string[] = [],
  path = "--region",
): readonly string[] {
  const all = [...patterns, ...exclude.map((pattern) => `!${pattern.replace(/^!/, "")}`)];
  const { regionPatternsMax: most, regionPatternBytesMax: bytesMax } = LIMITS;
  if (all.length > most) {
    const expected = `at most ${most} patterns`;
    throw new InputError("limit_exceeded", [{ path, expected, got: `${all.length}` }]);
  }
  for (const pattern of all) textOption(path, bytesMax)(pattern);
  return all;
}

/** Reads which mode was typed; undefined where none was. Throws an InputError for several. */
export function askedMode(options: Readonly<Record<string, unknown>>): LeaseMode | undefined {
  const given = LEASE_MODES.filter((mode) => options[mode] === true);
  if (given.length < 2) return given[0];
  const got = given.map((mode) => `--${mode}`).join(" and ");
  throw wrong("the mode", "one of --exclusive, --shared, --slot", got);
}

function wrong(path: string, expected: string, got: string): InputError {
  return new InputError("usage", [{ path, expected, got }]);
}
