import { describeValue, InputError } from "../../protocol/input.ts";

/** The largest body of a request, bytes. */
export const BODY_BYTES_MAX = 2 ** 20;

/** What a body is called in a message. */
const BODY = "body";

/** What is said of a body in another form (RFC 9110, 15.5.16). */
export class WrongMediaType extends Error {
  override readonly name = "WrongMediaType";
}

/**
 * The body of a request as text. Throws an InputError `limit_exceeded` for one that is too large,
 * of which no more is read than shows it, and {@link WrongMediaType}.
 */
export async function readText(request: Request): Promise<string> {
  const type = request.headers.get("Content-Type") ?? "";
  if (!/^application\/json *(;|$)/i.test(type))
    throw new WrongMediaType(
      `the header Content-Type must be application/json, got ${describeValue(type)}`,
    );
  if (Number(request.headers.get("Content-Length") ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const pieces: AsyncIterable<Uint8Array> | readonly Uint8Array[] = request.body ?? [];
  for await (const chunk of pieces) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new InputError("usage", [{ path: BODY, expected: "UTF-8", got: "other bytes" }]);
  }
}

/** How deep a body may be nested: deeper than any document of ours, and no deeper than a stack. */
const LEVELS_MAX = 64;

/** A text as JSON. Throws an InputError, also for what is nested beyond reason. */
export function readJson(text: string): unknown {
  const value = parsed(text);
  const expected = `at most ${LEVELS_MAX} levels of nesting`;
  if (isDeeper(value, LEVELS_MAX))
    throw new InputError("limit_exceeded", [{ path: BODY, expected, got: "more" }]);
  return value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new InputError("usage", [{ path: BODY, expected: "JSON", got: describeValue(text) }]);
  }
}

/** Goes down level by level, not call by call. */
function isDeeper(value: unknown, levels: number): boolean {
  const isNested = (one: unknown): one is object => typeof one === "object" && one !== null;
  let level = [value].filter(isNested);
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((one) => (Object.values(one) as unknown[]).filter(isNested));
  }
  return false;
}

function tooLarge(): InputError {
  const expected = `at most ${BODY_BYTES_MAX} bytes`;
  return new InputError("limit_exceeded", [{ path: BODY, expected, got: "more" }]);
}
