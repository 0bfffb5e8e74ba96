import { describeValue, InputError } from "../protocol/input.ts";

/** The tokens of a subject or of a pattern, in order. */
export type Tokens = readonly string[];

/** The most tokens of a subject or pattern. */
export const SUBJECT_TOKENS_MAX = 16;

/** The most characters of a token. */
export const TOKEN_CHARS_MAX = 64;

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** What a token is, for messages. */
export const TOKEN_FORM = `1 to ${TOKEN_CHARS_MAX} letters, digits, "_" or "-"`;

/** Whether a text can be a token of a subject. */
export function isToken(text: unknown): text is string {
  return typeof text === "string" && TOKEN.test(text);
}

/** A text as a token: what cannot stand in one is replaced by `-`, and what is too long is cut. */
export function asToken(text: string): string {
  const fit = text.replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, TOKEN_CHARS_MAX);
  return fit === "" ? "-" : fit;
}

/** The tokens of a subject. Throws an InputError; nothing that is no subject is ever published. */
export function parseSubject(given: unknown, path = "subject"): Tokens {
  const tokens = split(given);
  if (tokens?.every(isToken) === true) return tokens;
  const expected = `1 to ${SUBJECT_TOKENS_MAX} tokens (${TOKEN_FORM} each) joined by dots`;
  throw new InputError("usage", [{ path, expected, got: describeValue(given) }]);
}

/**
 * The tokens of a pattern: as of a subject, and `*` for any one token, and at the end `>` for one
 * or more. Throws an InputError.
 */
export function parsePattern(given: unknown, path = "pattern"): Tokens {
  const tokens = split(given);
  const isPattern = tokens?.every(
    (token, index) =>
      token === "*" || (token === ">" ? index === tokens.length - 1 : isToken(token)),
  );
  if (tokens !== undefined && isPattern === true) return tokens;
  const expected =
    `1 to ${SUBJECT_TOKENS_MAX} tokens (${TOKEN_FORM} each, or "*") joined by dots, ` +
    'the last may be ">"';
  throw new InputError("usage", [{ path, expected, got: describeValue(given) }]);
}

/** The one matcher: `*` is exactly one token, `>` is one or more and stands last. */
export function matches(pattern: Tokens, subject: Tokens): boolean {
  for (const [index, token] of pattern.entries()) {
    if (index >= subject.length) return false;
    if (token === ">") return true;
    if (token !== "*" && token !== subject[index]) return false;
  }
  return pattern.length === subject.length;
}

/** No longer text is split: more than that is no subject. */
const TEXT_CHARS_MAX = SUBJECT_TOKENS_MAX * (TOKEN_CHARS_MAX + 1);

function split(given: unknown): Tokens | undefined {
  if (typeof given !== "string" || given.length > TEXT_CHARS_MAX) return undefined;
  const tokens = given.split(".");
  return tokens.length <= SUBJECT_TOKENS_MAX ? tokens : undefined;
}
