import { describeValue, InputError } from "../protocol/input.ts";

/** Units of time as they are typed, the longest first. */
const timeUnits = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** Units of size as they are typed, the largest first; each is 1 024 times the next. */
const sizeUnits = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["B", 1],
] as const;

const duration = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const size = /^(\d+(?:\.\d+)?)(TiB|GiB|MiB|KiB|B)$/;
const cores = /^\d+(?:\.\d{1,3})?$/;

/**
 * Reads a duration such as `"90s"`, `"1h30m"`, `"500ms"` into ms. Throws an InputError that names
 * `path` and what was `expected`; a bare number is none, for nobody could tell its unit.
 */
export function parseDuration(
  text: string,
  path: string,
  expected = 'a duration such as "90s", "1h30m" or "500ms"',
): number {
  const parts = text === "" ? null : duration.exec(text);
  const ms = timeUnits.reduce(
    (sum, [, unit], index) => sum + Number(parts?.[index + 1] ?? 0) * unit,
    0,
  );
  if (parts === null || !Number.isSafeInteger(ms)) throw wrong(path, expected, text);
  return ms;
}

/** Reads a size such as `"256MiB"` or `"1.5GiB"` into bytes. Throws an InputError. */
export function parseSize(text: string, path: string): number {
  const [, amount, name] = size.exec(text) ?? [];
  const unit = sizeUnits.find(([known]) => known === name)?.[1];
  const bytes = unit === undefined ? Number.NaN : Math.round(Number(amount) * unit);
  if (!Number.isSafeInteger(bytes))
    throw wrong(path, 'a size such as "256MiB" or "2GiB" (units B, KiB, MiB, GiB, TiB)', text);
  return bytes;
}

/** Reads a number of cores such as `"0.5"` into thousandths of a core. Throws an InputError. */
export function parseCores(text: string, path: string): number {
  const milli = cores.test(text) ? Math.round(Number(text) * 1_000) : Number.NaN;
  if (!Number.isSafeInteger(milli))
    throw wrong(path, "a number of cores such as 2 or 0.5, of at most 3 decimals", text);
  return milli;
}

/** Reads a count such as `"64"`. Throws an InputError. */
export function parseCount(text: string, path: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw wrong(path, "an integer from 0 on", text);
  return count;
}

/** Makes the reader of an option that takes a duration, which answers ms. */
export function durationOption(flag: string): (text: string) => number {
  return (text) => parseDuration(text, flag);
}

/** Makes the reader of an option that takes a size, which answers bytes. */
export function sizeOption(flag: string): (text: string) => number {
  return (text) => parseSize(text, flag);
}

/** Makes the reader of an option that takes cores, which answers thousandths of a core. */
export function coresOption(flag: string): (text: string) => number {
  return (text) => parseCores(text, flag);
}

/** Makes the reader of an option that takes a count. */
export function countOption(flag: string): (text: string) => number {
  return (text) => parseCount(text, flag);
}

/** Writes a duration exactly, so that {@link parseDuration} reads the same: `90s`, `24h`. */
export function writeDuration(ms: number): string {
  const unit = timeUnits.find(([name, each]) => name !== "d" && ms >= each && ms % each === 0);
  return unit === undefined ? "0s" : `${ms / unit[1]}${unit[0]}`;
}

/** Writes a size exactly, so that {@link parseSize} reads the same: `256MiB`. */
export function writeSize(bytes: number): string {
  const unit = sizeUnits.find(([, each]) => bytes >= each && bytes % each === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unit[1]}${unit[0]}`;
}

/** Writes thousandths of a core as cores, in TOML's form of a float: `2.0`, `0.25`. */
export function writeCores(milli: number): string {
  const text = String(milli / 1_000);
  return text.includes(".") ? text : `${text}.0`;
}

function wrong(path: string, expected: string, got: unknown): InputError {
  return new InputError("usage", [{ path, expected, got: describeValue(got) }]);
}
