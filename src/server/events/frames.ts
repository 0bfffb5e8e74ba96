import type { Entry } from "../../kernel/entry.ts";
import type { BusDelivery } from "../../ports/bus.ts";

const encoder = new TextEncoder();

/** An event of the stream as bytes (HTML standard, 9.2.5); JSON has no raw newline in it. */
export function frame(event: string, data: object, id?: number): Uint8Array {
  const place = id === undefined ? "" : `id: ${id}\n`;
  return encoder.encode(`${place}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** An entry of the journal, which a stream can be resumed after. */
export function entryFrame(entry: Entry): Uint8Array {
  return frame("entry", entry, entry.seq);
}

/** What is said when nothing else is, so that a dead connection is found. */
export const ALIVE_FRAME: Uint8Array = encoder.encode(": alive\n\n");

/** How long a client is to wait before it connects again, ms. */
const retryMs = 1_000;

/** What a stream begins with. */
export function openFrame(data: object): Uint8Array {
  return encoder.encode(`retry: ${retryMs}\nevent: open\ndata: ${JSON.stringify(data)}\n\n`);
}

/** What the bus has delivered. A change of the roll is an event of its own kind. */
export function busFrame(delivery: BusDelivery): Uint8Array {
  if (delivery.kind === "message") {
    const { envelope } = delivery;
    const isRoll = /^system\.[^.]+\.[^.]+\.status$/.test(envelope.subject);
    return frame(isRoll ? "roll" : "message", envelope);
  }
  if (delivery.kind === "lost") return frame("lost", { count: delivery.count });
  return frame("bus", { up: delivery.kind === "open" });
}

/** Puts pieces one behind the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
