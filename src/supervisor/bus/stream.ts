import type { Subscription } from "../../bus/subscription.ts";
import type { Taken } from "../../bus/queue.ts";
import type { Timers } from "../../runtime/timers.ts";

/** How often a stream says that it is there, ms. */
const ALIVE_EVERY_MS = 5_000;

/** How much is handed to a connection at once, characters. */
const CHUNK_CHARS = 65_536;

/**
 * Streams a subscription, one JSON object a line. Nothing is taken from its queue before the
 * connection has room: so what a slow reader does not read waits in its own bounded queue, and
 * what gives way there it is told.
 */
export function busStream(
  subscription: Subscription,
  so: { readonly timers: Timers; readonly closing: AbortSignal },
): Response {
  const encoder = new TextEncoder();
  let cancelAlive: () => void = () => undefined;
  const end = (): void => subscription.close();
  const aliveLater = (): void => {
    cancelAlive = so.timers.after(ALIVE_EVERY_MS, () => {
      subscription.poke();
      if (!subscription.isClosed) aliveLater();
    });
  };
  const stop = (): void => {
    cancelAlive();
    so.closing.removeEventListener("abort", end);
    subscription.close();
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        so.closing.addEventListener("abort", end);
        if (so.closing.aborted) end();
        controller.enqueue(encoder.encode(lineOf({ kind: "open" })));
        aliveLater();
      },
      async pull(controller) {
        const taken = await subscription.take();
        if (subscription.isClosed) {
          stop();
          controller.close();
          return;
        }
        controller.enqueue(encoder.encode(chunkOf(taken, subscription)));
      },
      cancel: stop,
    },
    { highWaterMark: 2 },
  );
  return new Response(stream, { headers: { "Content-Type": "application/x-ndjson" } });
}

/** What was waited for, and what else is there by now; a sign of life where nothing came. */
function chunkOf(first: Taken | undefined, subscription: Subscription): string {
  if (first === undefined) return lineOf({ kind: "alive" });
  let text = lineOf(first);
  while (text.length < CHUNK_CHARS) {
    const next = subscription.takeNow();
    if (next === undefined) break;
    text += lineOf(next);
  }
  return text;
}

function lineOf(said: object): string {
  return `${JSON.stringify(said)}\n`;
}
