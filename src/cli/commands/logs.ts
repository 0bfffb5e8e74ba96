import { existsSync } from "node:fs";
import { LIMITS } from "../../kernel/limits.ts";
import { isLive } from "../../kernel/state.ts";
import { newestAbout } from "../../library/readable.ts";
import { resolveWorker } from "../../library/worker/reference.ts";
import { bytesOf, outputFiles, type OutputFrame } from "../../output/frame.ts";
import { readOutput } from "../../output/reader.ts";
import type { Journal } from "../../ports/journal.ts";
import { describeValue, InputError } from "../../protocol/input.ts";
import { statePlaces } from "../../system/places.ts";
import type { Call, Said } from "../call.ts";
import { passOn } from "../launching/passing-on.ts";
import { cutBefore, startOfLastLines } from "../record/last-lines.ts";
import { demandKnown } from "../record/names.ts";
import { withJournal } from "../record/open-journal.ts";
import { openRawOutput, rawOutputFile } from "../record/raw-output.ts";
import { integerText } from "../text/integer.ts";
import { sizeText } from "../text/size.ts";
import type { Given, Verb } from "../verb.ts";

const STREAMS = ["stdout", "stderr"] as const;
type Stream = (typeof STREAMS)[number];

const logs: Verb = {
  name: "logs",
  summary: "Print what a worker wrote, or writes",
  details:
    "Prints the output of a worker, also after its end: what it wrote to stdout on stdout, what " +
    "it " +
    "wrote to stderr on stderr, byte for byte. The log is bounded: where some of it is gone, " +
    "that " +
    "is said.\n\n" +
    "With --json one object a line: `output` with `at_ms`, `stream` and `text` (or `base64` " +
    "where " +
    "it is no UTF-8), and `lost` with `lost_bytes`.",
  parameters: "<id>",
  options: [
    { flags: "-f, --follow", description: "go on until the worker has ended" },
    {
      flags: "--tail <lines>",
      description: "begin with the last so many lines",
      parse: integerText("--tail", 0, LIMITS.outputBytesMax),
    },
    { flags: "--stream <name>", description: "only stdout, or only stderr", parse: parseStream },
  ],
  examples: ["stint logs build --follow", "stint logs w-abcd --tail 20 --stream stderr"],
  run,
};

function parseStream(text: string): Stream {
  const found = STREAMS.find((stream) => stream === text);
  if (found !== undefined) return found;
  const expected = '"stdout" or "stderr"';
  throw new InputError("usage", [{ path: "--stream", expected, got: describeValue(text) }]);
}

async function run(call: Call, { parameters, options }: Given): Promise<Said> {
  const { stateDir } = await call.place();
  const { state } = await call.read();
  const meant = resolveWorker(state, parameters[0]);
  const stream = options["stream"] as Stream | undefined;
  return withJournal(call, async (journal) => {
    // Of one that the state has nobody has to ask the record.
    const id = state.workers.has(meant) ? meant : await demandKnown(journal, meant);
    const source: Source = {
      stateDir,
      id,
      isWanted: (frame) => stream === undefined || !("stream" in frame) || frame.stream === stream,
    };
    const tail = options["tail"] as number | undefined;
    const fromBytes = tail === undefined ? 0 : await startOf(source, tail);
    const worker = state.workers.get(id);
    const isFollowed = options["follow"] === true && worker !== undefined && isLive(worker);
    const follow = isFollowed ? { until: untilEnded(journal, id), signal: call.signal } : undefined;
    const sizeBytes = await show(call, framesFrom(source, fromBytes, follow));
    return { data: { worker_id: id, size_bytes: sizeBytes }, text: "" };
  });
}

/** A worker's output, and which of it is asked for. */
interface Source {
  readonly stateDir: string;
  readonly id: string;
  readonly isWanted: (frame: OutputFrame) => boolean;
}

interface Follow {
  readonly until: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

async function startOf(source: Source, lineCount: number): Promise<number> {
  const frames: OutputFrame[] = [];
  for await (const frame of framesFrom(source, 0, undefined)) frames.push(frame);
  return startOfLastLines(frames, lineCount);
}

/** What is wanted of a worker's output, from an offset on; from wherever it is kept. */
async function* framesFrom(
  { stateDir, id, isWanted }: Source,
  fromBytes: number,
  follow: Follow | undefined,
): AsyncGenerator<OutputFrame, void, undefined> {
  const { output: folder } = statePlaces(stateDir);
  const files = Object.values(outputFiles(folder, id));
  // What a supervisor writes lies there before its worker runs; else the worker may write itself.
  const isSupervised = files.some((file) => existsSync(file));
  const raw = isSupervised ? undefined : await openRawOutput(rawOutputFile(stateDir, id), follow);
  const options = follow === undefined ? {} : { follow };
  for await (const frame of raw ?? readOutput(folder, id, options)) {
    const rest = isWanted(frame) ? cutBefore(frame, fromBytes) : undefined;
    if (rest !== undefined) yield rest;
  }
}

/** How many of the newest entries about a worker are looked through for its end. */
const entriesMax = 32;

/** Notes may be added to a worker after its end, but seldom many. */
function untilEnded(journal: Journal, id: string): () => Promise<boolean> {
  return async () => {
    const { entries } = await newestAbout(journal, id, entriesMax);
    return entries.some(({ kind }) => kind === "worker.stopped" || kind === "worker.lapsed");
  };
}

/** Prints frames as they come, as fast as their reader takes them; answers how many bytes. */
async function show(call: Call, frames: AsyncIterable<OutputFrame>): Promise<number> {
  let sizeBytes = 0;
  async function* counted(): AsyncGenerator<OutputFrame, void, undefined> {
    for await (const frame of frames) {
      sizeBytes += bytesOf(frame).length;
      yield frame;
    }
  }
  if (!call.isJson) {
    const { stdout, stderr } = process;
    const onLost = (bytes: number): void => call.note(`[${sizeText(bytes)} of output are lost]`);
    await passOn(counted(), { stdout, stderr, onLost });
    return sizeBytes;
  }
  for await (const frame of counted()) {
    const kind = "lost_bytes" in frame ? "lost" : "output";
    call.line({ kind, ...frame });
  }
  return sizeBytes;
}

/** The verb that prints what workers write. */
export const VERBS: readonly Verb[] = [logs];
