import { once } from "node:events";
import { open, unlink } from "node:fs/promises";
import { Fault } from "../../ports/fault.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { codeOf } from "../../ports/error-code.ts";

/** How much is written at once, characters. */
const writeCharsMin = 65_536;

/** What was written. */
export interface Written {
  readonly line_count: number;
  readonly size_bytes: number;
}

/**
 * Writes lines to stdout as fast as its reader takes them; nobody reading on is no error.
 */
export async function writeToStdout(
  lines: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<Written> {
  const counted = count(lines);
  // Not by a pipeline: one into stdout, which never ends, never resolves.
  for await (const line of counted.lines) {
    signal.throwIfAborted();
    if (!process.stdout.write(line)) await once(process.stdout, "drain", { signal });
  }
  return counted.written;
}

/**
 * Writes lines to a new file, mode 0600, on disk when this returns; what was begun is removed when
 * it fails. Throws an InputError when the file exists, `Fault` `storage_full` and `storage_failed`.
 */
export async function writeToNewFile(
  lines: AsyncIterable<string>,
  path: string,
  signal: AbortSignal,
): Promise<Written> {
  const counted = count(lines);
  const file = await create(path);
  try {
    let waiting = "";
    for await (const line of counted.lines) {
      signal.throwIfAborted();
      waiting += line;
      if (waiting.length < writeCharsMin) continue;
      await file.appendFile(waiting);
      waiting = "";
    }
    await file.appendFile(waiting);
    await file.sync();
    await file.close();
    return counted.written;
  } catch (error) {
    await file.close();
    await unlink(path);
    throw asFault(error, path);
  }
}

async function create(path: string): ReturnType<typeof open> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw asFault(error, path);
    const expected = "a file that does not exist yet";
    throw new InputError("usage", [{ path: "FILE", expected, got: describeValue(path) }]);
  }
}

function asFault(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (error instanceof Fault || code === "" || code === "ABORT_ERR") return error;
  const kind = code === "ENOSPC" || code === "EDQUOT" ? "storage_full" : "storage_failed";
  const message = `${path} must be writable, got: ${(error as Error).message}`;
  return new Fault(kind, message, { cause: error });
}

function count(lines: AsyncIterable<string>): {
  readonly lines: AsyncGenerator<string>;
  readonly written: Written;
} {
  const written = { line_count: 0, size_bytes: 0 };
  async function* counting(): AsyncGenerator<string> {
    for await (const line of lines) {
      written.line_count += 1;
      written.size_bytes += Buffer.byteLength(line);
      yield line;
    }
  }
  return { lines: counting(), written };
}
