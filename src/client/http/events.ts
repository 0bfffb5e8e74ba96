import type { Entry } from "../../kernel/entry.ts";
import type { Envelope } from "../../ports/bus.ts";
import { EventReader, type SentEvent } from "./event-source.ts";
import type { ClientLine } from "./line.ts";
import { pause, pauseMs } from "./pause.ts";
import { ClientProblem, readProblem } from "./problem.ts";

/** How long a stream may be silent, though the server says something every 15 s, ms. */
const silentMs = 45_000;

/** Statuses after which the same request may do better. */
const AGAIN: ReadonlySet<number> = new Set([408, 429]);

const faultsFrom = 500;

/**
 * What happens. `entry` is of the journal: each comes once, in order, across reconnects. `roll` and
 * `message` come from the bus and may be lost: `lost` counts those that this reader was too slow
 * for, `bus` says whether the server hears it. `open` and `down` are about the connection itself.
 */
export type FleetEvent =
  | { readonly kind: "entry"; readonly entry: Entry }
  | { readonly kind: "roll"; readonly envelope: Envelope }
  | { readonly kind: "message"; readonly envelope: Envelope }
  | { readonly kind: "lost"; readonly count: number }
  | { readonly kind: "bus"; readonly up: boolean }
  | { readonly kind: "open"; readonly seq: number | null; readonly bus: boolean }
  | { readonly kind: "down"; readonly why: string };

/** Which events. */
export interface EventsOptions {
  /** The entry after which they begin; absent: now. */
  readonly after?: number;
  /** Whether entries of the journal are told; default true. */
  readonly journal?: boolean;
  /** Whether the bus is told; default true. */
  readonly bus?: boolean;
  /** Ends it; the iteration then simply ends. */
  readonly signal?: AbortSignal;
}

/** Follows what happens; connects anew by itself. Throws {@link ClientProblem} where it may not. */
export async function* followEvents(
  line: ClientLine,
  options: EventsOptions = {},
): AsyncGenerator<FleetEvent, void, undefined> {
  const place = { after: options.after };
  for (let tries = 0; ; tries += 1) {
    let why = "the server ended the stream";
    let retryMs: number | undefined;
    try {
      yield* counted(connection(line, options, place), () => {
        tries = 0;
      });
    } catch (error) {
      if (options.signal?.aborted === true) return;
      if (error instanceof ClientProblem && !mayDoBetter(error)) throw error;
      why = error instanceof Error ? error.message : String(error);
      if (error instanceof ClientProblem) retryMs = error.retryAfterMs;
    }
    if (options.signal?.aborted === true) return;
    yield { kind: "down", why };
    try {
      await pause(retryMs ?? pauseMs(tries), options.signal);
    } catch {
      return;
    }
  }
}

/** Passes events on, and says when a connection was open. */
async function* counted(
  events: AsyncIterable<FleetEvent>,
  onOpen: () => void,
): AsyncGenerator<FleetEvent, void, undefined> {
  for await (const event of events) {
    if (event.kind === "open") onOpen();
    yield event;
  }
}

function mayDoBetter({ problem }: ClientProblem): boolean {
  return problem.status >= faultsFrom || AGAIN.has(problem.status);
}

/** Where a follower stands, across connections. */
interface Standing {
  after: number | undefined;
}

async function* connection(
  line: ClientLine,
  options: EventsOptions,
  place: Standing,
): AsyncGenerator<FleetEvent, void, undefined> {
  const silence = new AbortController();
  const { journal, bus, signal } = options;
  const signals = signal === undefined ? [silence.signal] : [silence.signal, signal];
  let watch: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    clearTimeout(watch);
    watch = setTimeout(() => silence.abort(new Error(`silent for ${silentMs} ms`)), silentMs);
  };
  heard();
  try {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (place.after !== undefined) headers["Last-Event-ID"] = String(place.after);
    const response = await line.send({
      method: "GET",
      path: "/v1/events",
      query: { journal, bus },
      headers,
      signal: AbortSignal.any(signals),
    });
    if (!response.ok) throw await readProblem(response);
    const events = new EventReader();
    for await (const piece of piecesOf(response)) {
      heard();
      for (const sent of events.read(piece)) yield* taken(sent, place);
    }
  } finally {
    clearTimeout(watch);
    // Who stops listening leaves no connection behind.
    silence.abort();
  }
}

async function* piecesOf({ body }: Response): AsyncGenerator<Uint8Array, void, undefined> {
  // Not every browser can iterate over a stream itself.
  const reader = body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
  for (;;) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return;
    yield piece.value;
  }
}

/** The event that was sent; none for an entry that was told before, and for what is not known. */
function taken({ event, data, id }: SentEvent, place: Standing): readonly FleetEvent[] {
  if (event === "entry") {
    const seq = Number(id);
    if (!Number.isSafeInteger(seq) || (place.after !== undefined && seq <= place.after)) return [];
    place.after = seq;
    return [{ kind: "entry", entry: JSON.parse(data) as Entry }];
  }
  if (event === "roll" || event === "message")
    return [{ kind: event, envelope: JSON.parse(data) as Envelope }];
  if (event === "lost") return [{ kind: "lost", ...(JSON.parse(data) as { count: number }) }];
  if (event === "bus") return [{ kind: "bus", ...(JSON.parse(data) as { up: boolean }) }];
  if (event !== "open") return [];
  const opening = JSON.parse(data) as { seq: number | null; bus: boolean };
  // From here on it can be resumed, also when nothing came before it broke.
  place.after ??= opening.seq ?? undefined;
  return [{ kind: "open", seq: opening.seq, bus: opening.bus }];
}
