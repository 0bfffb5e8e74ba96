import { setTimeout as pause } from "node:timers/promises";
import type { WorkerSignal } from "../ports/worker-door.ts";
import { isPlainObject } from "../protocol/input.ts";
import { JsonLines } from "./json-lines.ts";
import type { SocketLine } from "./socket-line.ts";

/** How long nothing may come on a stream that says every now and then that it lives, ms. */
const silentMsMax = 30_000;

/** How long it is tried to connect anew before the supervisor counts as gone, ms. */
const goneMs = 5_000;

/** The pauses between two attempts, ms: each twice as long as the last, up to the longest. */
const pauseMsMin = 25;
const pauseMsMax = 500;

const BY: readonly unknown[] = ["stop", "kill", "quarantine", "expiry", "close"];

/**
 * Follows what a worker is to hear until the signal fires. A stream that breaks is connected anew;
 * each begins with the present, so nothing that was said meanwhile is lost. When none can be had
 * for 5 s, or the supervisor does not take the token any more, `gone` is told and that is the end.
 * Never rejects.
 */
export async function followSignals(
  line: SocketLine,
  listener: (signal: WorkerSignal) => void,
  signal: AbortSignal,
): Promise<void> {
  let brokenAtMs: number | undefined;
  let pauseMs = pauseMsMin;
  const reached = { status: 0 };
  while (!signal.aborted && reached.status !== 401) {
    const lines = new JsonLines((value) => {
      brokenAtMs = undefined;
      pauseMs = pauseMsMin;
      const said = signalOf(value);
      if (said !== undefined && !signal.aborted) listener(said);
    });
    try {
      await line.follow("/v1/worker/signals", {
        onText: (text) => lines.take(text),
        onStatus: (status) => (reached.status = status),
        silentMsMax,
        signal,
      });
    } catch {
      // Whether it broke off or never began: the next attempt tells whether somebody is there.
    }
    if (signal.aborted) return;
    brokenAtMs ??= performance.now();
    if (performance.now() - brokenAtMs > goneMs) break;
    await pause(pauseMs, undefined, { ref: false });
    pauseMs = Math.min(pauseMsMax, 2 * pauseMs);
  }
  if (!signal.aborted) listener({ kind: "gone" });
}

/** What a line says to a worker; undefined for one that only says that the stream lives. */
function signalOf(value: unknown): WorkerSignal | undefined {
  if (!isPlainObject(value)) return undefined;
  const { kind, by, at_seq, held } = value;
  if (kind === "released") return { kind };
  if (kind === "leases" && typeof at_seq === "number" && Array.isArray(held))
    // The supervisor is this very program: what it says is held has these fields.
    return { kind, at_seq, held: held as (WorkerSignal & { kind: "leases" })["held"] };
  if (kind !== "interrupted" || !BY.includes(by)) return undefined;
  // One of the words above.
  return value as unknown as WorkerSignal;
}
