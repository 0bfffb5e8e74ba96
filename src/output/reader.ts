// Reads the output of one worker over both its files, while it is written or after. Positions are
// always ends of lines: an unfinished line is read again when more has come, so a writer may take
// its front back. What is missing shows in the offsets of the frames.

import { Alarm } from "./alarm.ts";
import { endOf, outputFiles, type OutputFrame } from "./frame.ts";
import { openNext, openSources, type OutputLine, type OutputSource } from "./source.ts";

/** How long a follower waits for the file system to say that there is more, before it looks. */
const pollMs = 100;

/** How long a follower goes on after the last frame. */
export interface FollowOptions {
  /** Whether nothing more will be written; asked again and again when nothing more has come. */
  until(): Promise<boolean>;
  /** Has `until` asked at once when it settles, rather than within 100 ms. */
  readonly ended?: Promise<unknown>;
  /** Ends the reading, without an error. */
  readonly signal?: AbortSignal;
}

/** What is read, and how far. */
export interface ReadOptions {
  /** Goes on after the last frame, until the worker has ended and all is read. */
  readonly follow?: FollowOptions;
  /** Begins with the first whole frame in this many last bytes of the files. */
  readonly fromTailBytes?: number;
}

/**
 * Reads an instance's output in the order in which it came. Where some is missing (dropped since,
 * broken, never stored) a frame says how much. An instance without output yields nothing.
 */
export async function* readOutput(
  folder: string,
  instance: string,
  options: ReadOptions = {},
): AsyncGenerator<OutputFrame, void, undefined> {
  const { follow, fromTailBytes } = options;
  const files = outputFiles(folder, instance);
  const gaps = new Gaps(fromTailBytes === undefined);
  const alarm = new Alarm(files.current);
  const ring = (): void => alarm.ring();
  follow?.signal?.addEventListener("abort", ring);
  follow?.ended?.then(ring, ring);
  // The first one is being read; it is written no more when there are others after it.
  const sources = await openSources(files);
  try {
    await skipToTail(sources, fromTailBytes);
    for (let isOver = false; follow?.signal?.aborted !== true;) {
      const [source] = sources;
      const isMore = source !== undefined && (yield* gaps.fill(source.lines()));
      if (sources.length <= 1) sources.push(...((await openNext(files, source)) ?? []));
      if (source !== undefined && sources.length > 1) {
        // It was replaced, perhaps after the last look at it: what it has now is all of it.
        yield* gaps.fill(source.lines());
        gaps.skip(source.rest());
        sources.shift();
        await source.close();
        continue;
      }
      if (isMore || source !== sources[0]) continue;
      if (follow === undefined) return yield* gaps.end();
      if (isOver) {
        gaps.skip(source?.rest() ?? 0);
        return yield* gaps.end();
      }
      isOver = await follow.until();
      if (!isOver) await alarm.wait(pollMs);
    }
  } finally {
    follow?.signal?.removeEventListener("abort", ring);
    alarm.close();
    for (const source of sources) await source.close();
  }
}

/** Drops and shortens what lies further from the end than that. */
async function skipToTail(sources: OutputSource[], tailBytes: number | undefined): Promise<void> {
  if (tailBytes === undefined) return;
  let wantedBytes = tailBytes;
  for (const source of sources.toReversed()) {
    const sizeBytes = await source.size();
    source.seek(Math.max(0, sizeBytes - wantedBytes));
    wantedBytes = Math.max(0, wantedBytes - sizeBytes);
  }
}

/** Says what is missing before a frame that does not begin where the one before it ended. */
class Gaps {
  /** Undefined before the first frame, when that may begin anywhere. */
  #expectedBytes: number | undefined;
  #lastAtMs = 0;
  /** What was skipped and that no offset has explained yet, as long as it is in the file. */
  #skippedBytes = 0;

  constructor(isFromStart: boolean) {
    this.#expectedBytes = isFromStart ? 0 : undefined;
  }

  /** Passes on the frames of whole lines, with the losses between them; whether there were any. */
  async *fill(lines: AsyncIterable<OutputLine>): AsyncGenerator<OutputFrame, boolean, undefined> {
    let isMore = false;
    for await (const { frame, lengthBytes } of lines) {
      isMore = true;
      if (frame === undefined) {
        this.skip(lengthBytes);
        continue;
      }
      const expected = this.#expectedBytes ?? frame.offset_bytes;
      const missing = frame.offset_bytes - expected;
      const lost = missing > 0 ? missing : this.#skippedBytes;
      if (lost > 0) yield { at_ms: frame.at_ms, offset_bytes: expected, lost_bytes: lost };
      this.#skippedBytes = 0;
      this.#lastAtMs = frame.at_ms;
      this.#expectedBytes = endOf(frame);
      yield frame;
    }
    return isMore;
  }

  /** Notes that something cannot be read. */
  skip(lengthBytes: number): void {
    this.#skippedBytes += lengthBytes;
  }

  /** Says what was skipped after the last frame, where no offset will tell how much it was. */
  *end(): Generator<OutputFrame, void, undefined> {
    const lost = this.#skippedBytes;
    if (lost === 0) return;
    const expected = this.#expectedBytes ?? 0;
    yield { at_ms: this.#lastAtMs, offset_bytes: expected, lost_bytes: lost };
  }
}
