/** One of the streams that a program writes. */
export type OutputStream = "stdout" | "stderr";

/**
 * A piece of what a worker wrote, in the order in which it came, or the place where some is lost.
 * `offset_bytes` is how much output (of both streams together) came before it.
 */
export type OutputFrame =
  | {
      readonly at_ms: number;
      readonly offset_bytes: number;
      readonly stream: OutputStream;
      /** Whole characters. */
      readonly text: string;
    }
  | {
      readonly at_ms: number;
      readonly offset_bytes: number;
      readonly stream: OutputStream;
      /** Bytes that are no UTF-8. */
      readonly base64: string;
    }
  | {
      readonly at_ms: number;
      readonly offset_bytes: number;
      /** Output that was written and cannot be shown: dropped, or never stored on a full disk. */
      readonly lost_bytes: number;
    };

/** The bytes that the worker wrote; none for a loss. */
export function bytesOf(frame: OutputFrame): Buffer {
  if ("text" in frame) return Buffer.from(frame.text);
  return "base64" in frame ? Buffer.from(frame.base64, "base64") : Buffer.alloc(0);
}

/** Where the output behind a frame goes on, in bytes from the beginning. */
export function endOf(frame: OutputFrame): number {
  return frame.offset_bytes + ("lost_bytes" in frame ? frame.lost_bytes : bytesOf(frame).length);
}

/** Parses a line of an output file; undefined when it is not a frame. */
export function parseFrame(line: string): OutputFrame | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isFrame(value) ? value : undefined;
  } catch {
    // Cut short by the end of its writer, or not written by one.
    return undefined;
  }
}

function isFrame(value: unknown): value is OutputFrame {
  if (typeof value !== "object" || value === null) return false;
  const { at_ms, offset_bytes, stream, text, base64, lost_bytes } = value as Record<
    string,
    unknown
  >;
  if (!Number.isSafeInteger(at_ms) || !isCount(offset_bytes)) return false;
  if (lost_bytes !== undefined) return isCount(lost_bytes);
  if (stream !== "stdout" && stream !== "stderr") return false;
  return typeof text === "string" || typeof base64 === "string";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The files of an instance's output: the one that is written, and the one before it. */
export function outputFiles(
  folder: string,
  instance: string,
): { readonly current: string; readonly older: string } {
  return { current: `${folder}/${instance}.jsonl`, older: `${folder}/${instance}.1.jsonl` };
}
